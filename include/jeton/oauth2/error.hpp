// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>
#include <system_error>

namespace jeton::oauth2 {

/// What can go wrong between a client and its authorization server, or with the token at the API.
enum class errc {
    // Configuration. Nothing was sent.
    bad_endpoint = 1,   ///< token endpoint with fragment, userinfo or not https (RFC 6749 §3.2)
    bad_client,         ///< client id or secret with characters that cannot be sent (RFC 6749 App. A.1, A.2), or none
    bad_parameter,      ///< an extra parameter that is doubled or not the caller's to set (RFC 6749 §3.2)
    foreign_origin,     ///< the token is not for this origin (RFC 6750 §5.3); nothing was sent
    own_authorization,  ///< the caller set an Authorization field as well (RFC 6750 §2)
    bad_credentials_source,  ///< the variable or file that holds the credentials is missing, empty, or open to others

    // The authorization server said so (RFC 6749 §5.2).
    invalid_request,
    invalid_client,
    invalid_grant,
    unauthorized_client,
    unsupported_grant_type,
    invalid_scope,
    invalid_target,           ///< RFC 8707 §2
    server_error,             ///< RFC 6749 §4.1.2.1, or a 5xx
    temporarily_unavailable,  ///< RFC 6749 §4.1.2.1, or 408, 429, 503
    redirect,                 ///< it redirected; never followed, the secret would travel along (RFC 9700 §4.12)
    refused,                  ///< a code that RFC 6749 does not know, or none; `diag().peer_code` is verbatim

    // Its answer is not a token response (RFC 6749 §5.1). Nothing of it is used.
    bad_response,       ///< not JSON, not an object, doubled members, no usable access_token
    bad_token_type,     ///< another type than Bearer, or none (RFC 6749 §7.1)
    bad_expires_in,     ///< not a whole number of seconds
    scope_not_granted,  ///< a scope that is required was not granted (RFC 6749 §3.3)

    // At the API.
    token_refused,       ///< even a new token was answered with 401 (RFC 6750 §3.1)
    insufficient_scope,  ///< 403 (RFC 6750 §3.1)
};

std::error_code make_error_code(errc e) noexcept;

/// The code of an `error` parameter (RFC 6749 §5.2); `errc::refused` for one that is not registered.
errc errc_of(std::string_view error_parameter) noexcept;

}  // namespace jeton::oauth2

template <>
struct std::is_error_code_enum<jeton::oauth2::errc> : std::true_type {};
