// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

struct ssl_session_st;  // OpenSSL's SSL_SESSION

namespace jeton::net {

class peer_identity;

struct free_session {
    void operator()(ssl_session_st* one) const noexcept;
};
using session_ptr = std::unique_ptr<ssl_session_st, free_session>;

/// TLS sessions that servers have offered to resume, so that the next connection need not prove everything anew
/// (RFC 8446 §2.2). Belongs to one TLS configuration; within it, sessions are kept by the host, port and protocol they were
/// made for. Used by any thread.
///
/// Each is handed out once, so that connections cannot be linked by it (RFC 8446 §C.4), the newest first; those
/// who dial at the same time get different ones.
class session_vault {
public:
    static constexpr std::size_t most_of_one_key = 32;
    static constexpr std::size_t most_keys = 256;

    /// However long the server says it can be used: what was verified then is verified again after that.
    static constexpr duration longest_life = std::chrono::hours(24);

    /// Takes over a copy of `one`: what becomes of the connection it came from does not matter to it.
    void put(std::string const& key, ssl_session_st const* one);

    /// A session that has not expired and whose certificate is still valid and still made out to `who`; null if there
    /// is none.
    session_ptr take(std::string const& key, peer_identity const& who, wall_time now);

    std::size_t size() const;

private:
    struct shelf {
        std::deque<session_ptr> sessions{};  // the oldest in front
        std::uint64_t used = 0;
    };

    mutable std::mutex mutex_{};
    std::map<std::string, shelf, std::less<>> shelves_{};
    std::uint64_t uses_ = 0;
};

}  // namespace jeton::net
