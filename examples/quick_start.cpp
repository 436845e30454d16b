// SPDX-License-Identifier: BSL-1.0
#include <jeton/jeton.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <iostream>

asio::awaitable<void> print_status(jeton::client& alluvial)
{
    auto reply = co_await alluvial.get("/eth/v0/status");  // token, TLS, pool, retry rules: all in here
    if (!reply)                                            // never an exception unless asked for
        std::cerr << reply.error().to_string() << '\n';    // code, phase, delivery, what happened
    else
        std::cout << reply->status() << ' ' << reply->text() << '\n';
    co_await alluvial.shut_down();  // io.run() returns once the pool has let go
}

int main()
{
    asio::io_context io(1);
    jeton::client alluvial(jeton::serial(io), jeton::alluvial(jeton::environment::staging),
                           jeton::credentials::from_environment("ALLUVIAL"));
    asio::co_spawn(io, print_status(alluvial), asio::detached);
    io.run();
}
