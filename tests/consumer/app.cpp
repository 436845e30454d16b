// SPDX-License-Identifier: BSL-1.0

// What each consumer builds and runs: a client whose API cannot be reached, and what the failure says. Then, whether the
// library and this program mean the same when they speak of something of Asio's, which of a shared library has to be
// seen to (lib/exported_symbols.map).

#include <jeton/jeton.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <iostream>
#include <string>
#include <system_error>

namespace {

int failed = 0;

void expect(char const* what, bool holds)
{
    if (!holds) {
        std::cout << "FAILED: " << what << '\n';
        ++failed;
    }
}

asio::awaitable<void> ask(jeton::client& api)
{
    auto const reply = co_await api.get("/orders");
    expect("there is no answer", !reply);
    if (!reply) {
        auto const& error = reply.error();
        expect("the token endpoint refused",
               error.phase() == jeton::phase::token && error.code() == jeton::cond::transient);
        expect("nothing was sent", error.delivery() == jeton::delivery::not_sent && error.safe_to_resend());
        std::cout << jeton::error_name(error.code()) << ", " << to_string(error.phase()) << ", "
                  << to_string(error.delivery()) << '\n';
    }
    co_await api.shut_down();
}

}  // namespace

int main()
{
    asio::io_context io(1);

    // A port of which nobody listens.
    asio::ip::tcp::acceptor const taken = [&io] {
        asio::ip::tcp::acceptor port(io, asio::ip::tcp::v4());
        port.bind({asio::ip::address_v4::loopback(), 0});
        return port;
    }();
    auto const origin = "https://127.0.0.1:" + std::to_string(taken.local_endpoint().port());

    jeton::provider shop;
    shop.name = "shop";
    shop.base_url = origin;
    shop.tokens.url = origin + "/token";

    jeton::serial const home(io);
    jeton::client api(home, shop, jeton::credentials::from_value("somebody", jeton::secret("something")));
    asio::co_spawn(io, ask(api), asio::detached);
    io.run();

    // Made by the library, looked into here.
    expect("executors are equal", home.executor() == asio::any_io_executor(io.get_executor()));
    expect("executors are of one type", home.executor().target<asio::io_context::executor_type>() != nullptr);
    // Made here, looked at by the library.
    expect("get_misc_category() is one", std::error_code(asio::error::eof) == jeton::cond::transient);
    expect("get_netdb_category() is one",
           std::error_code(asio::error::host_not_found_try_again) == jeton::cond::transient);
    return failed == 0 ? 0 : 1;
}
