// SPDX-License-Identifier: BSL-1.0
#include "http/pool.hpp"

#include "base/cancellation.hpp"
#include "base/ended.hpp"
#include "http/pool_site.hpp"
#include "http/sansio/h1_request_writer.hpp"

#include <jeton/http/error.hpp>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace jeton::http {

namespace {

// How many origins are found by their address alone. A client has one or two; tenants may have more.
constexpr std::size_t short_cuts = 16;

// An unused connection gives its buffers back after that, so that a busy one does not do so after every request.
constexpr duration buffers_kept = std::chrono::seconds(1);

// How long ago a connection was used that nobody looks at before it is used again for what can be repeated.
constexpr duration just_now = std::chrono::milliseconds(1);

// RFC 9113 §7 does not say for how long; a server that was given another configuration is noticed after that.
constexpr duration http_1_1_remembered = std::chrono::minutes(10);

char const* text_of(pool_plan::reason why) noexcept
{
    using reason = pool_plan::reason;
    switch (why) {
    case reason::idle: return "idle";
    case reason::age: return "age";
    case reason::requests: return "number of requests";
    case reason::going_away: return "going away";
    case reason::one_at_a_time: return "the server wants HTTP/1.1";
    case reason::room: return "made room";
    case reason::shut_down: return "shut down";
    case reason::not_kept: break;
    }
    return "not kept";
}

}  // namespace

pool::site::site(pool& p, std::shared_ptr<origin const> to, pool_plan::limits const& limits)
    : where(std::move(to)),
      name(where->to_string()),
      head(h1_origin_head(*where, p.options_.user_agent)),
      plan(limits, &p.share_),
      plan_alarm(p, *this, &pool::on_time),
      tidy_alarm(p, *this, &pool::tidy)
{}

pool::pool(serial home, std::shared_ptr<timekeeper> timers, std::shared_ptr<net::connector> connector,
           std::shared_ptr<observer> watcher, pool_options options)
    : home_(std::move(home)),
      timers_(std::move(timers)),
      connector_(std::move(connector)),
      watcher_(std::move(watcher)),
      options_(std::move(options)),
      share_(options_.connections)
{}

pool::~pool()
{
    for (auto const& [key, at] : sites_)
        for (auto const& p : at->places)
            if (p->connection)
                p->connection->close();
}

auto pool::site_of(std::shared_ptr<origin const> const& to) -> site&
{
    for (auto const& [known, at] : known_)
        if (known == to)
            return *at;
    auto& at = site_of(*to);
    if (known_.size() == short_cuts)
        known_.erase(known_.begin());
    known_.emplace_back(to, &at);
    return at;
}

auto pool::site_of(origin const& to) -> site&
{
    pool_key key{to, options_.traits};
    if (auto const known = sites_.find(key); known != sites_.end())
        return *known->second;
    auto limits = options_.limits;
    auto const& offered = options_.traits->tls.alpn;
    limits.multiplexing = to.secure && std::find(offered.begin(), offered.end(), "h2") != offered.end();
    if (offered.size() == 1)
        limits.many_from = 0;
    limits.seed = static_cast<std::uint32_t>(seeds_());
    auto made = std::make_unique<site>(*this, std::make_shared<origin const>(to), limits);
    return *sites_.emplace(std::move(key), std::move(made)).first->second;
}

std::string const& pool::head_of(site const& at) noexcept { return at.head; }

std::string const& pool::name_of(site const& at) noexcept { return at.name; }

std::shared_ptr<origin const> const& pool::origin_of(site const& at) noexcept { return at.where; }

net::connection const& pool::times_of(lease const& l) noexcept { return l.at->places[l.id]->times; }

void pool::take(site& at, waiter& me, time_point now, time_point deadline)
{
    ++at.requests;
    place(at, me, now, deadline);
}

// An answer ended on it a moment ago, and a request that can be repeated is none the worse for a connection that has died since:
// that is not worth a system call for each of them.
bool pool::just_used(connection const& c, waiter const& me, time_point now) noexcept
{
    return me.repeatable && c.spent() == nullptr && c.requests() != 0 && now - c.last_used() < just_now;
}

void pool::place(site& at, waiter& me, time_point now, time_point deadline)
{
    using kind = pool_plan::placing::kind;
    // Who stands in the plan's queue must be found here, so the memory comes first. The plan uses ids again.
    if (at.waiters.size() <= at.plan.waiting())
        at.waiters.resize(at.plan.waiting() + 1);
    make_places_for_one_more(at);
    auto const until = std::min(deadline, saturating_add(now, options_.queue));
    for (;;) {
        auto const placed = at.plan.on_demand(now, me.dialled_after, me.first, until);
        if (placed.what == kind::wait) {
            // It may be handed a connection by what follows.
            me.at = &at;
            me.id = placed.id;
            at.waiters[me.id] = &me;
        }
        if (!at.plan.todo().empty())
            obey(at, at.plan.todo());
        switch (placed.what) {
        case kind::use: {
            auto& c = *at.places[placed.id]->connection;
            if (just_used(c, me, now) || c.fit()) {
                me.got = lease{&at, placed.id, &c, false};
                return;
            }
            obey(at, at.plan.on_released(placed.id, now, false));
            after_change(at);
            break;
        }
        case kind::wait: after_change(at); return;
        case kind::refused:
            after_change(at);
            me.got = not_connected(at);
            return;
        case kind::full:
            me.got = failure(errc::queue_full, phase::queue, delivery::not_sent,
                             std::to_string(at.plan.waiting()) + " requests wait for a connection to " + at.name
                                 + " already");
            return;
        case kind::closed: me.got = has_been_shut_down(phase::queue); return;
        }
    }
}

awaitable<void> pool::wait(site& at, waiter& me, time_point since, time_point deadline)
{
    parking::spot spot;
    me.spot = &spot;
    auto limit = std::min(deadline, saturating_add(since, options_.queue));
    for (;;) {
        auto why = woken::signalled;
        if (!me.got)
            why = co_await at.queue.wait(spot, timers_.get(), limit);
        auto const state = co_await asio::this_coro::cancellation_state;
        if (cancelled(state))
            why = woken::cancelled;
        auto const now = timers_->now();
        bool const late = now >= deadline;
        if (me.has_lease()) {
            bool const wanted = why != woken::cancelled && !late && !abandoned_;
            if (wanted && (*me.got)->connection->fit())
                co_return;
            // It was handed over in the very moment in which nobody wanted it any more, or in which it ended.
            give_back(me, now);
            if (abandoned_) {
                me.got = was_destroyed(phase::queue);
                co_return;
            }
            if (wanted) {
                place(at, me, now, deadline);
                if (!me.got)
                    continue;
                if (*me.got)
                    (*me.got)->waited = true;
                co_return;
            }
        } else if (me.got) {
            co_return;
        } else if (why == woken::timed_out && !late && at.plan.dialling() != 0 && at.plan.all_covered()) {
            // A connection is on its way to everybody who waits. The limits of dialling apply, and tell more.
            limit = deadline;
            continue;
        } else if (why == woken::signalled) {
            continue;
        } else {
            at.waiters[me.id] = nullptr;
            at.plan.on_gave_up(me.id);
            after_change(at);
        }
        if (why == woken::cancelled)
            me.got = failure(jeton::errc::cancelled, phase::queue, delivery::not_sent,
                             "cancelled while waiting for a connection to " + at.name);
        else
            me.got = timed_out(at, now - since, late);
        co_return;
    }
}

void pool::give_back(waiter& me, time_point now)
{
    auto const l = **std::exchange(me.got, {});
    site& at = *l.at;
    auto& c = *l.connection;
    // Whoever waits takes it without looking at it again.
    bool const keep = c.spent() == nullptr && (at.plan.waiting() == 0 || c.fit());
    // What a server says about its connections, it says at once.
    if (c.requests() == 1)
        heed(at, l);
    if (auto const todo = at.plan.on_released(l.id, now, keep); !todo.empty())
        obey(at, todo);
    tidy_later(at, now);
    after_change(at);
}

void pool::recover(waiter& me) noexcept
{
    auto const now = timers_->now();
    if (me.at != nullptr && me.at->waiters[me.id] == &me) {
        me.at->waiters[me.id] = nullptr;
        me.at->plan.on_gave_up(me.id);
        after_change(*me.at);
    }
    if (me.has_lease()) {
        (*me.got)->connection->break_off();
        give_back(me, now);
    }
}

awaitable<void> pool::shut_down()
{
    shutting_down_ = true;
    auto const now = timers_->now();
    for (auto const& [key, at] : sites_) {
        obey(*at, at->plan.on_shut_down(now));
        at->tidy_alarm.disarm();
        at->plan_alarm.disarm();
        end_warming(*at, has_been_shut_down(phase::queue));
    }
    for (auto const& [key, at] : sites_)
        after_change(*at);
    auto why = woken::signalled;
    while (!done() && why != woken::cancelled)
        why = co_await done_.wait();
    if (done())
        timers_->rest();
}

void pool::abandon()
{
    abandoned_ = shutting_down_ = true;
    auto const now = timers_->now();
    for (auto const& [key, at] : sites_) {
        for (auto*& w : at->waiters) {
            if (w == nullptr)
                continue;
            auto& waiting = *std::exchange(w, nullptr);
            at->plan.on_gave_up(waiting.id);
            waiting.got = was_destroyed(phase::queue);
            wake(*at, waiting);
        }
        obey(*at, at->plan.on_shut_down(now));
        at->tidy_alarm.disarm();
        at->plan_alarm.disarm();
        end_warming(*at, was_destroyed(phase::queue));
        for (auto const& p : at->places)
            if (p->connection)
                p->connection->abort(was_destroyed(phase::none));
    }
    for (auto const& [key, at] : sites_)
        after_change(*at);
}

void pool::on_http_1_1_required(lease const& l)
{
    site& at = *l.at;
    obey(at, at.plan.on_one_at_a_time(timers_->now(), http_1_1_remembered));
    after_change(at);
}

void pool::heed(site& at, lease const& l)
{
    auto const hint = l.connection->hint();
    if (hint == keep_alive_hint{})
        return;
    std::optional<duration> kept;
    if (hint.timeout)
        kept = std::chrono::seconds(*hint.timeout);
    at.plan.on_hint(l.id, kept, hint.max);
    at.plan_alarm.disarm();
}

void pool::on_spent(site& at, pool_plan::connection_id c)
{
    auto const keep = shared_from_this();
    obey(at, at.plan.on_died(c, timers_->now()));
    after_change(at);
}

void pool::on_capacity(site& at, pool_plan::connection_id c)
{
    auto keep = at.places[c]->connection;
    auto const now = timers_->now();
    bool const spent = keep->spent() != nullptr;
    // One that nobody uses says so itself, when it can be destroyed.
    if (spent && !at.plan.in_use(c))
        return;
    obey(at, spent ? at.plan.on_draining(c, now) : at.plan.on_slots(c, keep->capacity(), now));
    after_change(at);
    asio::post(home_.executor(), [last = std::move(keep)] {});
}

void pool::obey(site& at, pool_plan::actions what)
{
    using kind = pool_plan::action::kind;
    for (auto const& a : what) {
        switch (a.what) {
        case kind::hand: {
            auto& w = *std::exchange(at.waiters[a.waiter], nullptr);
            w.got = lease{&at, a.connection, at.places[a.connection]->connection.get(), true};
            wake(at, w);
            break;
        }
        case kind::refuse: {
            auto& w = *std::exchange(at.waiters[a.waiter], nullptr);
            w.got = not_connected(at);
            wake(at, w);
            break;
        }
        case kind::close: let_go(at, a.connection, a.why); break;
        case kind::dial: start_dial(at, a.connection, a.many); break;
        }
    }
}

void pool::wake(site& at, waiter& w)
{
    if (w.spot != nullptr)
        at.queue.wake(*w.spot);
}

void pool::let_go(site& at, pool_plan::connection_id c, pool_plan::reason why)
{
    auto const gone = std::exchange(at.places[c]->connection, nullptr);
    char const* const own = gone->spent();
    try {
        if (watcher_)
            events_.push_back(happenings::disconnected{at.name, own != nullptr ? own : text_of(why), gone->requests()});
    } catch (std::bad_alloc const&) {
        // Then it is not told.
    }
    gone->close();
}

void pool::on_time(site& at)
{
    obey(at, at.plan.on_time(timers_->now()));
    after_change(at);
}

void pool::tidy_later(site& at, time_point now)
{
    if (!at.tidy_alarm.armed() && !shutting_down_)
        timers_->arm(at.tidy_alarm, saturating_add(now, buffers_kept));
}

void pool::tidy(site& at)
{
    auto const now = timers_->now();
    std::optional<time_point> next;
    for (auto const& p : at.places) {
        if (!p->connection || p->connection->tidy())
            continue;
        auto const due = saturating_add(p->connection->last_used(), buffers_kept);
        if (due <= now)
            p->connection->release_buffers();
        else
            next = std::min(next.value_or(due), due);
    }
    if (next)
        timers_->arm(at.tidy_alarm, *next);
}

// What has to be looked after once a fact has been dealt with.
void pool::after_change(site& at)
{
    fail_starved(at);
    if (share_.unsettled())
        share_out();
    if (!at.warmers.empty() && !at.plan.warming())
        end_warming(at, {});
    // Hardly anything makes an earlier one necessary.
    if (!at.plan_alarm.armed() || at.plan.paced())
        set_alarm(at);
    if (shutting_down_) {
        if (at.plan.waiting() == 0)
            for (auto const& p : at.places)
                if (p->being_dialled)
                    p->stop_dialling.emit(asio::cancellation_type::terminal);
        if (done()) {
            timers_->rest();
            done_.wake_all();
        }
    }
    if (!events_.empty())
        tell();
}

void pool::set_alarm(site& at)
{
    auto const next = at.plan.next_wakeup();
    if (!next)
        return;
    // What is busy now will not have been idle for too long before that: so no release has to look at the alarm.
    auto const when = std::min(*next, saturating_add(timers_->now(), at.plan.idle_limit()));
    if (!at.plan_alarm.armed() || when < at.plan_alarm.due())
        timers_->arm(at.plan_alarm, when);
}

// Lets origins have, and give up, connections until everybody has what it is due.
void pool::share_out()
{
    auto const now = timers_->now();
    for (;;) {
        sharers_.clear();
        standings_.clear();
        for (auto const& [key, at] : sites_) {
            sharers_.push_back(at.get());
            standings_.push_back(at->plan.standing());
        }
        auto const step = share_.next(standings_);
        if (step.what == origin_share::step::kind::nothing)
            return;
        site& at = *sharers_[step.whom];
        bool const granted = step.what == origin_share::step::kind::grant;
        obey(at, granted ? at.plan.on_granted(now) : at.plan.on_squeeze(now));
        set_alarm(at);
    }
}

void pool::end_warming(site& at, std::optional<failure> const& why)
{
    for (auto* w : std::exchange(at.warmers, {})) {
        w->over = true;
        w->why = why;
        at.queue.wake(w->spot);
    }
}

bool pool::done() const noexcept
{
    return shutting_down_
           && std::all_of(sites_.begin(), sites_.end(), [](auto const& s) { return s.second->plan.done(); });
}

}  // namespace jeton::http
