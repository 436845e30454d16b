// SPDX-License-Identifier: BSL-1.0

// So many coroutines want the one token, which is still being fetched. What does each of them cost, beyond a coroutine
// that waits for nothing in particular? One thread; CPU from the first spawn to the last end, heap while all wait. A million
// take 2.5 GB.

#include "micro/measuring.hpp"

#include <jeton/oauth2/sources.hpp>
#include <jeton/testing/fake_token_source.hpp>

#include <asio/async_result.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <malloc.h>

namespace {

using namespace jeton;

struct cost {
    double seconds = 0;
    double bytes = 0;
};

// What malloc has given out, its own headers included.
double bytes_held()
{
    auto const heap = ::mallinfo2();
    return static_cast<double>(heap.uordblks + heap.hblkhd);
}

// The least that a coroutine can wait for: a handler is kept, and called.
class bare_place {
public:
    explicit bare_place(std::size_t room) { waiting_.reserve(room); }

    asio::awaitable<void> wait()
    {
        auto keep = [this](auto handler) { waiting_.push_back(std::move(handler)); };
        return asio::async_initiate<asio::use_awaitable_t<> const, void()>(std::move(keep), asio::use_awaitable);
    }
    void wake_all()
    {
        for (auto& one : waiting_)
            std::move(one)();
        waiting_.clear();
    }
    std::size_t waiting() const { return waiting_.size(); }

private:
    std::vector<asio::async_result<asio::use_awaitable_t<>, void()>::handler_type> waiting_{};
};

asio::awaitable<void> wait_bare(bare_place& at, std::size_t& woken)
{
    co_await at.wait();
    ++woken;
}

asio::awaitable<void> wait_for_token(oauth2::token_source& from, std::size_t& given)
{
    auto const token = co_await from.get({});
    given += token.has_value();
}

cost bare(std::size_t crowd, bool& as_expected)
{
    asio::io_context io(1);
    std::size_t woken = 0;
    auto const held = bytes_held();
    auto const begun = bench::cpu_seconds();
    bare_place place(crowd);
    for (std::size_t i = 0; i != crowd; ++i)
        asio::co_spawn(io, wait_bare(place, woken), asio::detached);
    io.poll();
    auto const spawned = bench::cpu_seconds();
    cost c;
    c.bytes = bytes_held() - held;
    as_expected = place.waiting() == crowd;
    auto const woke = bench::cpu_seconds();
    place.wake_all();
    c.seconds = bench::cpu_seconds() - woke + spawned - begun;
    as_expected = as_expected && woken == crowd;
    return c;
}

cost for_token(std::size_t crowd, std::size_t& token_requests, bool& as_expected)
{
    asio::io_context io(1);
    auto const time = machine_clock();
    auto const upstream = std::make_shared<testing::fake_token_source>(serial(io));
    upstream->will_give(testing::fake_token_source::token(std::string(800, 't'), time->both(), std::chrono::hours(1)));
    upstream->hold();
    oauth2::refresh_policy policy;
    policy.flight_limit = std::chrono::minutes(5);
    auto const cache = oauth2::with_cache(upstream, serial(io), time, policy);
    std::size_t given = 0;
    auto const held = bytes_held();
    auto const begun = bench::cpu_seconds();
    for (std::size_t i = 0; i != crowd; ++i)
        asio::co_spawn(io, wait_for_token(*cache, given), asio::detached);
    io.poll();
    auto const spawned = bench::cpu_seconds();
    cost c;
    c.bytes = bytes_held() - held;
    as_expected = cache->snapshot().waiters == crowd && given == 0;
    auto const woke = bench::cpu_seconds();
    upstream->release();
    io.run();
    c.seconds = bench::cpu_seconds() - woke + spawned - begun;
    as_expected = as_expected && given == crowd;
    token_requests = upstream->calls();
    return c;
}

// The time told is that of each.
void stampede(benchmark::State& state)
{
    auto const crowd = static_cast<std::size_t>(state.range(0));
    auto const each = [&](double all) { return all / static_cast<double>(crowd); };
    for (auto _ : state) {
        bool as_expected = false;
        bool as_expected_too = false;
        std::size_t token_requests = 0;
        // Both start with as little heap as there can be.
        ::malloc_trim(0);
        auto const below = bare(crowd, as_expected);
        ::malloc_trim(0);
        auto const above = for_token(crowd, token_requests, as_expected_too);
        if (!as_expected || !as_expected_too || token_requests != 1)
            throw std::runtime_error("not everybody waited, or was given the token, or it was not one request");
        state.SetIterationTime(each(above.seconds));
        state.counters["token_requests"] = static_cast<double>(token_requests);
        state.counters["bare_bytes"] = each(below.bytes);
        state.counters["bytes"] = each(above.bytes);
        state.counters["bytes_beyond"] = each(above.bytes - below.bytes);
        state.counters["bare_ns"] = each(below.seconds * 1e9);
        state.counters["ns_beyond"] = each((above.seconds - below.seconds) * 1e9);
    }
}
BENCHMARK(stampede)->ArgName("waiters")->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Iterations(1)->UseManualTime();

}  // namespace
