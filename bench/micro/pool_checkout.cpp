// SPDX-License-Identifier: BSL-1.0

// A connection is taken from the pool and given back. The streams are in memory: what a look at a real one costs, a
// system call, is not part of it.

#include "http/pool.hpp"
#include "http/pool_key.hpp"
#include "http/sansio/pool_plan.hpp"
#include "micro/measuring.hpp"

#include <jeton/http/url.hpp>
#include <jeton/testing/memory_stream.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace jeton;
using namespace std::chrono_literals;

class ready_streams final : public net::connector {
public:
    explicit ready_streams(asio::any_io_executor on) : on_(std::move(on)) {}

    net::awaitable<result<net::connection>> connect(net::destination) override
    {
        auto ends = testing::memory_stream::make_pair(on_);
        peers_.push_back(std::move(ends.second));
        net::connection made;
        made.stream = std::move(ends.first);
        co_return made;
    }

private:
    asio::any_io_executor on_;
    std::vector<std::unique_ptr<testing::memory_stream>> peers_{};
};

// A pool with so many idle connections to each of so many origins.
class pool_scene {
public:
    pool_scene(std::size_t number, std::size_t connections)
    {
        http::pool_options options;
        options.connections = number * connections;
        options.limits.connections = connections;
        options.limits.idle = 1h;
        options.traits = std::make_shared<http::connection_traits const>();
        options.queue = 10s;
        pool = std::make_shared<http::pool>(serial(io), timers, std::make_shared<ready_streams>(io.get_executor()),
                                            nullptr, options);
        for (std::size_t i = 0; i != number; ++i) {
            auto const url = http::url::parse("https://host" + std::to_string(i) + ".example/");
            origins.push_back(std::make_shared<http::origin const>(url.value().origin()));
            asio::co_spawn(io, warm(pool, origins.back(), connections, now + 1h), asio::detached);
        }
        io.poll();
        if (pool->snapshot().size() != number || pool->snapshot().front().idle != connections)
            throw std::runtime_error("not what was to be made");
    }
    ~pool_scene()
    {
        pool->abandon();
        pool.reset();
        io.restart();
        io.poll();
    }

    void take(http::pool::waiter& me, std::shared_ptr<http::origin const> const& from)
    {
        pool->take(pool->site_of(from), me, now, now + 1min);
        if (!me.has_lease())
            throw std::runtime_error("a connection that is there was not to be had");
    }
    void give_back(http::pool::waiter& me) { pool->give_back(me, now); }
    void check_out(std::shared_ptr<http::origin const> const& from)
    {
        http::pool::waiter me;
        take(me, from);
        give_back(me);
    }

    asio::io_context io{1};
    std::shared_ptr<timekeeper> timers = std::make_shared<timekeeper>(serial(io), machine_clock());
    time_point const now = timers->now();
    std::shared_ptr<http::pool> pool{};
    std::vector<std::shared_ptr<http::origin const>> origins{};

private:
    static asio::awaitable<void> warm(std::shared_ptr<http::pool> p, std::shared_ptr<http::origin const> to,
                                      std::size_t connections, time_point until)
    {
        auto warmed = p->warm(p->site_of(to), connections, until);
        (co_await std::move(warmed)).value();
    }
};

// One request after the other: it is the same connection each time.
void pool_one_of_idle(benchmark::State& state)
{
    pool_scene scene(1, static_cast<std::size_t>(state.range(0)));
    auto const checkout = [&] { scene.check_out(scene.origins.front()); };
    for (auto _ : state)
        checkout();
    bench::report_allocations(state, checkout);
}

// All are taken, and then given back.
void pool_all_in_turn(benchmark::State& state)
{
    auto const connections = static_cast<std::size_t>(state.range(0));
    pool_scene scene(1, connections);
    std::vector<http::pool::waiter> taken(connections);
    while (state.KeepRunningBatch(state.range(0))) {
        for (auto& one : taken)
            scene.take(one, scene.origins.front());
        for (auto& one : taken)
            scene.give_back(one);
    }
}

// Each request goes to the next origin.
void pool_origins_in_turn(benchmark::State& state)
{
    pool_scene scene(static_cast<std::size_t>(state.range(0)), 1);
    std::size_t which = 0;
    auto const checkout = [&] {
        scene.check_out(scene.origins[which]);
        which = which + 1 == scene.origins.size() ? 0 : which + 1;
    };
    for (auto _ : state)
        checkout();
    bench::report_allocations(state, checkout);
}

// The plan alone, of which the pool is the hands: all are taken, and then given back.
void pool_plan_all_in_turn(benchmark::State& state)
{
    auto const connections = static_cast<std::size_t>(state.range(0));
    constexpr time_point now{24h};
    http::pool_plan::limits limits;
    limits.connections = connections;
    limits.dialling.at_once = connections;
    http::pool_plan plan(limits);
    for (std::size_t i = 0; i != connections; ++i)
        (void)plan.on_demand(now);
    for (std::uint32_t i = 0; i != connections; ++i)
        (void)plan.on_dialled(i, now);
    for (std::uint32_t i = 0; i != connections; ++i)
        (void)plan.on_released(i, now, true);
    if (plan.idle() != connections)
        throw std::runtime_error("not what was to be made");
    std::vector<std::uint32_t> taken(connections);
    while (state.KeepRunningBatch(state.range(0))) {
        for (auto& one : taken)
            one = plan.on_demand(now).id;
        for (auto const one : taken)
            (void)plan.on_released(one, now, true);
    }
}

void with_1_64_1000(benchmark::internal::Benchmark* b) { b->Arg(1)->Arg(64)->Arg(1000); }

BENCHMARK(pool_one_of_idle)->ArgName("connections")->Apply(with_1_64_1000);
BENCHMARK(pool_all_in_turn)->ArgName("connections")->Apply(with_1_64_1000);
BENCHMARK(pool_origins_in_turn)->ArgName("origins")->Apply(with_1_64_1000);
BENCHMARK(pool_plan_all_in_turn)->ArgName("connections")->Apply(with_1_64_1000);

}  // namespace
