// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/error.hpp>

#include "base/error_table.hpp"

#include <array>

namespace jeton::oauth2 {

namespace {

using row = error_row;

constexpr row rows[] = {
    row(errc::bad_endpoint, "bad_endpoint", "the token endpoint is not an https URL without fragment and userinfo"),
    row(errc::bad_client, "bad_client", "the client id or secret is missing or has characters that cannot be sent"),
    row(errc::bad_parameter, "bad_parameter", "a parameter of the token request is doubled or not the caller's to set"),
    row(errc::foreign_origin, "foreign_origin", "the token is not for this origin"),
    row(errc::own_authorization, "own_authorization", "the request has an Authorization field of its own"),
    row(errc::bad_credentials_source, "bad_credentials_source",
        "the source of the credentials is missing, empty or open to others"),
    row(errc::invalid_request, "invalid_request", "the authorization server calls the token request invalid",
        cond::credentials),
    row(errc::invalid_client, "invalid_client", "the authorization server does not accept the client's credentials",
        cond::credentials),
    row(errc::invalid_grant, "invalid_grant", "the authorization server does not accept the grant", cond::credentials),
    row(errc::unauthorized_client, "unauthorized_client", "the client may not use this grant", cond::credentials),
    row(errc::unsupported_grant_type, "unsupported_grant_type", "the authorization server does not know this grant",
        cond::credentials),
    row(errc::invalid_scope, "invalid_scope", "the authorization server does not accept the scope", cond::credentials),
    row(errc::invalid_target, "invalid_target", "the authorization server does not accept the resource",
        cond::credentials),
    row(errc::server_error, "server_error", "the authorization server failed", cond::transient),
    row(errc::temporarily_unavailable, "temporarily_unavailable", "the authorization server gives no token for a while",
        cond::transient),
    row(errc::redirect, "redirect", "the token endpoint redirected, which is never followed", cond::malformed),
    row(errc::refused, "refused", "the authorization server refused", cond::credentials),
    row(errc::bad_response, "bad_response", "the answer of the token endpoint is no token response", cond::malformed),
    row(errc::bad_token_type, "bad_token_type", "the token is not of the type Bearer", cond::malformed),
    row(errc::bad_expires_in, "bad_expires_in", "expires_in is not a whole number of seconds", cond::malformed),
    row(errc::scope_not_granted, "scope_not_granted", "a required scope was not granted", cond::credentials),
    row(errc::token_refused, "token_refused", "the API refuses even a new token", cond::credentials),
    row(errc::insufficient_scope, "insufficient_scope", "the API wants a scope that the token lacks",
        cond::credentials),
};

}  // namespace

std::error_code make_error_code(errc e) noexcept
{
    static error_table const category("jeton.oauth2", rows);
    return {static_cast<int>(e), category};
}

errc errc_of(std::string_view error_parameter) noexcept
{
    struct entry {
        std::string_view name;
        errc code;
    };
    static constexpr std::array<entry, 9> registered{{
        {"invalid_request", errc::invalid_request},
        {"invalid_client", errc::invalid_client},
        {"invalid_grant", errc::invalid_grant},
        {"unauthorized_client", errc::unauthorized_client},
        {"unsupported_grant_type", errc::unsupported_grant_type},
        {"invalid_scope", errc::invalid_scope},
        {"invalid_target", errc::invalid_target},
        {"server_error", errc::server_error},
        {"temporarily_unavailable", errc::temporarily_unavailable},
    }};
    for (auto const& [name, code] : registered)
        if (name == error_parameter)
            return code;
    return errc::refused;
}

}  // namespace jeton::oauth2
