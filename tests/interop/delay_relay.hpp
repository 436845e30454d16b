// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace jeton::testing {

/// A long wire: takes connections on 127.0.0.1 and carries them on to another port there, every byte and every end of a
/// stream so much later. On loopback alone nobody ever sends into a connection that the peer has just closed.
class delay_relay {
public:
    delay_relay(std::uint16_t to, std::chrono::milliseconds delay)
        : listener_(io_, {asio::ip::address_v4::loopback(), 0}),
          to_(asio::ip::address_v4::loopback(), to),
          delay_(delay)
    {
        asio::co_spawn(io_, listen(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }
    ~delay_relay()
    {
        io_.stop();
        thread_.join();
    }
    delay_relay(delay_relay const&) = delete;

    std::uint16_t port() const { return listener_.local_endpoint().port(); }

private:
    using socket = asio::ip::tcp::socket;

    asio::awaitable<void> listen()
    {
        for (;;) {
            auto const near = std::make_shared<socket>(co_await listener_.async_accept(asio::use_awaitable));
            auto const far = std::make_shared<socket>(io_);
            co_await far->async_connect(to_, asio::use_awaitable);
            near->set_option(asio::ip::tcp::no_delay(true));
            far->set_option(asio::ip::tcp::no_delay(true));
            asio::co_spawn(io_, carry(near, far), asio::detached);
            asio::co_spawn(io_, carry(far, near), asio::detached);
        }
    }

    asio::awaitable<void> carry(std::shared_ptr<socket> from, std::shared_ptr<socket> to)
    {
        asio::steady_timer wire(io_);
        std::array<char, 16 * 1024> piece;
        for (;;) {
            asio::error_code ended;
            auto const size =
                co_await from->async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, ended));
            wire.expires_after(delay_);
            co_await wire.async_wait(asio::use_awaitable);
            if (ended) {
                to->shutdown(socket::shutdown_send, ended);
                co_return;
            }
            co_await asio::async_write(*to, asio::buffer(piece, size),
                                       asio::redirect_error(asio::use_awaitable, ended));
            if (ended) {  // as a router would: what comes for a dead connection is answered with a reset
                from->set_option(asio::socket_base::linger(true, 0), ended);
                from->close(ended);
                co_return;
            }
        }
    }

    asio::io_context io_{1};
    asio::ip::tcp::acceptor listener_;
    asio::ip::tcp::endpoint to_;
    std::chrono::milliseconds delay_;
    std::thread thread_{};
};

}  // namespace jeton::testing
