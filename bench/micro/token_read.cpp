// SPDX-License-Identifier: BSL-1.0

// What it costs to be given a token that is there already: ns of CPU for each read, on each of so many threads that do
// nothing else. Each thread reads its own front of the one token, as the shards of a client on io_threads do.

#include "micro/measuring.hpp"
#include "oauth2/cached_source.hpp"

#include <jeton/base/io_threads.hpp>
#include <jeton/oauth2/sources.hpp>
#include <jeton/testing/fake_token_source.hpp>

#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_future.hpp>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace jeton;

using front = std::shared_ptr<oauth2::token_front>;
using seconds_of_cpu = double;

// The first read is not measured: it asks the core for the token.
asio::awaitable<seconds_of_cpu> co_await_get(front from, benchmark::IterationCount reads)
{
    (co_await from->get({})).value();
    auto const begun = bench::cpu_seconds();
    for (auto i = reads; i != 0; --i) {
        auto const token = co_await from->get({});
        benchmark::DoNotOptimize(token.has_value());
    }
    co_return bench::cpu_seconds() - begun;
}

// What a request does that knows the time.
asio::awaitable<seconds_of_cpu> check(front from, benchmark::IterationCount reads)
{
    (co_await from->get({})).value();
    auto const begun = bench::cpu_seconds();
    auto const now = machine_clock()->now();
    for (auto i = reads; i != 0; --i)
        benchmark::DoNotOptimize(from->at_hand(now));
    co_return bench::cpu_seconds() - begun;
}

asio::awaitable<seconds_of_cpu> check_and_read_time(front from, benchmark::IterationCount reads)
{
    (co_await from->get({})).value();
    auto const time = machine_clock();
    auto const begun = bench::cpu_seconds();
    for (auto i = reads; i != 0; --i)
        benchmark::DoNotOptimize(from->at_hand(time->recent()));
    co_return bench::cpu_seconds() - begun;
}

using reader = asio::awaitable<seconds_of_cpu> (*)(front, benchmark::IterationCount);

void token_read(benchmark::State& state, reader read)
{
    auto const time = machine_clock();
    io_threads threads(static_cast<std::size_t>(state.range(0)));
    auto const upstream = std::make_shared<testing::fake_token_source>(threads.home(0));
    upstream->will_give(testing::fake_token_source::token(std::string(800, 't'), time->both(), std::chrono::hours(1)));
    auto const cache = std::make_shared<oauth2::cached_source>(std::make_shared<oauth2::token_core>(
        upstream, threads.home(0), time, oauth2::refresh_policy{}, nullptr, nullptr));
    std::vector<front> fronts;
    for (std::size_t i = 0; i != threads.size(); ++i)
        fronts.push_back(cache->front_on(threads.executor(i)));

    constexpr benchmark::IterationCount batch = 200'000;
    while (state.KeepRunningBatch(batch)) {
        std::vector<std::future<seconds_of_cpu>> took;
        for (std::size_t i = 0; i != threads.size(); ++i)
            took.push_back(asio::co_spawn(threads.executor(i), read(fronts[i], batch), asio::use_future));
        seconds_of_cpu all = 0;
        for (auto& one : took)
            all += one.get();
        state.SetIterationTime(all / static_cast<double>(threads.size()));
    }
    for (std::size_t i = 0; i != threads.size(); ++i)
        threads.execute(i, [at = fronts[i]] { at->forget(); });
}

void on_1_2_4_threads(benchmark::internal::Benchmark* b)
{
    b->ArgName("threads")->Arg(1)->Arg(2)->Arg(4)->UseManualTime();
}

void token_get(benchmark::State& state) { token_read(state, co_await_get); }
void token_check(benchmark::State& state) { token_read(state, check_and_read_time); }
void token_check_time_read(benchmark::State& state) { token_read(state, check); }

BENCHMARK(token_get)->Apply(on_1_2_4_threads);
BENCHMARK(token_check)->Apply(on_1_2_4_threads);
BENCHMARK(token_check_time_read)->Apply(on_1_2_4_threads);

}  // namespace
