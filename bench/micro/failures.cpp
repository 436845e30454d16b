// SPDX-License-Identifier: BSL-1.0

// What it costs that something fails.

#include "micro/measuring.hpp"

#include <jeton/base/condition.hpp>
#include <jeton/client/authorized.hpp>
#include <jeton/http/client.hpp>
#include <jeton/http/retry.hpp>
#include <jeton/net/connector.hpp>
#include <jeton/net/error.hpp>
#include <jeton/testing/fake_token_source.hpp>
#include <jeton/testing/fake_transport.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace jeton;

failure refused()
{
    return {net::errc::refused, phase::connect, delivery::not_sent, "connecting to api.example: nobody listens there"};
}

void failure_made(benchmark::State& state)
{
    auto const once = [] { benchmark::DoNotOptimize(refused()); };
    for (auto _ : state)
        once();
    bench::report_allocations(state, once);
}

// As layers do with it that know more: each makes another of it, which shares the words.
[[gnu::noinline]] result<std::string> first(failure const& why) { return why; }
[[gnu::noinline]] result<int> second(failure const& why)
{
    auto const got = first(why);
    return got ? result<int>(1) : result<int>(got.error().with(phase::token));
}
[[gnu::noinline]] result<void> third(failure const& why)
{
    auto const got = second(why);
    return got ? result<void>() : result<void>(got.error().with(delivery::answered));
}

void failure_through_three_results(benchmark::State& state)
{
    auto const why = refused();
    auto const once = [&] { benchmark::DoNotOptimize(third(why).has_value()); };
    for (auto _ : state)
        once();
    bench::report_allocations(state, once);
}

void failure_compared(benchmark::State& state)
{
    auto const why = refused();
    for (auto _ : state)
        benchmark::DoNotOptimize(why.code() == cond::transient);
}

void failure_to_string(benchmark::State& state)
{
    auto const why = refused();
    auto const once = [&] { benchmark::DoNotOptimize(why.to_string()); };
    for (auto _ : state)
        once();
    bench::report_allocations(state, once);
}

void failure_thrown(benchmark::State& state)
{
    auto const why = refused();
    auto const once = [&] {
        try {
            result<int>(why).value();
        } catch (error const& e) {
            benchmark::DoNotOptimize(&e);
        }
    };
    for (auto _ : state)
        once();
    bench::report_allocations(state, once);
}

asio::awaitable<void> send_often(http::transport& over, http::request what, bool fails, benchmark::State& state)
{
    for (auto _ : state) {
        auto const answer = co_await over.send(what);
        if (answer.has_value() == fails)
            throw std::runtime_error("not the outcome that was scripted");
    }
    constexpr int turns = 100;
    bench::count_allocations(true);
    auto const before = bench::allocations().all;
    for (int i = 0; i != turns; ++i) {
        auto const answer = co_await over.send(what);
        benchmark::DoNotOptimize(answer.has_value());
    }
    state.counters["allocations"] = static_cast<double>(bench::allocations().all - before) / turns;
    bench::count_allocations(false);
}

// Through retries and authorization, over a transport that answers or fails at once: beside each other, since the fake
// writes down each request.
void request_over_fake(benchmark::State& state, bool fails)
{
    asio::io_context io(1);
    auto const time = machine_clock();
    auto const tokens = std::make_shared<testing::fake_token_source>(serial(io));
    auto const token = testing::fake_token_source::token(std::string(800, 't'), time->both(), std::chrono::hours(1));
    tokens->otherwise([&](oauth2::token_demand const&) { return token; });
    auto const under = std::make_shared<testing::fake_transport>(serial(io));
    under->otherwise([&](auto const&) -> result<http::response> {
        if (fails)
            return refused();
        return testing::fake_transport::answer(200);
    });
    auto const origin = http::url::parse("https://api.example/").value().origin();
    http::retry_policy once;
    once.attempts = 1;
    auto const stack = http::with_retries(authorized(under, tokens, {origin}, time), serial(io), time, once);
    asio::co_spawn(io, send_often(*stack, http::request::get("https://api.example/x"), fails, state), asio::detached);
    io.run();
}

class nobody_listens final : public net::connector {
public:
    net::awaitable<result<net::connection>> connect(net::destination) override { co_return refused(); }
};

// The last attempt to connect has failed, and the next one is not due: the pool answers from memory.
void request_origin_down(benchmark::State& state)
{
    asio::io_context io(1);
    http::client_options options;
    options.connector = std::make_shared<nobody_listens>();
    options.dialling.first_pause = options.dialling.longest_pause = std::chrono::hours(1);
    http::client over(serial(io), options);
    asio::co_spawn(io, send_often(over, http::request::get("https://api.example/x"), true, state), asio::detached);
    io.run();
}

BENCHMARK(failure_made);
BENCHMARK(failure_through_three_results);
BENCHMARK(failure_compared);
BENCHMARK(failure_to_string);
BENCHMARK(failure_thrown);
BENCHMARK_CAPTURE(request_over_fake, answered, false);
BENCHMARK_CAPTURE(request_over_fake, refused, true);
BENCHMARK(request_origin_down);

}  // namespace
