// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>
#include <jeton/base/secret.hpp>

#include <functional>
#include <string>

namespace jeton::oauth2 {

/// How a client proves who it is to the token endpoint (RFC 6749 §2.3). One, never two.
enum class client_auth {
    none,                     ///< sends its id only, or nothing where the grant needs none
    client_secret_post,       ///< `client_id` and `client_secret` in the body
    client_secret_basic,      ///< HTTP Basic over the form-encoded id and secret
    client_secret_basic_raw,  ///< HTTP Basic over id and secret as they are: for servers that skip the encoding step
};

/// Who the client is.
struct client_identity {
    std::string id{};
    secret key{};  ///< the client secret
};

/// Reads the identity anew for each token request, so that a rotated secret is picked up. Called on the executor of
/// the flight; may read a file, must not wait for the network. A failure of it is the outcome of the flight.
using identity_source = std::function<result<client_identity>()>;

}  // namespace jeton::oauth2
