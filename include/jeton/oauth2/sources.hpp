// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/clock.hpp>
#include <jeton/base/observer.hpp>
#include <jeton/base/serial.hpp>
#include <jeton/http/transport.hpp>
#include <jeton/oauth2/refresh_policy.hpp>
#include <jeton/oauth2/token_endpoint.hpp>
#include <jeton/oauth2/token_source.hpp>

#include <functional>
#include <memory>

namespace jeton::oauth2 {

/// Gets a token from `endpoint` by the client credentials grant (RFC 6749 §4.4), or, where the endpoint says so, by the
/// refresh token of the last answer (§6), falling back to client credentials when that is refused. Every `get` is a
/// token request: put `with_cache` in front.
///
/// On `invalid_client` the identity is read again and, if it has changed, tried once more within the same `get`.
/// Runs on `home`; callable from anywhere. `over` carries the token requests and needs no token itself.
///
/// \throws jeton::error  the endpoint breaks a rule (`oauth2::errc::bad_endpoint`, `bad_client`, `bad_parameter`).
std::shared_ptr<token_source> make_grant_source(std::shared_ptr<http::transport> over, serial home,
                                                token_endpoint endpoint, identity_source identity,
                                                std::shared_ptr<clock> time, std::shared_ptr<observer> watcher = {});

/// What a cache knows about its token. Safe to log.
struct token_snapshot {
    enum class state { none, fresh, ageing, expired };
    state is = state::none;
    std::uint64_t generation = 0;
    std::string fingerprint{};
    duration age{};                         ///< since the token request was sent
    duration left{};                        ///< until it counts as expired
    duration refresh_in{};                  ///< until it is replaced ahead of time; zero: due
    std::optional<failure> last_failure{};  ///< of the attempts since the last success
    std::optional<duration> retry_in{};     ///< until the next attempt is allowed
    bool in_flight = false;
    bool circuit_open = false;
    std::size_t waiters = 0;
    std::uint64_t token_requests = 0;  ///< flights so far
    std::uint64_t coalesced = 0;       ///< callers who were served by a flight that another had started
    std::uint64_t waited = 0;          ///< callers who had to wait for a flight at all
};

/// A source that keeps its token; see `with_cache`.
class caching_token_source : public token_source {
public:
    virtual token_snapshot snapshot() const = 0;

    /// Forgets the failures of the past, permanent ones too: the next caller may try at once. Any thread.
    virtual void retry_now() = 0;

    /// Ends a flight under way, fails those who wait for it (`errc::shut_down`), and wipes the token as soon as nobody
    /// uses it. Later calls of `get` fail.
    virtual void shut_down() = 0;
};

/// Keeps the last token of `upstream` and lets at most one fetch run at a time.
///
/// The fetch belongs to the cache, not to the caller who happened to trigger it: a caller may be cancelled, or let go of
/// the source, and the fetch still lands. Callers on `home` read a fresh token without a lock; callers elsewhere take
/// one for an instant. A cache that is destroyed ends its flight.
///
/// While a permanent refusal (`cond::credentials`) is answered from memory, `identity_changed` is asked at most once a second,
/// on the caller's thread, whether the client has another secret by now; if so, the refusal is forgotten.
///
/// \throws std::invalid_argument  `policy` breaks its own rule.
std::shared_ptr<caching_token_source> with_cache(std::shared_ptr<token_source> upstream, serial home,
                                                 std::shared_ptr<clock> time, refresh_policy policy = {},
                                                 std::shared_ptr<observer> watcher = {},
                                                 std::function<bool()> identity_changed = {});

}  // namespace jeton::oauth2
