// SPDX-License-Identifier: BSL-1.0
#include "client/sansio/authorization_plan.hpp"

namespace jeton {

namespace {

bool has_expired(oauth2::token const& t, moment now) noexcept
{
    // An expiry that had passed when the token was granted speaks of clocks that differ, not of the token's age.
    bool const comparable = t.jwt_expiry && *t.jwt_expiry > t.sent().wall;
    return t.left(now) <= duration::zero() || (comparable && *t.jwt_expiry <= now.wall);
}

// A 401 without a reason blames the token, too: RFC 6750 §3.1 wants no error code where no token was seen, and many
// servers never send one. The two names with "expired" are not registered but are in use.
bool blames_token(std::string_view bearer_error) noexcept
{
    return bearer_error.empty() || bearer_error == "invalid_token" || bearer_error == "expired_token"
           || bearer_error == "token_expired";
}

}  // namespace

auto authorization_plan::on_answer(int status, std::string_view bearer_error, oauth2::token const& sent,
                                   moment now) noexcept -> action
{
    if (!concerns(status))
        return action::deliver;
    // These speak about time and load; another token changes neither.
    if (status == 408 || status == 425 || status == 429)
        return action::deliver;
    // RFC 6750 §3.1: the request or its scope is wrong, however old the token is.
    if (bearer_error == "insufficient_scope")
        return status == 403 || status == 401 ? action::scope_lacking : action::deliver;
    if (bearer_error == "invalid_request")
        return action::deliver;

    bool const refused = status == 401 && blames_token(bearer_error);
    if (refused && replaced_)
        return action::token_refused;
    // Refused, it was not processed, and its method does not matter. Any other answer may have come after it had its
    // effect.
    bool const worth_it = refused || (repeatable_ && has_expired(sent, now));
    if (replaced_ || !worth_it || !body_at_hand_)
        return action::deliver;
    replaced_ = true;
    return action::replace_token;
}

}  // namespace jeton
