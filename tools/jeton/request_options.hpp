// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/request.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace jeton::tool {

/// What a command sends, apart from method and target: the options that `call` and `bench` share.
struct request_options {
    std::optional<std::string> data{};
    std::vector<std::string> headers{};
    bool no_auth = false;
};

/// Adds the options to a command.
void add_request_options(CLI::App& command, request_options& into);

/// The request that the options describe.
/// \throws usage_error  they do not describe one, or the file with the body cannot be read.
http::request request_of(request_options const& options, std::string_view method, std::string_view target);

}  // namespace jeton::tool
