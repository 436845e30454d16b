// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>
#include <jeton/oauth2/token.hpp>

#include <string_view>

namespace jeton {

/// Decides what the answer to one request that carried a token means for the token.
///
///                      401 that blames the token, or: any other 4xx, the token has expired, the request is repeatable
///     first answer  ------------------------------------------------------------------>  replace_token, send again
///        |                                                                                    |
///        |  anything else                                                401 that blames it   |  anything else
///        v                                                                     v              v
///     deliver (or scope_lacking)                                          token_refused    deliver (or scope_lacking)
///
/// One for each request; it is sent at most twice (RFC 6750 §3.1 knows no reason for a third time).
class authorization_plan {
public:
    enum class action {
        deliver,        ///< the answer is the caller's
        replace_token,  ///< get a token instead of the one that was sent, and send the request once more
        token_refused,  ///< the server does not take a new token either
        scope_lacking,  ///< the token is fine but does not cover this request
    };

    /// \param repeatable    the server may see the request twice without harm
    /// \param body_at_hand  the body, if any, can be sent once more
    authorization_plan(bool repeatable, bool body_at_hand) noexcept
        : repeatable_(repeatable), body_at_hand_(body_at_hand)
    {}

    /// Whether `on_answer` could say anything but `deliver`: lets the usual case skip the reading of challenges.
    static bool concerns(int status) noexcept { return status >= 400 && status < 500; }

    /// \param bearer_error  `error` of the Bearer challenge that came along; empty if there was none, or it was
    ///   malformed
    action on_answer(int status, std::string_view bearer_error, oauth2::token const& sent, moment now) noexcept;

private:
    bool repeatable_;
    bool body_at_hand_;
    bool replaced_ = false;
};

}  // namespace jeton
