// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "simulation/ledger.hpp"
#include "simulation/network.hpp"

#include <jeton/testing/fault.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jeton::testing {

/// A server at the other end of a `simulated_network`, over HTTP/1.1 and HTTP/2, that keeps a book of what reaches it. It is
/// honest: what it has acted on it does not refuse, and what it has refused it does not act on. It acts on every whole
/// request, also when the client has gone meanwhile. The answer to a request is its id.
class simulated_server {
public:
    struct options {
        bool h2 = false;
        duration think{};  ///< between the last byte of a request and the deed
        std::shared_ptr<net::tls_context const> tls{};
    };

    /// What goes wrong with it, once; the bytes count from the order on, over all connections, TLS's not included.
    struct orders {
        std::optional<std::size_t> reads{};   ///< closes when it has read so many
        std::optional<std::size_t> writes{};  ///< ends the connection when it has written so many
        bool resets = false;                  ///< that end is a reset
        int unauthorized = 0;                 ///< answers so many requests with 401, unprocessed
    };

    simulated_server(asio::io_context& io, simulated_network& network, options how);
    ~simulated_server();

    void order(orders what) { orders_ = what; }

    // At the moment, on every connection over HTTP/2.

    /// \param refuse  the last stream is the last that was acted on; otherwise the last that was begun
    void go_away(bool refuse, h2_error code = h2_error::no_error);

    /// Of every stream that has not been acted on.
    void reset_streams(h2_error code);

    /// Closes every connection; nothing of it is left to be done when that has been.
    void stop();

    ledger const& book() const noexcept { return book_; }
    std::size_t read() const noexcept { return read_; }  ///< bytes, since the beginning
    std::size_t written() const noexcept { return written_; }

    /// Something came that no client of ours may send.
    bool offended() const noexcept { return offended_; }

private:
    class session;

    void accept(std::unique_ptr<net::stream> bytes, unsigned connection);
    static asio::awaitable<void> read_for(std::shared_ptr<session> s);
    static asio::awaitable<void> write_for(std::shared_ptr<session> s);

    asio::io_context& io_;
    simulated_network& network_;
    options how_;
    orders orders_{};
    ledger book_{};
    std::vector<std::shared_ptr<session>> sessions_{};
    std::size_t read_ = 0;
    std::size_t written_ = 0;
    bool offended_ = false;
};

}  // namespace jeton::testing
