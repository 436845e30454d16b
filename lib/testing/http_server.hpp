// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "base/timekeeper.hpp"
#include "net/tls_context.hpp"
#include "testing/sansio/server_message.hpp"

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

namespace jeton::testing {

/// Decides what an `http_server` answers. Called on the server's executor, never twice at once; must not block.
class http_handler {
public:
    virtual ~http_handler() = default;

    /// A connection was accepted. Anything but the reply as it is (delay, raw bytes, an ending) is done instead of TLS.
    virtual void on_connection(server_reply& instead) = 0;

    /// Its handshake has succeeded. \param protocol  agreed upon by ALPN; empty if none was
    virtual void on_handshake(std::string_view protocol, bool resumed) = 0;

    /// It is over.
    virtual void on_end() = 0;

    virtual void on_request(server_request const& request, server_reply& reply) = 0;

    /// What came is no request; `reply` says so already. The connection ends, over HTTP/2 as a rule the stream only.
    virtual void on_rejected(server_reply& reply) = 0;

    /// The reply that `on_request` made has left, or never will.
    virtual void on_done(server_reply const& reply) = 0;

    // Over HTTP/2.

    /// A stream was opened: the connection has so many now.
    virtual void on_stream(std::size_t open) = 0;

    /// One was refused, for the client does not know the limit yet.
    virtual void on_stream_over_limit() = 0;

    /// The client has reset one.
    virtual void on_stream_cancelled() = 0;
};

/// HTTP/1.1 and HTTP/2 over TLS on 127.0.0.1, for tests: strict with requests, and able to answer as badly as it is told to.
///
/// Confined to the thread that runs `io`, except the constructor and what says otherwise.
class http_server : public std::enable_shared_from_this<http_server> {
public:
    /// \throws std::system_error  the port is taken.
    http_server(asio::io_context& io, std::uint16_t port, std::shared_ptr<net::tls_context const> tls,
                std::shared_ptr<clock> time, http_handler& handler);

    std::uint16_t port() const noexcept { return port_; }

    void start();  ///< once; the handler must outlive what runs then
    void stop();   ///< ends every connection; nothing of the server's keeps `io` running then

    void close_connections();
    void reset_connections();
    void set_max_streams(std::uint32_t n);  ///< of open connections and those to come

    // From any thread.
    void set_requests_per_connection(std::uint64_t n) noexcept { requests_per_connection_ = n; }
    void set_idle(duration d) noexcept { idle_ = d.count(); }

private:
    class blunt_stream;
    class connection;
    class h2_conversation;

    static asio::awaitable<void> accept(std::shared_ptr<http_server> self);
    static asio::awaitable<void> serve(std::shared_ptr<http_server> self, std::shared_ptr<connection> c);
    asio::awaitable<void> converse(connection& c);
    asio::awaitable<void> converse_h2(std::shared_ptr<connection> c);
    asio::awaitable<bool> more(connection& c);
    asio::awaitable<bool> write(connection& c);
    asio::awaitable<void> finish(connection& c, fault::ending how);
    asio::awaitable<bool> misbehave(connection& c);
    std::string const& date();

    asio::io_context& io_;
    std::shared_ptr<net::tls_context const> tls_;
    std::shared_ptr<clock> time_;
    http_handler& handler_;
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_;

    timekeeper timers_;
    parking pauses_;
    std::unordered_set<connection*> connections_{};
    std::uint64_t accepted_ = 0;
    bool stopped_ = false;

    std::uint32_t max_streams_ = 100;
    std::atomic<std::uint64_t> requests_per_connection_ = 0;
    std::atomic<duration::rep> idle_ = 0;

    std::int64_t date_second_ = -1;
    std::string date_{};
};

}  // namespace jeton::testing
