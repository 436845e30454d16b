// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/oauth2/token_endpoint.hpp>

#include <string>
#include <utility>
#include <vector>

namespace jeton {

/// Which of a provider's installations is meant.
enum class environment { staging, production };

/// An API and its authorization server, as data: a new one needs no new code. The providers that jeton knows are in
/// <jeton/providers/...>; change any field of what they return.
struct provider {
    std::string name{};  ///< for messages, e.g. "alluvial"
    std::string
        base_url{};  ///< of the API; paths are appended to it, and its origin is the one that the token is sent to
    oauth2::token_endpoint tokens{};

    /// Prefix of the environment variables that hold its credentials: ALLUVIAL for ALLUVIAL_CLIENT_ID.
    std::string variables{};

    /// `{NAME}` in a path becomes the value. `{CLIENT_ID}` is filled in with the client id and need not stand here.
    std::vector<std::pair<std::string, std::string>> path_variables{};

    /// Further origins that may be sent the token, e.g. "https://files.example".
    std::vector<std::string> also_trusted{};
};

}  // namespace jeton
