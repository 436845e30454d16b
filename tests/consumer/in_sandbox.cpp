// SPDX-License-Identifier: BSL-1.0

// The optional parts: jeton::testing answers a request, jeton::json reads the answer.

#include <jeton/client/json.hpp>
#include <jeton/jeton.hpp>
#include <jeton/testing/sandbox.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <boost/json/serialize.hpp>

#include <iostream>

namespace {

bool answered = false;

asio::awaitable<void> ask(jeton::client& alluvial)
{
    auto const reply = co_await alluvial.get("/eth/v0/status");
    if (!reply) {
        std::cout << reply.error().to_string() << '\n';
    } else {
        auto const body = jeton::json(*reply);
        answered = body && body->is_object();
        std::cout << reply->status() << ", network "
                  << (answered ? boost::json::serialize(body->as_object().at("network")) : "unknown") << '\n';
    }
    co_await alluvial.shut_down();
}

}  // namespace

int main()
{
    jeton::testing::sandbox world;
    asio::io_context io(1);
    jeton::client alluvial(jeton::serial(io), world.alluvial(), world.credentials_for("alluvial"), world.options());
    asio::co_spawn(io, ask(alluvial), asio::detached);
    io.run();
    return answered ? 0 : 1;
}
