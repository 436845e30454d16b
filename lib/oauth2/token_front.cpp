// SPDX-License-Identifier: BSL-1.0
#include "oauth2/token_front.hpp"

#include "base/cancellation.hpp"
#include "base/hop.hpp"

#include <asio/this_coro.hpp>

#include <utility>

namespace jeton::oauth2 {

namespace {

bool is_anybodys(token_demand const& d) noexcept { return d.remaining() == duration::zero() && !d.refused(); }

}  // namespace

// Of those who wait there may be a million: what need not outlive a suspension is not in this frame.
awaitable<result<token_ptr>> token_front::get(token_demand demand)
{
    auto const caller = co_await asio::this_coro::executor;
    // Whoever finds none has not to be told the time.
    if (is_anybodys(demand) && caller == home_ && at_hand_.token)
        if (auto const* const token = at_hand(core_->recent()))
            co_return *token;
    auto const core = core_;
    flight_ptr flight;
    auto outcome = at_once(demand, caller, flight);
    if (outcome)
        co_return std::move(*outcome);

    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const state = co_await asio::this_coro::cancellation_state;
    if (caller == core->home()) {
        token_core::waiter me(*core, *flight, demand);
        if (me.has_to_wait(cancelled(state)))
            me.on_woken(co_await me.wait());
        outcome = me.outcome();
    } else if (cancelled(state)) {
        outcome = token_core::cancelled_failure();
    } else {
        outcome = co_await wait_elsewhere(core, flight, demand);
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return std::move(*outcome);
}

// What needs no waiting; or else what is to be waited for.
std::optional<result<token_ptr>> token_front::at_once(token_demand const& demand, asio::any_io_executor const& caller,
                                                      flight_ptr& to_join)
{
    auto plan = core_->ask(demand);
    if (plan.step.why && core_->identity_changed(*plan.step.why)) {
        core_->forgive();
        plan = core_->ask(demand);
    }
    if (plan.to_start)
        core_->take_off(std::move(plan.to_start));
    if (plan.step.token) {
        if (is_anybodys(demand) && caller == home_)
            keep_at_hand(plan);
        return std::move(plan.step.token);
    }
    if (plan.step.why)
        return *plan.step.why;
    to_join = std::move(plan.to_join);
    return {};
}

awaitable<result<token_ptr>> token_front::wait_elsewhere(std::shared_ptr<token_core> const& core,
                                                         flight_ptr const& flight, token_demand const& demand)
{
    return hop(core->home(), wait_at_home(core, flight, demand));
}

awaitable<result<token_ptr>> token_front::wait_at_home(std::shared_ptr<token_core> core, flight_ptr flight,
                                                       token_demand demand)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const state = co_await asio::this_coro::cancellation_state;
    token_core::waiter me(*core, *flight, demand);
    if (me.has_to_wait(cancelled(state)))
        me.on_woken(co_await me.wait());
    co_return me.outcome();
}

token_ptr const* token_front::at_hand(time_point now) const noexcept
{
    return at_hand_.token && core_->still(at_hand_.word) && now < at_hand_.until ? &at_hand_.token : nullptr;
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
