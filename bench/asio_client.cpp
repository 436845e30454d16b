// SPDX-License-Identifier: BSL-1.0

// The workload with asio::ssl::stream and coroutines, no HTTP library: one connection for each request in flight.

#include "measured.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <exception>
#include <stdexcept>
#include <string_view>

namespace {

// The size of the whole answer that `text` begins with; 0 as long as its head is not complete.
std::size_t answer_size(std::string_view text)
{
    auto const end = text.find("\r\n\r\n");
    if (end == text.npos)
        return 0;
    constexpr std::string_view name = "\r\nContent-Length: ";
    auto const length = text.find(name);
    if (!text.starts_with("HTTP/1.1 200 ") || length > end)
        throw std::runtime_error("not the answer that was expected");
    return end + 4 + std::strtoul(text.data() + length + name.size(), nullptr, 10);
}

asio::awaitable<void> connection(asio::io_context& io, asio::ssl::context& tls, bench::workload const& w,
                                 std::string const& request, bench::measured& work)
{
    asio::ssl::stream<asio::ip::tcp::socket> stream(io, tls);
    asio::ip::tcp::endpoint const server(asio::ip::address_v4::loopback(),
                                         static_cast<asio::ip::port_type>(std::stoi(w.port)));
    co_await stream.next_layer().async_connect(server, asio::use_awaitable);
    stream.next_layer().set_option(asio::ip::tcp::no_delay(true));
    SSL_set_tlsext_host_name(stream.native_handle(), w.host);
    stream.set_verify_callback(asio::ssl::host_name_verification(w.host));
    co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);

    std::array<char, 16384> buffer;
    bench::measured::time_point begun{};
    while (work.start(begun)) {
        co_await asio::async_write(stream, asio::buffer(request), asio::use_awaitable);
        std::size_t got = 0;
        std::size_t size = 0;
        while (size == 0 || got < size) {
            got += co_await stream.async_read_some(asio::buffer(buffer) + got, asio::use_awaitable);
            if (size == 0)
                size = answer_size({buffer.data(), got});
        }
        work.finish(begun);
    }
}

}  // namespace

int main(int argc, char** argv)
{
    auto const w = bench::workload::from(argc, argv);
    asio::ssl::context tls(asio::ssl::context::tls_client);
    tls.set_verify_mode(asio::ssl::verify_peer);
    tls.load_verify_file(w.ca_file);
    auto const request = bench::http_1_1_request(w);

    asio::io_context io(1);
    bench::measured work(w);
    for (std::uint64_t i = 0; i != w.in_flight; ++i)
        asio::co_spawn(io, connection(io, tls, w, request, work), [](std::exception_ptr failed) {
            if (failed)
                std::rethrow_exception(failed);
        });
    io.run();
    work.print();
}
