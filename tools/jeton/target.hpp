// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/client/client.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace jeton::tool {

/// Which system a command talks to, and as whom: the options that `token` and `call` share.
struct target {
    std::string provider_name{};
    std::string environment_name{"staging"};
    std::string base_url{};
    std::string token_url{};
    std::string token_body{};
    std::string client_auth{};
    std::optional<std::string> audience{};
    std::optional<std::string> scope{};
    std::string ca_file{};
    std::string client_secret_file{};
    double timeout_seconds = 0;  ///< 0: the library's default
};

/// A mistake on the command line, in one sentence.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Adds the options to a command.
void add_target_options(CLI::App& command, target& into);

/// The provider that the options describe.
/// \param with_token  a token will be needed, so that there must be a token URL
/// \throws usage_error  they do not describe one.
provider provider_of(target const& t, bool with_token);

/// Where id and secret come from: a file or standard input for the secret if the options say so, otherwise variables.
/// \throws usage_error  standard input holds no secret.
credentials credentials_of(target const& t, provider const& p);

client_options client_options_of(target const& t);

}  // namespace jeton::tool
