// SPDX-License-Identifier: BSL-1.0
#include "client/client_shard.hpp"

#include <jeton/client/authorized.hpp>

#include <algorithm>
#include <utility>

namespace jeton {

namespace {

// Hangs below `authorized`, whose every request holds it; so, once the client has let go of it, it is gone when the
// last one is.
struct bell {
    bell(std::shared_ptr<connections> under, std::weak_ptr<drain> who) : to(std::move(under)), listener(std::move(who))
    {}
    bell(bell const&) = delete;
    bell& operator=(bell const&) = delete;
    ~bell()
    {
        if (auto const heard = listener.lock(); heard && heard->awaited)
            heard->answer();
    }

    std::shared_ptr<connections> to;
    std::weak_ptr<drain> listener;
};

template <class Number>
Number part_of(Number whole, std::size_t which, std::size_t of)
{
    auto const n = static_cast<Number>(of);
    return std::max(Number(1), static_cast<Number>(whole / n + (static_cast<Number>(which) < whole % n ? 1 : 0)));
}

}  // namespace

void client_shard::open(std::shared_ptr<oauth2::token_front> tokens, std::shared_ptr<drain> const& draining,
                        std::shared_ptr<clock> time, http::retry_policy retry, std::shared_ptr<observer> watcher,
                        http::retry_elsewhere elsewhere)
{
    front = std::move(tokens);
    auto const rung = std::make_shared<bell>(under, draining);
    std::shared_ptr<http::transport> counted(rung, under.get());
    auto with_tokens = authorized(std::move(counted), front, address.trusted(), time, watcher);
    stack_ = http::with_retries(std::move(with_tokens), home, std::move(time), std::move(retry), std::move(watcher),
                                std::move(elsewhere));
    load_ = stack_;
}

http::client_options share_of(http::client_options options, std::size_t which, std::size_t of)
{
    // Zero is left to whoever refuses it.
    if (options.connections_per_origin != 0)
        options.connections_per_origin = part_of(options.connections_per_origin, which, of);
    if (options.connections != 0)
        options.connections = part_of(options.connections, which, of);
    if (options.ready_per_origin != 0)
        options.ready_per_origin = part_of(options.ready_per_origin, which, of);
    if (options.waiting_requests != 0)
        options.waiting_requests = part_of(options.waiting_requests, which, of);
    return options;
}

http::retry_policy share_of(http::retry_policy policy, std::size_t which, std::size_t of)
{
    if (policy.budget_floor > 0)
        policy.budget_floor = part_of(policy.budget_floor, which, of);
    return policy;
}

}  // namespace jeton
