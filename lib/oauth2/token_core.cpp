// SPDX-License-Identifier: BSL-1.0
#include "oauth2/token_core.hpp"

#include "base/duration_text.hpp"
#include "base/untrusted_text.hpp"

#include <jeton/oauth2/error.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

#include <exception>
#include <random>
#include <utility>

namespace jeton::oauth2 {

token_core::token_core(std::shared_ptr<token_source> upstream, serial home, std::shared_ptr<clock> time,
                       refresh_policy policy, std::shared_ptr<observer> watcher, std::function<bool()> identity_changed)
    : upstream_(std::move(upstream)),
      home_(std::move(home)),
      time_(std::move(time)),
      watcher_(std::move(watcher)),
      identity_changed_(std::move(identity_changed)),
      flight_limit_(policy.flight_limit),
      slot_(policy, std::random_device{}())
{}

auto token_core::ask(token_demand const& demand) -> plan
{
    using action = token_slot::action;
    auto const now = time_->both();
    std::lock_guard const lock(mutex_);
    plan p;
    if (closed_) {
        p.step = {.what = action::refuse, .token = {}, .why = shut_down_failure(), .valid_until = {}};
        return p;
    }
    auto const had = slot_.look_token();
    p.step = slot_.on_demand(demand, now);
    if (p.step.what == action::use_and_fetch || p.step.what == action::fetch_and_wait) {
        p.to_start = std::make_shared<flight>(now);
        p.to_start->self = p.to_start;
        current_ = p.to_start;
    }
    if (p.step.what == action::fetch_and_wait || p.step.what == action::wait) {
        p.to_join = current_.lock();
        if (!p.to_join)
            p.step.why = shut_down_failure();  // it went down with its context
        ++waited_;
        coalesced_ += p.step.what == action::wait;
    }
    if (had != slot_.look_token())
        changed();
    p.word = word_.load(std::memory_order_relaxed);
    return p;
}

void token_core::take_off(std::shared_ptr<flight> f)
{
    auto start = [self = shared_from_this(), f] { self->start(f); };
    asio::post(home(), std::move(start));
}

bool token_core::waiter::has_to_wait(bool cancelled)
{
    if (cancelled)
        why_ = woken::cancelled;
    else if (flight_.outcome)
        return false;
    else if (auto const limit = demand_.deadline(); limit && *limit <= here_.of().now())
        why_ = woken::timed_out;
    return why_ == woken::signalled;
}

result<token_ptr> token_core::waiter::outcome() const
{
    if (why_ == woken::cancelled)
        return cancelled_failure();
    if (why_ == woken::timed_out || !flight_.outcome)
        return failure(jeton::errc::timed_out, phase::token, delivery::not_sent,
                       "the deadline passed while waiting for a token, which is still being fetched");
    // A demand that concerns the time left is looked at with the time.
    bool const exactly = demand_.remaining() > duration::zero();
    return token_slot::share(*flight_.outcome, demand_, exactly ? here_.of().time_->both() : flight_.landed_at);
}

token_snapshot token_core::look() const
{
    auto const now = time_->both();
    std::lock_guard const lock(mutex_);
    auto r = slot_.look(now);
    token_snapshot s;
    s.is = static_cast<token_snapshot::state>(r.is);
    if (r.token) {
        s.generation = r.token->generation;
        s.fingerprint = r.token->fingerprint;
        s.age = now.boot - r.token->sent().boot;
    }
    s.left = r.left;
    s.refresh_in = r.refresh_in;
    s.last_failure = std::move(r.last_failure);
    s.retry_in = r.retry_in;
    s.in_flight = r.in_flight;
    s.circuit_open = r.circuit_open;
    s.waiters = waiting_.load(std::memory_order_relaxed);
    s.token_requests = r.flights;
    s.coalesced = coalesced_;
    s.waited = waited_;
    return s;
}

bool token_core::identity_changed(failure const& refused)
{
    bool const about_identity = refused.code() == cond::credentials || refused.code() == errc::bad_credentials_source
                                || refused.code() == errc::bad_client;
    if (!identity_changed_ || !about_identity)
        return false;
    {
        std::lock_guard const lock(mutex_);
        auto const now = time_->now();
        if (now < next_look_at_identity_)
            return false;
        next_look_at_identity_ = saturating_add(now, std::chrono::seconds(1));
    }
    try {
        return identity_changed_();
    } catch (...) {
        return false;  // the user's; whatever is wrong with it, the flight will tell
    }
}

void token_core::forgive()
{
    std::lock_guard const lock(mutex_);
    slot_.forgive();
    changed();
}

void token_core::close()
{
    std::shared_ptr<flight> last;
    {
        std::lock_guard const lock(mutex_);
        closed_ = true;
        slot_.clear();
        changed();
        last = current_.lock();
    }
    asio::post(home(), [weak = weak_from_this(), last] {
        if (auto const self = weak.lock())
            self->end(last);
    });
}

bool token_core::at_work() const
{
    std::lock_guard const lock(mutex_);
    return !current_.expired() || waiting_.load(std::memory_order_relaxed) != 0;
}

failure token_core::cancelled_failure()
{
    return {jeton::errc::cancelled, phase::token, delivery::not_sent, "cancelled while waiting for a token"};
}

failure token_core::shut_down_failure()
{
    return {jeton::errc::shut_down, phase::token, delivery::not_sent, "the token cache has been shut down"};
}

failure token_core::out_of_a_source(char const* what)
{
    return {jeton::errc::unexpected, phase::token, delivery::not_sent,
            "the token source threw: " + untrusted_text(what, 256)};
}

void token_core::leave()
{
    if (--present_ == 0)
        timers_.reset();
}

void token_core::start(std::shared_ptr<flight> const& f)
{
    if (f->outcome || !upstream_)
        return;
    if (present_++ == 0)
        timers_ = std::make_unique<timekeeper>(home_, time_);
    f->until = std::make_unique<flight::limit>(*this, *f);
    timers_->arm(*f->until, saturating_add(f->takes_off.boot, flight_limit_));

    auto const ticket = std::make_shared<flight::ticket>();
    ticket->owner = shared_from_this();
    f->under_way = ticket;
    auto done = [ticket, f](std::exception_ptr thrown, result<token_ptr> outcome) {
        if (auto const self = ticket->owner)
            self->land(f, thrown ? out_of_a_source("an error on its way back") : std::move(outcome));
    };
    asio::co_spawn(home(), fetch(upstream_), asio::bind_cancellation_slot(f->stop.slot(), std::move(done)));
}

// Users write sources, too; one that throws must not strand those who wait.
awaitable<result<token_ptr>> token_core::fetch(std::shared_ptr<token_source> upstream)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    token_demand any;
    try {
        co_return co_await upstream->get(std::move(any));
    } catch (error const& e) {
        co_return e.why();
    } catch (std::exception const& e) {
        co_return out_of_a_source(e.what());
    } catch (...) {
        co_return out_of_a_source("something that is no std::exception");
    }
}

void token_core::overdue(std::shared_ptr<flight> const& f)
{
    if (f->outcome)
        return;
    land(f, failure(jeton::errc::timed_out, phase::token, delivery::not_sent,
                    "no token after " + duration_text(flight_limit_) + ", the limit of one flight"));
    // A source that does not listen is left to itself: what it brings in the end is dropped.
    f->stop.emit(asio::cancellation_type::terminal);
}

void token_core::land(std::shared_ptr<flight> const& f, result<token_ptr> outcome)
{
    if (f->outcome)
        return;
    auto const now = time_->both();
    auto const took = now.boot - f->takes_off.boot;
    std::optional<token_slot::landing> what;
    {
        std::lock_guard const lock(mutex_);
        if (current_.lock() == f)
            current_.reset();
        if (!closed_) {
            what = slot_.on_landed(outcome, now, took);
            if (what->outcome && (*what->outcome)->endpoint != endpoint_)
                endpoint_ = (*what->outcome)->endpoint;
            changed();
        }
    }
    f->outcome = what ? what->outcome : result<token_ptr>(shut_down_failure());
    f->landed_at = now;
    put_down(*f);
    f->landed.wake_all();
    if (what)
        tell(*what, took);
}

void token_core::end(std::shared_ptr<flight> const& last)
{
    if (last && !last->outcome) {
        land(last, shut_down_failure());
        last->stop.emit(asio::cancellation_type::terminal);
    }
    // What it knows, such as a refresh token, goes too; a fetch that is still ending has its own hold on it.
    upstream_.reset();
}

void token_core::put_down(flight& f)
{
    if (!f.until)
        return;
    f.until->disarm();
    if (auto const ticket = f.under_way.lock())
        ticket->owner.reset();
    leave();
}

void token_core::tell(token_slot::landing const& what, duration took)
{
    if (!watcher_)
        return;
    try {
        if (what.outcome) {
            auto const& t = **what.outcome;
            watcher_->on(happenings::token_granted{.endpoint = t.endpoint,
                                                   .generation = t.generation,
                                                   .fingerprint = t.fingerprint,
                                                   .lifetime = t.lifetime(),
                                                   .took = took,
                                                   .same_as_before = what.same_as_before,
                                                   .may_be_cached = t.may_be_cached});
        } else {
            watcher_->on(happenings::token_failed{.endpoint = endpoint_,
                                                  .why = what.outcome.error(),
                                                  .failures_in_a_row = what.failures_in_a_row,
                                                  .pause = what.pause});
        }
    } catch (...) {
        // An observer only looks on.
    }
}

}  // namespace jeton::oauth2
