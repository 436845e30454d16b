// SPDX-License-Identifier: BSL-1.0

// DataCrunch: what is left on the account, and what runs. The access token that runs out is
// replaced by means of the refresh token; nothing of that shows here.
// DATACRUNCH_CLIENT_ID and DATACRUNCH_CLIENT_SECRET (or ..._FILE) say who asks.

#include <jeton/jeton.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <iostream>

namespace {

void print(char const* what, jeton::result<jeton::http::response> const& answer)
{
    if (!answer)
        std::cerr << what << ": " << answer.error().to_string() << '\n';
    else
        std::cout << what << ": " << answer->status() << ' ' << answer->text() << '\n';
}

asio::awaitable<void> show(jeton::client& datacrunch)
{
    print("balance", co_await datacrunch.get("/balance"));  // https://api.datacrunch.io/v1/balance
    print("instances", co_await datacrunch.get("/instances"));
    co_await datacrunch.shut_down();
}

}  // namespace

int main()
{
    asio::io_context io(1);
    jeton::client datacrunch(jeton::serial(io), jeton::datacrunch(),
                             jeton::credentials::from_environment("DATACRUNCH"));
    asio::co_spawn(io, show(datacrunch), asio::detached);
    io.run();
}
