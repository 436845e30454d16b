// SPDX-License-Identifier: BSL-1.0

// jeton without a coroutine of one's own: a callback on the thread that runs the client, and futures on another one.
// ALLUVIAL_CLIENT_ID and ALLUVIAL_CLIENT_SECRET (or ..._FILE) say who asks.

#include <jeton/client/async.hpp>
#include <jeton/jeton.hpp>

#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

using jeton::http::request;
using answer = jeton::result<jeton::http::response>;

void print(char const* what, answer const& got)
{
    if (!got)
        std::cout << what << ": " << got.error().to_string() << '\n';
    else
        std::cout << what << ": " << got->status() << ' ' << got->text() << '\n';
}

}  // namespace

int main()
{
    asio::io_context io(1);
    jeton::client alluvial(jeton::serial(io), jeton::alluvial(jeton::environment::staging),
                           jeton::credentials::from_environment("ALLUVIAL"));
    auto work = asio::make_work_guard(io);
    std::thread network([&] { io.run(); });

    // A callback is called on that thread, and never from within async_send.
    std::optional<answer> status;
    jeton::async_send(alluvial, request::get("/eth/v0/status"), [&status](answer got) { status = std::move(got); });

    // Futures: both requests are on their way before this thread waits for the first.
    auto in_wei = jeton::async_send(alluvial, request::get("/eth/v0/protocol"), asio::use_future);
    auto in_ether =
        jeton::async_send(alluvial, request::get("/eth/v0/protocol").query("unit", "ether"), asio::use_future);
    print("in wei", in_wei.get());
    print("in ether", in_ether.get());

    // The token alone, for what jeton does not carry itself.
    auto const token = jeton::async_token(alluvial, {}, asio::use_future).get();
    std::cout << "token: "
              << (token ? "one of generation " + std::to_string((*token)->generation) : token.error().to_string())
              << '\n';

    // Whatever is still on its way is waited for, the callback's request too.
    asio::co_spawn(io, alluvial.shut_down(), asio::use_future).get();
    work.reset();
    network.join();
    print("status", status.value());
}
