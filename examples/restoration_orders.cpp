// SPDX-License-Identifier: BSL-1.0

// Restoration: places an order, then lists all orders of the account, page by page.
// RESTORATION_BASE_URL is the base URL of the environment; RESTORATION_CLIENT_ID and
// RESTORATION_CLIENT_SECRET (or ..._FILE) say who asks.

#include <jeton/client/json.hpp>
#include <jeton/jeton.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

namespace {

using jeton::http::request;

// A POST is never repeated on its own. Whether the order may have been placed all the same is
// what `safe_to_resend()` answers.
asio::awaitable<void> place_order(jeton::client& restoration)
{
    auto const order = boost::json::serialize(boost::json::object{{"orderId", "example-1"}, {"trees", 3}});
    auto const placed = co_await restoration.post("/accounts/{CLIENT_ID}/orders", order);
    if (placed)
        std::cout << "order: " << placed->status() << ' ' << placed->text() << '\n';
    else if (placed.error().safe_to_resend())
        std::cout << "order: not placed, may be sent again: " << placed.error().to_string() << '\n';
    else
        std::cout << "order: look it up before placing it again: " << placed.error().to_string() << '\n';
}

asio::awaitable<void> list_orders(jeton::client& restoration)
{
    std::string page_token;
    do {
        auto page = request::get("/accounts/{CLIENT_ID}/orders").query("pageSize", "300");
        if (!page_token.empty())
            page.query("nextPageToken", page_token);
        auto const answer = (co_await restoration.send(page)).value();
        if (answer.status() != 200) {
            std::cout << "orders: " << answer.status() << ' ' << answer.text() << '\n';
            break;
        }
        auto const body = jeton::json(answer).value().as_object();
        for (auto const& order : body.at("data").as_array())
            std::cout << "listed: " << boost::json::serialize(order) << '\n';
        auto const* next = body.if_contains("nextPageToken");
        page_token = next && next->is_string() ? std::string(next->as_string()) : std::string();
    } while (!page_token.empty());
}

asio::awaitable<void> work(jeton::client& restoration)
{
    co_await place_order(restoration);
    co_await list_orders(restoration);
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
        asio::io_context io(1);
        jeton::client restoration(jeton::serial(io), jeton::restoration(base_url),
                                  jeton::credentials::from_environment("RESTORATION"));
        std::exception_ptr failed;
        asio::co_spawn(io, work(restoration), [&](std::exception_ptr e) {
            failed = e;
            if (e)
                io.stop();
        });
        io.run();
        if (failed)
            std::rethrow_exception(failed);
    } catch (std::exception const& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
