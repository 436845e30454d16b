// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <chrono>
#include <vector>

namespace jeton::http {

/// When a request is sent again without the caller's doing. Whatever stands here, a request goes out twice only if that
/// is safe: nothing of it had left, its method is idempotent (RFC 9110 §9.2.2), or the caller called it replayable.
struct retry_policy {
    /// How often one request may be sent in all. At least 1; 1: never again. Waiting until a token will be asked for again
    /// (`diag().retry_at`) does not count: nothing has been sent by then.
    int attempts = 3;

    /// Pause before the second attempt; doubles each time, with equal jitter. A request whose reused connection
    /// turned out to be dead is sent again without a pause, once (RFC 9112 §9.3.1). Greater than zero.
    duration first_pause = std::chrono::milliseconds(100);
    duration longest_pause = std::chrono::seconds(5);  ///< not less than `first_pause`

    /// Statuses that count as a failure worth another attempt, e.g. 502, 503. Empty: every answer is an answer, but for 421,
    /// with which a server says that the request was not meant for that connection: it goes once more, over another one,
    /// whatever its method (RFC 9110 §15.5.20).
    std::vector<int> statuses{};

    /// Resends as a share of requests, at most; keeps a struggling server from being hit harder. 0 to 1.
    double budget = 0.1;

    /// How many resends are granted regardless of the share, so that a quiet client may retry too. Not negative.
    /// Share and floor count over the last ten seconds.
    int budget_floor = 10;

    /// How long a request whose caller set no deadline may take in all. Greater than zero.
    duration total = std::chrono::seconds(60);
};

}  // namespace jeton::http
