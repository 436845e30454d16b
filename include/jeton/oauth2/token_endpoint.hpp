// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>
#include <jeton/oauth2/client_auth.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace jeton::oauth2 {

/// How the parameters of a token request travel. Never probed: a server that wants the other kind answers an error.
enum class body_kind {
    form,  ///< application/x-www-form-urlencoded (RFC 6749 App. B)
    json,  ///< one flat object of strings
};

/// What happens to a `refresh_token` that comes along with an access token (RFC 6749 §6).
enum class refresh_use {
    never,           ///< it is ignored (§4.4.3 advises servers against sending one for client credentials)
    with_client,     ///< used, with client authentication
    without_client,  ///< used, as the only parameter besides the grant type
};

/// A token endpoint, and how it wants to be asked.
struct token_endpoint {
    std::string url{};  ///< https, no fragment, no userinfo; its query is kept (RFC 6749 §3.2)
    body_kind body = body_kind::form;
    client_auth auth = client_auth::client_secret_post;
    std::string scope{};                         ///< asked for, space-separated; empty: the parameter is left out
    std::vector<std::string> required_scopes{};  ///< each must be granted (§3.3), or the token is not used
    std::vector<std::pair<std::string, std::string>>
        parameters{};  ///< more of them, e.g. {"audience", "https://api.example"}
    refresh_use refresh = refresh_use::never;

    /// Lifetime of tokens whose answer names none and that are no JWT with an `exp`. Greater than zero, at most 24 h.
    duration assumed_lifetime = std::chrono::minutes(5);

    std::size_t longest_token = 16 * 1024;  ///< bytes; a longer one is refused
    bool plain_http_on_loopback = false;    ///< allows `http://` to this machine, for tests
};

}  // namespace jeton::oauth2
