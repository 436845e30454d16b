// SPDX-License-Identifier: BSL-1.0
#include "net/tcp_stream.hpp"

#include "net/system_error.hpp"

#include <jeton/net/error.hpp>

#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/post.hpp>
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

/// Gives what a wait ended with as a value, since as an error it would be thrown. Everything else is the handler's.
template <class Handler>
struct outcome_handler {
    using executor_type = asio::associated_executor_t<Handler>;
    using allocator_type = asio::associated_allocator_t<Handler>;
    using cancellation_slot_type = asio::associated_cancellation_slot_t<Handler>;

    executor_type get_executor() const noexcept { return asio::get_associated_executor(handler); }
    allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler); }
    cancellation_slot_type get_cancellation_slot() const noexcept
    {
        return asio::get_associated_cancellation_slot(handler);
    }

    void operator()(std::error_code error) { std::move(handler)(std::error_code(), lost_or_cancelled(error)); }

    Handler handler;
};

awaitable<std::error_code> closed_already() { co_return make_error_code(jeton::errc::cancelled); }

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

// Not a coroutine: the frame would not come from Asio's cache.
awaitable<std::error_code> tcp_stream::ready(direction d)
{
    if (descriptor_ < 0)
        return closed_already();
    auto start = [](auto handler, asio::ip::tcp::socket* socket, asio::socket_base::wait_type what) {
        socket->async_wait(what, outcome_handler<decltype(handler)>{std::move(handler)});
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(std::error_code, std::error_code)>(
        std::move(start), asio::use_awaitable, &socket_,
        d == direction::read ? asio::socket_base::wait_read : asio::socket_base::wait_write);
}

void tcp_stream::when_readable(std::shared_ptr<watcher> who, asio::any_io_executor const& home)
{
    if (descriptor_ < 0)
        asio::post(home, [who = std::move(who)] { who->on_ready(); });
    else
        socket_.async_wait(asio::socket_base::wait_read, [who = std::move(who)](std::error_code) { who->on_ready(); });
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
