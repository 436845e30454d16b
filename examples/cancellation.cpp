// SPDX-License-Identifier: BSL-1.0

// Restoration: three ways to stop waiting for an answer. A signal (Ctrl-C), a deadline, and a second request that is faster.
// RESTORATION_BASE_URL is the base URL of the environment; RESTORATION_CLIENT_ID and
// RESTORATION_CLIENT_SECRET (or ..._FILE) say who asks.

#include <jeton/client/async.hpp>
#include <jeton/jeton.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <variant>

namespace {

using jeton::http::request;
using namespace std::chrono_literals;

// `stop` cancels the request and not this coroutine, which goes on and finds out what became of the order.
asio::awaitable<void> place_order(jeton::client& restoration, asio::cancellation_slot stop)
{
    auto const placed = co_await jeton::async_send(
        restoration, request::post("/accounts/{CLIENT_ID}/orders", R"({"orderId":"example-2","trees":3})"),
        asio::bind_cancellation_slot(stop, asio::use_awaitable));
    if (placed) {
        std::cout << "order: " << placed->status() << ' ' << placed->text() << '\n';
        co_return;
    }
    bool const cancelled = placed.error().code() == jeton::cond::cancelled;
    std::cout << "order: " << (cancelled ? "cancelled, " : "failed, ") << to_string(placed.error().delivery()) << '\n';
    if (placed.error().safe_to_resend())
        co_return;  // no byte of it left

    // Cancelling takes nothing back: the server may have acted before it could notice.
    auto const found = co_await restoration.get("/accounts/{CLIENT_ID}/orders/example-2");
    if (!found)
        std::cout << "order: not known yet: " << found.error().to_string() << '\n';
    else
        std::cout << "order: " << (found->status() == 200 ? "was placed all the same" : "is not there") << '\n';
}

// A deadline covers everything: the token, a connection, the answer, and what jeton sends again by itself.
asio::awaitable<void> look_briefly(jeton::client& restoration)
{
    auto const order = co_await restoration.send(request::get("/accounts/{CLIENT_ID}/orders/order-7").deadline(500ms));
    if (order)
        std::cout << "brief: " << order->status() << '\n';
    else if (order.error().code() == jeton::cond::timeout)
        std::cout << "brief: too late, in phase " << to_string(order.error().phase()) << '\n';
    else
        std::cout << "brief: " << order.error().to_string() << '\n';
}

// The same question twice, for what may be asked twice: whichever ends first, the other one is cancelled. A failure is a
// result too, and wins if it comes first.
asio::awaitable<void> ask_twice(jeton::client& restoration)
{
    using namespace asio::experimental::awaitable_operators;
    auto const* const orders = "/accounts/{CLIENT_ID}/orders?pageSize=1";
    auto const first = co_await (restoration.get(orders) || restoration.get(orders));
    auto const& answer = first.index() == 0 ? std::get<0>(first) : std::get<1>(first);
    std::cout << "twice: " << (answer ? std::to_string(answer->status()) : answer.error().to_string()) << '\n';
}

asio::awaitable<void> work(jeton::client& restoration, asio::cancellation_slot stop)
{
    co_await place_order(restoration, stop);
    co_await look_briefly(restoration);
    co_await ask_twice(restoration);
    co_await restoration.shut_down();
}

}  // namespace

int main()
{
    try {
        char const* const base_url = std::getenv("RESTORATION_BASE_URL");
        if (!base_url) {
            std::cerr << "RESTORATION_BASE_URL is not set\n";
            return 2;
        }
        asio::cancellation_signal stop;
        asio::io_context io(1);
        jeton::client restoration(jeton::serial(io), jeton::restoration(base_url),
                                  jeton::credentials::from_environment("RESTORATION"));

        asio::signal_set signals(io, SIGINT);
        signals.async_wait([&](asio::error_code failed, int) {
            if (!failed)
                stop.emit(asio::cancellation_type::terminal);
        });
        asio::co_spawn(io, work(restoration, stop.slot()), [&](std::exception_ptr failed) {
            signals.cancel();
            if (failed)
                std::rethrow_exception(failed);
        });
        io.run();
    } catch (std::exception const& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
