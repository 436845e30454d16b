// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace jeton {

/// The things that happen inside a client. Plain values, complete in themselves; no secret
/// and no query string is in any of them.
namespace happenings {

/// A connection can be used.
struct connected {
    std::string origin{};
    std::string protocol{};  ///< "http/1.1"
    duration took{};         ///< from the look-up of the name to the end of the TLS handshake
    bool resumed{};          ///< the TLS session of an earlier connection
};

/// No connection came about.
struct connect_failed {
    std::string origin{};
    failure why;
};

/// A connection is gone.
struct disconnected {
    std::string origin{};
    /// Ours: "idle", "age", "number of requests", "made room", "shut down". The server's: "closed by peer", "closed after
    /// an answer", "going away", "unexpected bytes". A request's: "failed", "request was given up", "upload was cut short".
    std::string reason{};
    std::uint64_t requests{};  ///< how many it carried
};

/// A request will be sent again by jeton itself.
struct resent {
    std::string origin{};
    failure why;
    int attempt{};  ///< the one that failed, from 1
    duration pause{};
};

/// A token request leaves.
struct token_requested {
    std::string endpoint{};
    std::string grant{};  ///< RFC 6749: "client_credentials", "refresh_token"
};

/// A token arrived.
struct token_granted {
    std::string endpoint{};
    std::uint64_t generation{};
    std::string fingerprint{};  ///< keyed hash, to tell tokens apart; says nothing about the token
    duration lifetime{};
    duration took{};
    bool same_as_before{};  ///< a caching authorization server handed out the same token again
    bool may_be_cached{};   ///< the answer lacked `Cache-Control: no-store` (RFC 6749 §5.1)
};

/// No token arrived. Tokens in use are not affected.
struct token_failed {
    std::string endpoint{};
    failure why;
    int failures_in_a_row{};
    duration pause{};  ///< until the next attempt
};

/// A resource server refused a token (RFC 6750 §3.1).
struct token_refused {
    std::string origin{};
    std::uint64_t generation{};
    bool circuit_opened{};  ///< even a new one was refused; none is fetched for a while
};

}  // namespace happenings

using happening = std::variant<happenings::connected, happenings::connect_failed, happenings::disconnected,
                               happenings::resent, happenings::token_requested, happenings::token_granted,
                               happenings::token_failed, happenings::token_refused>;

/// The one hook into a client, for metrics, logs and traces.
///
/// `on` is called on the client's executor (for token happenings: on the executor of the flight), in the order in
/// which things happen, never while a lock is held; it may call back into the client. For a client on `io_threads` that
/// is on every thread, and at the same time. It must not block. An exception from it is swallowed. The observer must outlive the client, which holds it by shared_ptr.
class observer {
public:
    virtual ~observer() = default;
    virtual void on(happening const& what) = 0;
};

}  // namespace jeton
