// SPDX-License-Identifier: BSL-1.0
#include "base/cancellation.hpp"
#include "base/ended.hpp"
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
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace jeton::http {

// How the pool gets its connections.

// For every connection that those who wait, and one more, may come to need.
void pool::make_places_for_one_more(site& at)
{
    auto const& plan = at.plan;
    auto const wanted = plan.waiting() + 1 > plan.dialling() ? plan.waiting() + 1 - plan.dialling() : 0;
    // A successor may be one more than there may be (pool_plan).
    auto const most = std::min(options_.limits.connections + 1, plan.idle() + plan.busy() + plan.dialling() + wanted);
    make_places(at, most);
}

void pool::make_places(site& at, std::size_t how_many)
{
    while (at.places.size() < how_many)
        at.places.push_back(
            std::make_unique<site::place>(*this, at, static_cast<pool_plan::connection_id>(at.places.size())));
}

void pool::start_dial(site& at, pool_plan::connection_id c, bool many)
{
    make_places(at, c + 1);
    auto& p = *at.places[c];
    p.being_dialled = true;
    try {
        asio::co_spawn(home_.executor(), dial(shared_from_this(), &at, c, many),
                       asio::bind_cancellation_slot(p.stop_dialling.slot(), asio::detached));
    } catch (std::bad_alloc const&) {
        // The plan must not hear of it while its actions are being carried out.
        p.being_dialled = false;
        p.starved = at.starved = true;
    }
}

void pool::fail_starved(site& at)
{
    while (std::exchange(at.starved, false))
        for (auto const& p : at.places)
            if (std::exchange(p->starved, false)) {
                at.last_failure = at.no_memory;
                ++at.connects_failed;
                obey(at, at.plan.on_dial_failed(p->id, timers_->now()));
            }
}

awaitable<void> pool::dial(std::shared_ptr<pool> self, site* at, pool_plan::connection_id c, bool many)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    auto begun = self->timers_->now();
    auto const& where = *at->where;
    result<net::connection> made = at->no_memory;
    std::shared_ptr<connection> fresh;
    try {
        net::destination to(where.host, where.port, where.secure);
        // All of them otherwise: there is one, or it is for the server to choose.
        if (self->options_.traits->tls.alpn.size() > 1 && !many)
            to.speaking("http/1.1");
        // Never in the middle of what made it necessary.
        auto const executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, asio::use_awaitable);
        begun = self->timers_->now();
        auto const state = co_await asio::this_coro::cancellation_state;
        if (cancelled(state))
            made = was_destroyed(phase::connect);
        else
            made = co_await connect(self->connector_, std::move(to));
        if (made)
            fresh = make_connection(std::move(made->stream), *self->timers_, self->options_.answers,
                                    at->plan.slots_at_first());
        auto const now = self->timers_->now();
        if (self->watcher_ && made)
            self->events_.push_back(
                happenings::connected{at->name, std::string(fresh->protocol()), now - begun, made->resumed});
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
        ++at->connects_failed;
        self->end_warming(*at, made.error());
        self->obey(*at, at->plan.on_dial_failed(c, now));
    } else {
        fresh->keep(&p);
        p.connection = fresh;
        p.times = std::move(*made);
        ++at->connections_made;
        self->obey(*at, at->plan.on_dialled(c, now, fresh->capacity(), fresh->capacity_known()));
        fresh->start(self->home_.executor());
        at->plan_alarm.disarm();
        // The handshake left buffers, and nobody may use the connection for a while.
        self->tidy_later(*at, now);
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

awaitable<result<void>> pool::warm(site& at, std::size_t requests, time_point deadline)
{
    warmer me;
    auto const since = timers_->now();
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
