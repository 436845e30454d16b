// SPDX-License-Identifier: BSL-1.0
#include "http/pool.hpp"

#include "base/cancellation.hpp"
#include "base/duration_text.hpp"
#include "http/sansio/h1_request_writer.hpp"

#include <jeton/http/error.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

namespace jeton::http {

namespace {

// How many origins are found by their address alone. A client has one or two; tenants may have more.
constexpr std::size_t short_cuts = 16;

// An unused connection gives its buffers back after that, so that a busy one does not do so after every request.
constexpr duration buffers_kept = std::chrono::seconds(1);

failure abandoned(phase where)
{
    return {jeton::errc::cancelled, where, delivery::not_sent, "the client was destroyed"};
}

}  // namespace

// What belongs to one origin.
class pool::site {
public:
    // A place for a connection, under one id of the plan.
    struct place final : http::connection::keeper {
        place(pool& p, site& s, pool_plan::connection_id i) : owner(p), at(s), id(i) {}
        void on_spent(http::connection&) override { owner.on_spent(at, id); }

        pool& owner;
        site& at;
        pool_plan::connection_id id;
        std::shared_ptr<http::connection> connection{};
        net::connection times{};  // its stream has moved on
        bool being_dialled = false;
        bool starved = false;  // there was no memory to dial
        asio::cancellation_signal stop_dialling{};
    };

    class alarm_of final : public timer {
    public:
        alarm_of(pool& p, site& s, void (pool::*ring)(site&)) : pool_(p), site_(s), ring_(ring) {}
        void on_due() override
        {
            auto keep = pool_.shared_from_this();
            auto const home = pool_.home_.executor();
            (pool_.*ring_)(site_);
            // An observer may have let go of the client: the wheel that calls us must not go with it.
            if (keep.use_count() == 1)
                asio::post(home, [last = std::move(keep)] {});
        }

    private:
        pool& pool_;
        site& site_;
        void (pool::*ring_)(site&);
    };

    site(pool& p, std::shared_ptr<origin const> to)
        : where(std::move(to)),
          name(where->to_string()),
          head(h1_origin_head(*where, p.options_.user_agent)),
          plan(p.options_.limits),
          idle_alarm(p, *this, &pool::on_time),
          tidy_alarm(p, *this, &pool::tidy)
    {}

    std::shared_ptr<origin const> where;
    std::string name;
    std::string head;
    pool_plan plan;
    std::vector<std::unique_ptr<place>> places{};
    std::vector<waiter*> waiters{};
    parking queue{};
    std::optional<failure> last_failure{};
    failure const no_memory{std::make_error_code(std::errc::not_enough_memory), phase::connect, delivery::not_sent,
                            "there is no memory for a connection"};
    bool starved = false;  // some place is
    std::uint64_t connections_made = 0;
    std::uint64_t requests = 0;
    alarm_of idle_alarm;
    alarm_of tidy_alarm;
};

pool::pool(serial home, std::shared_ptr<timekeeper> timers, std::shared_ptr<net::connector> connector,
           std::shared_ptr<observer> watcher, pool_options options)
    : home_(std::move(home)),
      timers_(std::move(timers)),
      connector_(std::move(connector)),
      watcher_(std::move(watcher)),
      options_(std::move(options))
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
    pool_key key{to};
    if (auto const known = sites_.find(key); known != sites_.end())
        return *known->second;
    auto made = std::make_unique<site>(*this, std::make_shared<origin const>(to));
    return *sites_.emplace(std::move(key), std::move(made)).first->second;
}

std::string const& pool::head_of(site const& at) noexcept { return at.head; }

std::string const& pool::name_of(site const& at) noexcept { return at.name; }

std::shared_ptr<origin const> const& pool::origin_of(site const& at) noexcept { return at.where; }

net::connection const& pool::times_of(lease const& l) noexcept { return l.at->places[l.id]->times; }

std::optional<result<pool::lease>> pool::take(site& at, waiter& me, time_point now,
                                              std::optional<time_point> dialled_after, bool first)
{
    using kind = pool_plan::placing::kind;
    if (shutting_down_)
        return failure(abandoned_ ? jeton::errc::cancelled : jeton::errc::shut_down, phase::queue, delivery::not_sent,
                       "the client has been shut down");
    ++at.requests;
    // Who stands in the plan's queue must be found here, so the memory comes first. The plan uses ids again.
    if (at.waiters.size() <= at.plan.waiting())
        at.waiters.resize(at.plan.waiting() + 1);
    make_places(at);
    for (;;) {
        auto const placed = at.plan.on_demand(now, dialled_after, first);
        switch (placed.what) {
        case kind::use: {
            auto& c = *at.places[placed.id]->connection;
            if (c.fit())
                return lease{&at, placed.id, &c, false};
            obey(at, at.plan.on_released(placed.id, now, false), nullptr);
            after_change(at);
            break;
        }
        case kind::wait:
            me.at = &at;
            me.id = placed.id;
            at.waiters[me.id] = &me;
            obey(at, at.plan.todo(), "made room");
            after_change(at);
            return {};
        case kind::full:
            return failure(errc::queue_full, phase::queue, delivery::not_sent,
                           std::to_string(at.plan.waiting()) + " requests wait for a connection to " + at.name
                               + " already");
        case kind::closed:
            return failure(jeton::errc::shut_down, phase::queue, delivery::not_sent, "the client has been shut down");
        }
    }
}

awaitable<result<pool::lease>> pool::wait(site& at, waiter& me, time_point since, time_point deadline)
{
    auto limit = std::min(deadline, saturating_add(since, options_.queue));
    for (;;) {
        auto why = woken::signalled;
        if (!me.got && !me.refused)
            why = co_await at.queue.wait(me.spot, timers_.get(), limit);
        auto const state = co_await asio::this_coro::cancellation_state;
        if (cancelled(state))
            why = woken::cancelled;
        auto const now = timers_->now();
        bool const late = now >= deadline;
        if (me.got) {
            auto const got = *std::exchange(me.got, {});
            if (why != woken::cancelled && !late && !abandoned_)
                co_return got;
            // It was handed over in the very moment in which nobody wanted it any more.
            give_back(got, now);
            if (abandoned_)
                co_return abandoned(phase::queue);
        } else if (me.refused) {
            co_return *me.refused;
        } else if (why == woken::timed_out && !late && at.plan.waiting() <= at.plan.dialling()) {
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
            co_return failure(jeton::errc::cancelled, phase::queue, delivery::not_sent,
                              "cancelled while waiting for a connection to " + at.name);
        co_return timed_out(at, now - since, late);
    }
}

void pool::give_back(lease const& l, time_point now)
{
    site& at = *l.at;
    auto& c = *l.connection;
    // Whoever waits takes it without looking at it again.
    bool const keep = c.spent() == nullptr && (at.plan.waiting() == 0 || c.fit());
    obey(at, at.plan.on_released(l.id, now, keep), shutting_down_ ? "shut down" : "made room");
    if (!at.tidy_alarm.armed() && !shutting_down_)
        timers_->arm(at.tidy_alarm, saturating_add(now, buffers_kept));
    after_change(at);
}

void pool::recover(waiter& me, lease const& l) noexcept
{
    auto const now = timers_->now();
    if (me.at != nullptr && me.at->waiters[me.id] == &me) {
        me.at->waiters[me.id] = nullptr;
        me.at->plan.on_gave_up(me.id);
        after_change(*me.at);
    }
    if (me.got)
        give_back(*std::exchange(me.got, {}), now);
    if (l.connection != nullptr) {
        l.connection->break_off();
        give_back(l, now);
    }
}

awaitable<void> pool::shut_down()
{
    shutting_down_ = true;
    for (auto const& [key, at] : sites_) {
        obey(*at, at->plan.on_shut_down(), "shut down");
        at->tidy_alarm.disarm();
        at->idle_alarm.disarm();
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
    for (auto const& [key, at] : sites_) {
        for (auto*& w : at->waiters) {
            if (w == nullptr)
                continue;
            auto& waiting = *std::exchange(w, nullptr);
            at->plan.on_gave_up(waiting.id);
            waiting.refused = abandoned(phase::queue);
            at->queue.wake(waiting.spot);
        }
        obey(*at, at->plan.on_shut_down(), "shut down");
        at->tidy_alarm.disarm();
        at->idle_alarm.disarm();
        for (auto const& p : at->places)
            if (p->connection)
                p->connection->abort(abandoned(phase::none));
    }
    for (auto const& [key, at] : sites_)
        after_change(*at);
}

std::vector<pool_snapshot> pool::snapshot() const
{
    std::vector<pool_snapshot> all;
    all.reserve(sites_.size());
    for (auto const& [key, at] : sites_)
        all.push_back({.origin = at->name,
                       .idle = at->plan.idle(),
                       .busy = at->plan.busy(),
                       .dialling = at->plan.dialling(),
                       .waiting = at->plan.waiting(),
                       .connections_made = at->connections_made,
                       .requests = at->requests});
    return all;
}

void pool::on_spent(site& at, pool_plan::connection_id c)
{
    auto const keep = shared_from_this();
    obey(at, at.plan.on_died(c), "made room");
    after_change(at);
}

// Does what the plan says. `reason` is why it closes connections that could have lived on.
void pool::obey(site& at, pool_plan::actions what, char const* reason)
{
    using kind = pool_plan::action::kind;
    for (auto const& a : what) {
        switch (a.what) {
        case kind::hand: {
            auto& w = *std::exchange(at.waiters[a.waiter], nullptr);
            w.got = lease{&at, a.connection, at.places[a.connection]->connection.get(), true};
            at.queue.wake(w.spot);
            break;
        }
        case kind::refuse: {
            auto& w = *std::exchange(at.waiters[a.waiter], nullptr);
            w.refused = at.last_failure;
            at.queue.wake(w.spot);
            break;
        }
        case kind::close: let_go(at, a.connection, reason); break;
        case kind::dial: start_dial(at, a.connection); break;
        }
    }
}

void pool::let_go(site& at, pool_plan::connection_id c, char const* reason)
{
    auto const gone = std::exchange(at.places[c]->connection, nullptr);
    char const* const own = gone->spent();
    try {
        if (watcher_)
            events_.push_back(happenings::disconnected{at.name, own != nullptr ? own : reason, gone->requests()});
    } catch (std::bad_alloc const&) {
        // Then it is not told.
    }
    gone->close();
}

// For every connection that those who wait, and one more, may come to need.
void pool::make_places(site& at)
{
    auto const& plan = at.plan;
    auto const wanted = plan.waiting() + 1 > plan.dialling() ? plan.waiting() + 1 - plan.dialling() : 0;
    auto const most = std::min(options_.limits.connections, plan.idle() + plan.busy() + plan.dialling() + wanted);
    while (at.places.size() < most)
        at.places.push_back(
            std::make_unique<site::place>(*this, at, static_cast<pool_plan::connection_id>(at.places.size())));
}

void pool::start_dial(site& at, pool_plan::connection_id c)
{
    auto& p = *at.places[c];
    p.being_dialled = true;
    try {
        asio::co_spawn(home_.executor(), dial(shared_from_this(), &at, c),
                       asio::bind_cancellation_slot(p.stop_dialling.slot(), asio::detached));
    } catch (std::bad_alloc const&) {
        // The plan must not hear of it while its actions are being carried out.
        p.being_dialled = false;
        p.starved = at.starved = true;
    }
}

awaitable<void> pool::dial(std::shared_ptr<pool> self, site* at, pool_plan::connection_id c)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    auto begun = self->timers_->now();
    auto const& where = *at->where;
    result<net::connection> made = at->no_memory;
    std::shared_ptr<h1_connection> fresh;
    try {
        // Never in the middle of what made it necessary.
        auto const executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, asio::use_awaitable);
        begun = self->timers_->now();
        auto const state = co_await asio::this_coro::cancellation_state;
        if (cancelled(state))
            made = abandoned(phase::connect);
        else
            made = co_await connect(self->connector_, net::destination(where.host, where.port, where.secure));
        if (made)
            fresh = std::make_shared<h1_connection>(std::move(made->stream), *self->timers_, self->options_.answers);
        auto const now = self->timers_->now();
        if (self->watcher_ && made)
            self->events_.push_back(happenings::connected{at->name, "http/1.1", now - begun});
        else if (self->watcher_ && made.error().code() != cond::cancelled)
            self->events_.push_back(happenings::connect_failed{at->name, made.error()});
    } catch (std::bad_alloc const&) {
        if (fresh == nullptr)
            made = at->no_memory;
    }
    auto const now = self->timers_->now();
    auto& p = *at->places[c];
    p.being_dialled = false;
    if (!made) {
        at->last_failure = made.error();
        self->obey(*at, at->plan.on_dial_failed(c), "made room");
    } else {
        auto const fresh = make_connection(std::move(made->stream), *self->timers_, self->options_.answers);
        fresh->keep(&p);
        p.connection = fresh;
        p.times = std::move(*made);
        ++at->connections_made;
        if (self->watcher_)
            self->events_.push_back(happenings::connected{at->name, std::string(fresh->protocol()), now - begun});
        self->obey(*at, at->plan.on_dialled(c, now, fresh->capacity()),
                   self->shutting_down_ ? "shut down" : "made room");
        fresh->start(self->home_.executor());
    }
    self->after_change(*at);
}

awaitable<result<net::connection>> pool::connect(std::shared_ptr<net::connector> by, net::destination to)
{
    // Users write connectors, too; one that throws must not strand those who wait.
    std::string what;
    try {
        auto made = co_await by->connect(std::move(to));
        if (!made || made->stream)
            co_return made;
        what = "the connector gave no stream";
    } catch (std::bad_alloc const&) {
        throw;
    } catch (std::exception const& e) {
        what = e.what();
    } catch (...) {
        what = "not a std::exception";
    }
    co_return failure(jeton::errc::unexpected, phase::connect, delivery::not_sent, "the connector failed: " + what);
}

void pool::on_time(site& at)
{
    obey(at, at.plan.on_time(timers_->now()), "idle");
    after_change(at);
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

bool pool::done() const noexcept
{
    return shutting_down_
           && std::all_of(sites_.begin(), sites_.end(), [](auto const& s) { return s.second->plan.done(); });
}

// What has to be looked after once a fact has been dealt with.
void pool::after_change(site& at)
{
    while (std::exchange(at.starved, false))
        for (auto const& p : at.places)
            if (std::exchange(p->starved, false)) {
                at.last_failure = at.no_memory;
                obey(at, at.plan.on_dial_failed(p->id), "made room");
            }
    if (!shutting_down_) {
        if (!at.idle_alarm.armed())
            if (auto const next = at.plan.next_wakeup())
                timers_->arm(at.idle_alarm, *next);
    } else {
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

void pool::tell()
{
    // An observer may call back into the client, or drop it.
    auto const keep = shared_from_this();
    for (auto const& what : std::exchange(events_, {})) {
        try {
            watcher_->on(what);
        } catch (...) {
        }
    }
}

failure pool::timed_out(site const& at, duration waited, bool deadline) const
{
    auto const& plan = at.plan;
    std::string ours = deadline ? "the deadline passed after waiting " : "waited ";
    ours += duration_text(waited) + " for a connection to " + at.name + ": " + std::to_string(plan.busy()) + " busy, "
            + std::to_string(plan.idle()) + " idle, " + std::to_string(plan.dialling()) + " being made, "
            + std::to_string(plan.waiting()) + " others waiting";
    if (at.last_failure)
        ours += "; the last attempt to connect failed: " + at.last_failure->to_string();
    return {jeton::errc::timed_out, phase::queue, delivery::not_sent, std::move(ours)};
}

}  // namespace jeton::http
