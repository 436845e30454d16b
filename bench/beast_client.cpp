// SPDX-License-Identifier: BSL-1.0

// The workload with Boost.Beast, with its timeouts and coroutines: one connection for each request in flight.

#include "measured.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using stream_type = beast::ssl_stream<beast::tcp_stream>;

constexpr std::chrono::seconds time_limit{30};

asio::awaitable<void> connect(stream_type& stream, bench::workload const& w)
{
    asio::ip::tcp::endpoint const server(asio::ip::address_v4::loopback(),
                                         static_cast<asio::ip::port_type>(std::stoi(w.port)));
    auto& below = beast::get_lowest_layer(stream);
    below.expires_after(time_limit);
    co_await below.async_connect(server, asio::use_awaitable);
    below.socket().set_option(asio::ip::tcp::no_delay(true));
    SSL_set_tlsext_host_name(stream.native_handle(), w.host);
    stream.set_verify_callback(asio::ssl::host_name_verification(w.host));
    co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

asio::awaitable<void> connection(asio::io_context& io, asio::ssl::context& tls, bench::workload const& w,
                                 bench::measured& work)
{
    namespace http = beast::http;
    stream_type stream(io, tls);
    co_await connect(stream, w);

    auto const authorization = "Bearer " + bench::bearer_token();
    beast::flat_buffer buffer;
    bench::measured::time_point begun{};
    while (work.start(begun)) {
        http::request<http::string_body> request(w.post ? http::verb::post : http::verb::get, w.path, 11);
        request.set(http::field::host, w.authority());
        request.set(http::field::user_agent, "jeton/0.1.0");
        request.set(http::field::authorization, authorization);
        request.set(http::field::accept, "application/json");
        if (w.post) {
            request.set(http::field::content_type, "application/json");
            request.body() = bench::json_body();
            request.prepare_payload();
        }
        beast::get_lowest_layer(stream).expires_after(time_limit);
        co_await http::async_write(stream, request, asio::use_awaitable);
        http::response<http::string_body> response;
        co_await http::async_read(stream, buffer, response, asio::use_awaitable);
        if (response.result() != http::status::ok)
            throw std::runtime_error("answered with " + std::to_string(response.result_int()));
        work.finish(begun);
    }
    // What waits in a timer's queue would keep the loop.
    beast::get_lowest_layer(stream).expires_never();
}

}  // namespace

int main(int argc, char** argv)
{
    auto const w = bench::workload::from(argc, argv);
    asio::ssl::context tls(asio::ssl::context::tls_client);
    tls.set_verify_mode(asio::ssl::verify_peer);
    tls.load_verify_file(w.ca_file);

    asio::io_context io(1);
    bench::measured work(w);
    for (std::uint64_t i = 0; i != w.in_flight; ++i)
        asio::co_spawn(io, connection(io, tls, w, work), [](std::exception_ptr failed) {
            if (failed)
                std::rethrow_exception(failed);
        });
    io.run();
    work.print();
}
