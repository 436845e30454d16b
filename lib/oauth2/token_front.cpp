// SPDX-License-Identifier: BSL-1.0
#include "oauth2/token_front.hpp"

#include "base/cancellation.hpp"
#include "base/hop.hpp"

#include <asio/this_coro.hpp>

#include <utility>

namespace jeton::oauth2 {

awaitable<result<token_ptr>> token_front::get(token_demand demand)
{
    auto const caller = co_await asio::this_coro::executor;
    bool const any_will_do = demand.remaining() == duration::zero() && !demand.refused();
    if (auto const* const token = any_will_do ? at_hand(caller) : nullptr)
        co_return *token;

    auto const core = core_;
    auto plan = core->ask(demand);
    if (plan.step.why && core->identity_changed(*plan.step.why)) {
        core->forgive();
        plan = core->ask(demand);
    }
    if (plan.to_start)
        core->take_off(std::move(plan.to_start));
    if (plan.step.token) {
        if (any_will_do && caller == where_)
            keep_at_hand(plan);
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
    auto outcome = co_await wait(core, std::move(plan.to_join), std::move(demand), caller);
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return outcome;
}

awaitable<result<token_ptr>> token_front::wait(std::shared_ptr<token_core> core, std::shared_ptr<token_core::flight> f,
                                               token_demand demand, asio::any_io_executor const& caller)
{
    auto const home = core->home();
    auto joining = token_core::join(std::move(core), std::move(f), std::move(demand));
    if (caller == home)
        return joining;
    return hop(home, std::move(joining));
}

token_ptr const* token_front::at_hand(asio::any_io_executor const& here) const noexcept
{
    return at_hand(here, core_->now());
}

token_ptr const* token_front::at_hand(asio::any_io_executor const& here, time_point now) const noexcept
{
    if (here != where_ || !at_hand_.token || !core_->still(at_hand_.word) || now >= at_hand_.until)
        return nullptr;
    return &at_hand_.token;
}

void token_front::keep_at_hand(token_core::plan const& p)
{
    if (!at_hand_.token || at_hand_.token.get() != p.step.token.get())
        // A control block of our own: the count of the token's is written to by whoever is elsewhere.
        at_hand_.token = token_ptr(p.step.token.get(), [t = p.step.token](token const*) {});
    at_hand_.until = p.step.valid_until;
    at_hand_.word = p.word;
}

}  // namespace jeton::oauth2
