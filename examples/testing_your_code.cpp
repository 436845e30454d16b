// SPDX-License-Identifier: BSL-1.0

// How code that uses jeton is tested: against a server in the process that behaves like the
// real one, and breaks to order.

#include <jeton/jeton.hpp>
#include <jeton/testing/sandbox.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <iostream>
#include <string>

namespace {

using jeton::testing::fault;
using jeton::testing::sandbox;

// The code under test: places an order and says what is known about it afterwards.
asio::awaitable<std::string> place_order(jeton::client& restoration)
{
    auto const placed = co_await restoration.post("/accounts/{CLIENT_ID}/orders", R"({"orderId":"a-1","trees":3})");
    if (placed)
        co_return "answered " + std::to_string(placed->status());
    co_return placed.error().safe_to_resend() ? "not placed" : "unknown";
}

int failed = 0;

void expect(char const* what, bool holds)
{
    std::cout << (holds ? "ok    " : "FAILED ") << what << '\n';
    failed += holds ? 0 : 1;
}

asio::awaitable<void> tests(sandbox& world, jeton::client& restoration)
{
    expect("an order is placed", co_await place_order(restoration) == "answered 201");

    world.on_api_request(fault().only("POST").reset());
    expect("an order whose answer is lost is not placed again", co_await place_order(restoration) == "unknown");
    expect("the server saw it once",
           world.seen("POST", "/restoration/accounts/" + world.identity_of("restoration").id + "/orders") == 2);

    auto const before = world.counters().token_requests;
    world.revoke_all_tokens();
    expect("a revoked token is replaced, and the order placed", co_await place_order(restoration) == "answered 201");
    expect("by one token request", world.counters().token_requests - before == 1);

    co_await restoration.shut_down();
}

}  // namespace

int main()
{
    sandbox world;
    asio::io_context io(1);
    jeton::client restoration(jeton::serial(io), world.restoration(), world.credentials_for("restoration"),
                              world.options());
    asio::co_spawn(io, tests(world, restoration), asio::detached);
    io.run();
    return failed == 0 ? 0 : 1;
}
