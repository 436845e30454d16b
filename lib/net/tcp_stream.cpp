// SPDX-License-Identifier: BSL-1.0
#include "net/tcp_stream.hpp"

#include "base/asio_moved.hpp"
#include "net/system_error.hpp"

#include <jeton/net/error.hpp>

#include <asio/use_awaitable.hpp>

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace jeton::net {

namespace {

// A peer that has vanished is noticed within 20 s, whatever the connection is doing. The kernel looks when it sends something
// again, which it does more and more rarely, and so a little late.

/// What was sent and is not acknowledged ends the connection, instead of being sent again for a quarter of an hour.
constexpr int unacknowledged_for_ms = 15'000;

/// And if there is nothing to acknowledge, because it has the request already or nobody asks anything: the kernel asks.
constexpr int silent_for_s = 12;
constexpr int asked_again_after_s = 4;

void set(int descriptor, int level, int option, int value) noexcept
{
    // A connection that the peer has reset already does not take options; the first read tells.
    ::setsockopt(descriptor, level, option, &value, sizeof value);
}

}  // namespace

tcp_stream::tcp_stream(asio::ip::tcp::socket connected)
    : socket_(std::move(connected)), descriptor_(socket_.native_handle())
{
    std::error_code ignored;
    socket_.native_non_blocking(true, ignored);
    set(descriptor_, IPPROTO_TCP, TCP_NODELAY, 1);
    set(descriptor_, IPPROTO_TCP, TCP_USER_TIMEOUT, unacknowledged_for_ms);
    set(descriptor_, IPPROTO_TCP, TCP_KEEPIDLE, silent_for_s);
    set(descriptor_, IPPROTO_TCP, TCP_KEEPINTVL, asked_again_after_s);
    set(descriptor_, SOL_SOCKET, SO_KEEPALIVE, 1);
}

tcp_stream::~tcp_stream() { close(); }

stream::moved tcp_stream::read_some(std::span<char> into) noexcept
{
    for (;;) {
        auto const n = ::recv(descriptor_, into.data(), into.size(), MSG_DONTWAIT);
        if (n > 0)
            return {.bytes = static_cast<std::size_t>(n)};
        if (n == 0)
            return {.error = errc::closed};
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return {};
        if (errno != EINTR)
            return {.error = descriptor_ < 0 ? errc::closed : errc::reset};
    }
}

stream::moved tcp_stream::write_some(std::string_view from) noexcept
{
    for (;;) {
        auto const n = ::send(descriptor_, from.data(), from.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            sent_ += static_cast<std::uint64_t>(n);
            return {.bytes = static_cast<std::size_t>(n)};
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return {};
        if (errno != EINTR)
            return {.error = descriptor_ < 0 ? errc::closed : errc::reset};
    }
}

awaitable<std::error_code> tcp_stream::ready(direction d)
{
    if (descriptor_ < 0)
        co_return make_error_code(jeton::errc::cancelled);
    auto const what = d == direction::read ? asio::socket_base::wait_read : asio::socket_base::wait_write;
    auto const [error] = co_await socket_.async_wait(what, as_tuple(asio::use_awaitable));
    co_return lost_or_cancelled(error);
}

void tcp_stream::cancel() noexcept
{
    std::error_code ignored;
    socket_.cancel(ignored);
}

stream::silence tcp_stream::check_silence() noexcept
{
    for (;;) {
        char one;
        auto const n = ::recv(descriptor_, &one, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n > 0)
            return silence::broken;
        if (n < 0 && errno == EINTR)
            continue;
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? silence::kept : silence::over;
    }
}

void tcp_stream::close() noexcept
{
    if (std::exchange(descriptor_, -1) < 0)
        return;
    std::error_code ignored;
    socket_.close(ignored);
}

}  // namespace jeton::net
