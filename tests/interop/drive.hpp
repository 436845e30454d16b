// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/jeton.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace jeton::testing {

/// What to print beside a check that failed. Boost.Test wants the words before it knows.
inline std::string explain(std::optional<failure> const& why)
{
    return why ? why->to_string() : std::string("no failure");
}

template <class T>
std::string explain(result<T> const& outcome)
{
    return outcome ? std::string("no failure") : outcome.error().to_string();
}

/// Runs a coroutine, and whatever it starts, to its end.
inline void drive(asio::io_context& io, asio::awaitable<void> what)
{
    bool done = false;
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(what), [&](std::exception_ptr e) {
        thrown = e;
        done = true;
    });
    io.restart();
    io.run_for(std::chrono::seconds(120));
    if (thrown)
        std::rethrow_exception(thrown);
    BOOST_REQUIRE_MESSAGE(done, "not finished after two minutes");
    BOOST_TEST(io.stopped(), "something still runs after shut_down()");
}

/// Real time, for what a real server does in it.
inline asio::awaitable<void> wait_for(std::chrono::steady_clock::duration how_long)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, how_long);
    co_await timer.async_wait(asio::use_awaitable);
}

/// Runs `one(i)` for every i below `number`, at most `in_flight` at a time, and waits for the last one.
inline asio::awaitable<void> for_all(int number, int in_flight, std::function<asio::awaitable<void>(int)> one)
{
    struct board {
        std::function<asio::awaitable<void>(int)> one;
        int number;
        int next = 0;
        int running = 0;
        std::exception_ptr thrown{};
        asio::steady_timer finished;
    };
    auto const executor = co_await asio::this_coro::executor;
    auto const all = std::make_shared<board>(std::move(one), number, 0, 0, nullptr,
                                             asio::steady_timer(executor, asio::steady_timer::time_point::max()));
    static constexpr auto worker = [](std::shared_ptr<board> on) -> asio::awaitable<void> {
        while (on->next < on->number)
            co_await on->one(on->next++);
    };
    for (all->running = 0; all->running < std::min(number, in_flight); ++all->running)
        asio::co_spawn(executor, worker(all), [all](std::exception_ptr e) {
            if (e)
                all->thrown = e;
            if (--all->running == 0)
                all->finished.cancel();
        });
    while (all->running > 0) {
        try {
            co_await all->finished.async_wait(asio::use_awaitable);
        } catch (std::system_error const&) {  // how a cancelled timer says it
        }
    }
    if (all->thrown)
        std::rethrow_exception(all->thrown);
}

}  // namespace jeton::testing
