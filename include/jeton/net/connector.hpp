// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/net/stream.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace jeton::net {

/// How long each step of connecting may take. Not zero; the operation's own deadline may be earlier.
struct connect_limits {
    duration resolve = std::chrono::seconds(5);  ///< looking up the name
    duration connect = std::chrono::seconds(5);  ///< TCP, over all addresses
    duration tls = std::chrono::seconds(5);      ///< TLS handshake with verification
};

/// Where to connect to. Not an aggregate: it is passed to coroutines (g++ 12).
class destination {
public:
    /// \param host    name, or address without brackets; as it stands in the URL, lower case
    /// \param secure  with TLS
    destination(std::string host, std::uint16_t port, bool secure)
        : host_(std::move(host)), port_(port), secure_(secure)
    {}

    /// Of the application protocols in `tls_options::alpn`, offers this one only (RFC 7301). Empty: all of them.
    destination& speaking(std::string protocol)
    {
        protocol_ = std::move(protocol);
        return *this;
    }

    std::string const& host() const noexcept { return host_; }
    std::uint16_t port() const noexcept { return port_; }
    bool secure() const noexcept { return secure_; }
    std::string const& protocol() const noexcept { return protocol_; }

private:
    std::string host_;
    std::uint16_t port_;
    bool secure_;
    std::string protocol_{};
};

/// A stream that is ready for use, and what it took to get there.
struct connection {
    std::unique_ptr<net::stream> stream{};
    duration resolve{};
    duration connect{};
    duration tls{};
    bool resumed = false;  ///< the TLS session of an earlier connection
};

/// Makes connections. Called on the executor of whoever owns the streams.
class connector {
public:
    virtual ~connector() = default;

    /// \returns a stream over which the peer has been verified (if secure); or a failure, `delivery::not_sent`, phase
    ///   `resolve`, `connect` or `tls`, whose code is a `net::errc`, or equals `cond::timeout` (a limit passed) or
    ///   `cond::cancelled`. The connector must outlive the awaitable.
    virtual awaitable<result<connection>> connect(destination to) = 0;
};

}  // namespace jeton::net
