// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/openssl_authority.hpp"
#include "support/peer.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::testing {

/// How a server is to deal with its connections.
struct manner {
    int requests = 1'000'000;               ///< on a connection, where it can be told
    std::chrono::milliseconds idle{60000};  ///< after which it closes one; at least `server_kind::shortest_idle`
    std::size_t streams = 0;                ///< of an HTTP/2 connection at once; 0: as `server_kind` has it
    std::string_view processes = "master_process off;";  ///< nginx: of itself, or as workers that can be replaced
};

/// A program by others that serves HTTP, and how it is started. In `command` and in its configuration, a word in braces is
/// replaced: {at} a folder, {port}, {origin} the port of the origin behind it, {certificate}, {key}, {both} in one file,
/// {requests}, {milliseconds}, {seconds} and {processes} as `manner` has them, {protocol} h1 or h2, {streams}, {configuration}
/// the file that was made of it, {as_root} what h2o has to be told if it is.
struct server_kind {
    std::string_view name;
    std::string_view package;        ///< Debian's
    std::string_view configuration;  ///< a file in this folder; empty: none
    std::vector<std::string> command;
    std::size_t streams = 4;  ///< what it lets an HTTP/2 connection have at once; not all of them can be told
    std::chrono::milliseconds shortest_idle{400};  ///< a test that is kept waiting as long is kept from its connections
    bool http_1_1 = true;
    bool proxy = true;                     ///< with the origin behind it
    bool echoes = false;                   ///< serves files and what is posted, instead of what the origin has
    bool closes_connections = true;        ///< idle ones; otherwise it has to be started again for that
    std::vector<std::string> reload = {};  ///< empty: not tried
};

std::vector<server_kind> const& server_kinds();

/// The answer to /megabyte: 1 MiB in which no page is like the next.
std::string megabyte();

/// A request as the server saw it, or its origin.
struct seen_request {
    std::string method{};
    std::string target{};
    std::size_t in_flight{};  ///< how many for /slow were being answered; 0: not known
};

/// One of them, running on a port of 127.0.0.1.
class server {
public:
    /// Started, and takes connections. Ends the test program as skipped if the server, or what it needs, is not installed.
    /// \throws std::runtime_error  it does not start.
    server(server_kind const& kind, openssl_authority const& authority, std::string protocol, manner how = {});

    std::string url(std::string_view path) const;
    std::string origin() const { return "https://localhost:" + std::to_string(port_); }

    /// Ends it, by its process id, and starts it anew on the same port.
    void restart();

    /// Begins to have it read its configuration anew, as its own tool does it.
    std::unique_ptr<peer> reload();

    /// Every request that has come so far.
    std::vector<seen_request> seen() const;

    /// What it, and its origin, have printed.
    std::string complaints() const;

private:
    void start();
    std::string filled_in(std::string_view text) const;
    std::vector<std::string> filled_in(std::vector<std::string> words) const;

    server_kind const& kind_;
    openssl_authority const& authority_;
    std::string protocol_;
    manner how_;
    scratch_folder files_{};
    std::uint16_t port_ = unused_port();
    std::uint16_t origin_port_ = unused_port();
    int starts_ = 0;
    std::unique_ptr<peer> origin_{};
    std::unique_ptr<peer> process_{};
};

}  // namespace jeton::testing
