// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/retry_budget.hpp"

#include <jeton/base/result.hpp>
#include <jeton/http/retry_policy.hpp>

#include <chrono>
#include <optional>

namespace jeton::http {

/// The mind of `with_retries`: whether one request is sent again, when, and over what kind of connection. No I/O, no
/// clock; the shell in retry.cpp asks and obeys.
///
///   what is known of the request      code                      resent
///   not sent                          transient                 after a pause, up to `attempts`
///   not sent, phase token             transient, with retry_at  then, as often as the deadline allows
///   not sent                          HTTP/1.1 required         at once, one time (RFC 9113 §7)
///   maybe processed, repeatable       connection lost           at once
///   maybe processed, repeatable       otherwise transient       after a pause
///   maybe processed, not repeatable   any                       never
///   answered                          any                       never; but see `on_answer`
///
/// An answer is as good as any other unless the policy lists its status; but 421 says that the request was not meant for
/// that connection: it is sent again over another one, whatever its method, one time (RFC 9110 §15.5.20).
///
/// "Connection lost" is a reused connection that died before the answer. A request leaves the machine twice at most
/// without having been answered (RFC 9110 §9.2.2: a failed automatic retry is not retried).
class retry_plan {
public:
    struct step {
        bool again = false;
        time_point at{};                   ///< when
        bool on_young_connection = false;  ///< only on one that is dialled after the failure
    };

    /// \param repeatable  the server may see the request twice
    /// \param deadline    of all attempts together
    /// `policy` and `budget` must outlive it.
    retry_plan(retry_policy const& policy, retry_budget& budget, bool repeatable, time_point deadline)
        : policy_(&policy), budget_(&budget), repeatable_(repeatable), deadline_(deadline)
    {}

    /// An attempt failed.
    /// \param reused  it was sent over a connection that had carried a request before and died before a byte of the
    ///                answer came: most likely the peer had closed it already (RFC 9112 §9.3.1)
    /// \param chance  0 to 1, for the jitter
    step on_failure(failure const& why, bool reused, time_point now, double chance);

    /// An attempt was answered.
    step on_answer(int status, std::optional<std::chrono::seconds> retry_after, time_point now, double chance);

    /// Whether an answer with that status is of interest to `on_answer` now; and to a plan that has just been made.
    bool lists(int status) const noexcept;
    static bool lists(retry_policy const& policy, int status) noexcept;

    /// The number of the attempt that is being made, from 1. Waiting for a token is none.
    int attempt() const noexcept { return attempt_; }

private:
    duration pause(double chance) const;
    step resend(time_point at, bool young, time_point now);

    retry_policy const* policy_;
    retry_budget* budget_;
    bool repeatable_;
    time_point deadline_;
    int attempt_ = 1;
    bool repeated_ = false;  // it is on its way for the second time after something of it had left
    bool moved_ = false;     // it was sent to the wrong connection once
    bool for_1_1_ = false;   // it was refused over HTTP/2 once
};

}  // namespace jeton::http
