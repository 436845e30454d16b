// SPDX-License-Identifier: BSL-1.0
#include "base/cancellation.hpp"
#include "http/pool.hpp"
#include "http/pool_site.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace jeton::http {

// How the pool gets its connections.

void pool::start_dial(site& at, pool_plan::connection_id c)
{
    while (at.places.size() <= c)
        at.places.push_back(
            std::make_unique<site::place>(*this, at, static_cast<pool_plan::connection_id>(at.places.size())));
    auto& p = *at.places[c];
    p.being_dialled = true;
    asio::co_spawn(home_.executor(), dial(shared_from_this(), &at, c),
                   asio::bind_cancellation_slot(p.stop_dialling.slot(), asio::detached));
}

awaitable<void> pool::dial(std::shared_ptr<pool> self, site* at, pool_plan::connection_id c)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    // Never in the middle of what made it necessary.
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);

    auto const begun = self->timers_->now();
    auto const& where = *at->where;
    result<net::connection> made =
        failure(jeton::errc::cancelled, phase::connect, delivery::not_sent, "the client was destroyed");
    auto const state = co_await asio::this_coro::cancellation_state;
    if (!cancelled(state))
        made = co_await connect(self->connector_, net::destination(where.host, where.port, where.secure));
    auto const now = self->timers_->now();
    auto& p = *at->places[c];
    p.being_dialled = false;
    if (!made) {
        at->last_failure = made.error();
        ++at->connects_failed;
        if (self->watcher_ && made.error().code() != cond::cancelled)
            self->events_.push_back(happenings::connect_failed{at->name, made.error()});
        self->end_warming(*at, made.error());
        self->obey(*at, at->plan.on_dial_failed(c, now));
    } else {
        auto const fresh = make_connection(std::move(made->stream), *self->timers_, self->options_.answers);
        fresh->keep(&p);
        p.connection = fresh;
        p.times = std::move(*made);
        ++at->connections_made;
        if (self->watcher_)
            self->events_.push_back(happenings::connected{at->name, std::string(fresh->protocol()), now - begun});
        self->obey(*at, at->plan.on_dialled(c, now, fresh->capacity()));
        fresh->start(self->home_.executor());
        at->plan_alarm.disarm();
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
    } catch (std::exception const& e) {
        what = e.what();
    } catch (...) {
        what = "not a std::exception";
    }
    co_return failure(jeton::errc::unexpected, phase::connect, delivery::not_sent, "the connector failed: " + what);
}

awaitable<result<void>> pool::warm(site& at, std::size_t requests, time_point deadline)
{
    warmer me;
    auto const since = timers_->now();
    if (shutting_down_)
        co_return failure(jeton::errc::shut_down, phase::queue, delivery::not_sent, "the client has been shut down");
    at.warmers.push_back(&me);
    obey(at, at.plan.on_warm(requests, since));
    after_change(at);
    auto why = woken::signalled;
    while (!me.over && why == woken::signalled)
        why = co_await at.queue.wait(me.spot, timers_.get(), deadline);
    if (me.over) {
        if (me.why)
            co_return *me.why;
        co_return result<void>();
    }
    at.warmers.erase(std::find(at.warmers.begin(), at.warmers.end(), &me));
    if (why == woken::cancelled)
        co_return failure(jeton::errc::cancelled, phase::queue, delivery::not_sent,
                          "cancelled while waiting for connections to " + at.name);
    co_return timed_out(at, timers_->now() - since, true);
}

}  // namespace jeton::http
