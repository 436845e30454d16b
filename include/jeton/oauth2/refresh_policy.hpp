// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <chrono>

namespace jeton::oauth2 {

/// When a cached token is replaced, and how hard a token endpoint may be pressed. The defaults are right for tokens of
/// two seconds and of twenty-four hours.
struct refresh_policy {
    /// A token is replaced ahead of time, while it is still handed out, once less than
    /// min(life/2, max(life/10, margin + 4 × p99 of token requests + `lead_floor`)) of its life is left.
    duration lead_floor = std::chrono::seconds(5);

    /// It counts as expired once less than min(`margin`, life/10) is left; covers clock skew and the request's way.
    duration margin = std::chrono::seconds(10);

    /// The lead is lengthened by up to this share of itself, though not beyond life/2, drawn once for each token, so that
    /// a fleet does not refresh in step. 0 to 0.5.
    double jitter = 0.1;

    /// Pause after a failed token request: doubles from the first to the longest, half of it random ("equal jitter").
    duration first_pause = std::chrono::milliseconds(500);
    duration longest_pause = std::chrono::seconds(30);

    /// The server's Retry-After is honoured up to this (RFC 9110 §10.2.3).
    duration longest_retry_after = std::chrono::hours(1);

    /// How long a permanent refusal (`invalid_client`, ...) is answered from memory; a value in between is drawn. A
    /// change of the secret forgets it at once.
    duration shortest_refusal = std::chrono::seconds(5);
    duration longest_refusal = std::chrono::seconds(15);

    /// One token request, fallback to another grant included, may take that long; independent of any caller.
    duration flight_limit = std::chrono::seconds(10);

    /// At most so many flights within `budget_window`, whatever asks for them (expiry, 401, demands).
    int budget = 10;
    duration budget_window = std::chrono::seconds(10);

    /// After a new token was refused with 401, too, refusals cause no refresh for this long; then one probe is allowed.
    duration circuit_pause = std::chrono::seconds(10);

    friend bool operator==(refresh_policy const&, refresh_policy const&) = default;
};

}  // namespace jeton::oauth2
