// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/sources.hpp>

#include "base/cancellation.hpp"
#include "base/hop.hpp"
#include "oauth2/token_core.hpp"

#include <asio/this_coro.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

namespace jeton::oauth2 {

namespace {

/// The front of a token_core, for callers on its home above all.
class cached_source final : public caching_token_source {
public:
    explicit cached_source(std::shared_ptr<token_core> c) : core_(std::move(c)) {}

    ~cached_source() override
    {
        // A cache at rest must not touch its executor: the context may be on its way out, with us in one of its frames.
        if (core_->at_work())
            core_->close();
    }

    awaitable<result<token_ptr>> get(token_demand demand) override
    {
        auto const caller = co_await asio::this_coro::executor;
        bool const at_home = caller == core_->home();
        bool const any_will_do = demand.remaining() == duration::zero() && !demand.refused();
        if (at_home && any_will_do)
            if (auto const* token = core_->at_hand())
                co_return *token;

        auto const self = core_;
        auto plan = self->ask(demand);
        if (plan.step.why && self->identity_changed(*plan.step.why)) {
            self->forgive();
            plan = self->ask(demand);
        }
        if (plan.to_start)
            self->take_off(std::move(plan.to_start));
        if (plan.step.token) {
            if (at_home && any_will_do)
                self->keep_at_hand(plan);
            co_return std::move(plan.step.token);
        }
        if (plan.step.why)
            co_return *plan.step.why;

        bool const throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        auto const state = co_await asio::this_coro::cancellation_state;
        if (cancelled(state)) {
            co_await asio::this_coro::throw_if_cancelled(throws);
            co_return failure(jeton::errc::cancelled, phase::token, delivery::not_sent,
                              "cancelled before it waited for a token");
        }
        auto outcome = co_await wait(self, std::move(plan.to_join), std::move(demand), at_home);
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return outcome;
    }

    token_snapshot snapshot() const override { return core_->look(); }
    void retry_now() override { core_->forgive(); }
    void shut_down() override { core_->close(); }

private:
    static awaitable<result<token_ptr>> wait(std::shared_ptr<token_core> self, std::shared_ptr<token_core::flight> f,
                                             token_demand demand, bool at_home)
    {
        auto const home = self->home();
        auto joining = token_core::join(std::move(self), std::move(f), std::move(demand));
        if (at_home)
            return joining;
        return hop(home, std::move(joining));
    }

    std::shared_ptr<token_core> const core_;
};

}  // namespace

std::shared_ptr<caching_token_source> with_cache(std::shared_ptr<token_source> upstream, serial home,
                                                 std::shared_ptr<clock> time, refresh_policy policy,
                                                 std::shared_ptr<observer> watcher,
                                                 std::function<bool()> identity_changed)
{
    if (!upstream || !time)
        throw std::invalid_argument("jeton: with_cache: no source or no clock");
    return std::make_shared<cached_source>(std::make_shared<token_core>(std::move(upstream), std::move(home),
                                                                        std::move(time), policy, std::move(watcher),
                                                                        std::move(identity_changed)));
}

}  // namespace jeton::oauth2
