// SPDX-License-Identifier: BSL-1.0
#include "net/tcp_connector.hpp"

#include "base/asio_moved.hpp"
#include "base/cancellation.hpp"
#include "base/duration_text.hpp"
#include "net/resolver.hpp"
#include "net/system_error.hpp"
#include "net/tcp_stream.hpp"
#include "net/tls_context.hpp"
#include "net/tls_stream.hpp"

#include <jeton/net/error.hpp>

#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

namespace jeton::net {

namespace {

/// Closes something when its time is up. Closed rather than cancelled: whatever is tried on it next ends as well.
template <class Closable>
class time_limit final : public timer {
public:
    time_limit(timekeeper& timers, time_point at, Closable& what) : what_(what) { timers.arm(*this, at); }

    void on_due() override
    {
        passed_ = true;
        what_.close();
    }

    bool passed() const noexcept { return passed_; }

private:
    Closable& what_;
    bool passed_ = false;
};

struct closable_socket {
    asio::ip::tcp::socket& socket;

    void close() noexcept
    {
        std::error_code ignored;
        socket.close(ignored);
    }
};

std::string text_of(asio::ip::tcp::endpoint const& at)
{
    auto const address = at.address().to_string();
    return (at.address().is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(at.port());
}

/// Asio has a socket that was connected watched for its being writable, too, as long as it lives: each wait for bytes would
/// be told of that when it begins, and the loop called once more for nothing.
/// \returns null, or why the socket is closed
std::error_code registered_anew(asio::ip::tcp::socket& connected, asio::ip::tcp const& protocol)
{
    std::error_code error;
    auto const descriptor = connected.release(error);
    if (error)
        return {};  // it stays as it was
    connected.assign(protocol, descriptor, error);
    if (error)
        ::close(descriptor);
    return error;
}

/// \returns null if `opened` is connected now
awaitable<std::error_code> connect_one(std::shared_ptr<timekeeper> timers, asio::ip::tcp::socket& socket,
                                       asio::ip::tcp::endpoint to, time_point until)
{
    auto const before = co_await asio::this_coro::cancellation_state;
    if (cancelled(before))
        co_return make_error_code(jeton::errc::cancelled);
    std::error_code error;
    socket.open(to.protocol(), error);
    if (error)
        co_return errc_of(error, errc::connect_failed);
    closable_socket what{socket};
    time_limit limit(*timers, until, what);
    auto const [failed] = co_await socket.async_connect(to, as_tuple(asio::use_awaitable));
    auto const state = co_await asio::this_coro::cancellation_state;
    if (cancelled(state))
        co_return make_error_code(jeton::errc::cancelled);
    if (limit.passed())
        co_return make_error_code(jeton::errc::timed_out);
    co_return errc_of(failed ? failed : registered_anew(socket, to.protocol()), errc::connect_failed);
}

class tcp_connector final : public connector {
public:
    tcp_connector(serial home, std::shared_ptr<timekeeper> timers, std::shared_ptr<tls_context const> tls,
                  connect_limits limits)
        : executor_(home.executor()), timers_(std::move(timers)), tls_(std::move(tls)), limits_(limits)
    {
        if (limits.resolve <= duration::zero() || limits.connect <= duration::zero() || limits.tls <= duration::zero())
            throw std::invalid_argument("jeton: a limit of connect_limits must not be zero or less");
    }

    awaitable<result<connection>> connect(destination to) override
    {
        return run(executor_, timers_, tls_, limits_, std::move(to));
    }

private:
    static awaitable<result<connection>> run(asio::any_io_executor executor, std::shared_ptr<timekeeper> timers,
                                             std::shared_ptr<tls_context const> tls, connect_limits limits,
                                             destination to);

    asio::any_io_executor executor_;
    std::shared_ptr<timekeeper> timers_;
    std::shared_ptr<tls_context const> tls_;
    connect_limits limits_;
};

awaitable<result<connection>> tcp_connector::run(asio::any_io_executor executor, std::shared_ptr<timekeeper> timers,
                                                 std::shared_ptr<tls_context const> tls, connect_limits limits,
                                                 destination to)
{
    connection made;
    auto const begun = timers->now();
    auto found = co_await net::resolve(executor, timers, to.host(), to.port(), limits.resolve);
    if (!found)
        co_return found.error();
    auto const resolved = timers->now();
    made.resolve = resolved - begun;

    // TCP. An address that does not answer gets an equal share of the time that is left, so that the others get theirs.
    auto const until = saturating_add(resolved, limits.connect);
    asio::ip::tcp::socket socket(executor);
    std::error_code error = errc::connect_failed;
    std::string tried;
    std::string where;
    auto left = static_cast<duration::rep>(found->size());
    for (auto const& each : *found) {
        auto const now = timers->now();
        auto const share = std::max(duration::zero(), (until - now) / left--);
        where = text_of(each);
        error = co_await connect_one(timers, socket, each, now + share);
        if (!error)
            break;
        std::error_code ignored;
        socket.close(ignored);
        tried += (tried.empty() ? "" : "; ") + where + ": "
                 + (error == jeton::errc::timed_out ? "no answer within " + duration_text(share) : error.message());
        // Not the address's fault, and the next one would fare no better.
        if (error == jeton::errc::cancelled || error == errc::no_descriptors)
            break;
    }
    if (error)
        co_return failure(error, phase::connect, delivery::not_sent, "connecting to " + to.host() + ": " + tried);
    auto const connected = timers->now();
    made.connect = connected - resolved;
    made.stream = std::make_unique<tcp_stream>(std::move(socket));
    if (!to.secure())
        co_return std::move(made);

    auto secured = std::make_unique<tls_stream>(std::move(made.stream), std::move(tls), to.host());
    if (!to.protocol().empty())
        secured->offer_only(to.protocol());
    secured->resume_sessions_of(to.host() + ':' + std::to_string(to.port()) + ' ' + to.protocol(), timers->both().wall);
    time_limit limit(*timers, saturating_add(connected, limits.tls), *secured);
    auto const shaken = co_await secured->handshake();
    limit.disarm();
    if (!shaken) {
        auto const& why = shaken.error();
        auto diag = why.diag();
        if (limit.passed())
            diag.ours = "no TLS handshake within " + duration_text(limits.tls);
        diag.ours = where + " (" + to.host() + "): " + diag.ours;
        co_return failure(limit.passed() ? make_error_code(jeton::errc::timed_out) : why.code(), phase::tls,
                          delivery::not_sent, std::move(diag));
    }
    made.tls = timers->now() - connected;
    made.resumed = secured->resumed();
    made.stream = std::move(secured);
    co_return std::move(made);
}

}  // namespace

std::shared_ptr<connector> make_connector(serial home, std::shared_ptr<timekeeper> timers, tls_options tls,
                                          connect_limits limits)
{
    return make_connector(std::move(home), std::move(timers), tls_context::client(tls), limits);
}

std::shared_ptr<connector> make_connector(serial home, std::shared_ptr<timekeeper> timers,
                                          std::shared_ptr<tls_context const> tls, connect_limits limits)
{
    return std::make_shared<tcp_connector>(std::move(home), std::move(timers), std::move(tls), limits);
}

}  // namespace jeton::net
