// SPDX-License-Identifier: BSL-1.0

// What it costs to be given a token that is there already.

#include <jeton/oauth2/sources.hpp>
#include <jeton/testing/fake_token_source.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <benchmark/benchmark.h>

#include <memory>

namespace {

using namespace jeton;

asio::awaitable<void> read_tokens(oauth2::token_source& source, benchmark::State& state)
{
    (co_await source.get({})).value();
    for (auto _ : state) {
        auto const token = co_await source.get({});
        benchmark::DoNotOptimize(token.has_value());
    }
}

void co_await_cached_token(benchmark::State& state)
{
    asio::io_context io(1);
    auto const time = machine_clock();
    auto const upstream = std::make_shared<testing::fake_token_source>(serial(io));
    upstream->will_give(
        std::make_shared<oauth2::token const>(secret(std::string(800, 't')), time->both(), std::chrono::hours(1)));
    auto const cache = oauth2::with_cache(upstream, serial(io), time);
    asio::co_spawn(io, read_tokens(*cache, state), asio::detached);
    io.run();
}
BENCHMARK(co_await_cached_token);

}  // namespace

BENCHMARK_MAIN();
