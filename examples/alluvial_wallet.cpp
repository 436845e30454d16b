// SPDX-License-Identifier: BSL-1.0

// Alluvial: looks a wallet up, and reads through the pages of its rewards.
// ALLUVIAL_CLIENT_ID and ALLUVIAL_CLIENT_SECRET (or ..._FILE) say who asks.

#include <jeton/client/json.hpp>
#include <jeton/jeton.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <boost/json/serialize.hpp>

#include <exception>
#include <iostream>
#include <string>

namespace {

constexpr char const* wallet = "0x2B7ff5d4C14A9Da8d5C9354c7A52aB40DdC1C01e";

asio::awaitable<void> show(jeton::client& alluvial)
{
    auto const found = (co_await alluvial.get("/v0/wallets/" + std::string(wallet))).value();
    std::cout << "wallet: " << found.status() << ' ' << found.text() << '\n';

    // Amounts are decimal strings, some beyond 2^64: they are passed on as text, never as a double.
    std::string cursor;
    do {
        auto request = jeton::http::request::get("/eth/v0/wallet/" + std::string(wallet) + "/rewards");
        if (!cursor.empty())
            request.query("cursor", cursor);
        auto const answer = (co_await alluvial.send(request)).value();
        if (answer.status() != 200) {
            std::cout << "rewards: " << answer.status() << ' ' << answer.text() << '\n';
            break;
        }
        auto const page = jeton::json(answer).value().as_object();
        for (auto const& reward : page.at("data").as_array())
            std::cout << "reward: " << boost::json::serialize(reward) << '\n';
        auto const* next = page.if_contains("next_cursor");
        cursor = next && next->is_string() ? std::string(next->as_string()) : std::string();
    } while (!cursor.empty());

    co_await alluvial.shut_down();
}

}  // namespace

int main()
{
    try {
        asio::io_context io(1);
        jeton::client alluvial(jeton::serial(io), jeton::alluvial(jeton::environment::staging),
                               jeton::credentials::from_environment("ALLUVIAL"));
        std::exception_ptr failed;
        asio::co_spawn(io, show(alluvial), [&](std::exception_ptr e) {
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
