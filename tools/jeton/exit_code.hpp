// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>

#include <string_view>

namespace jeton::tool {

/// What the command says to the shell.
enum class exit_code : int {
    ok = 0,
    internal = 1,
    usage = 2,
    authentication = 3,
    client_error = 4,  ///< the API answered 4xx
    server_error = 5,  ///< the API or the token endpoint answered 5xx
    timeout = 6,
    network = 7,       ///< network or TLS
    rate_limited = 8,  ///< 429
    not_found = 9,     ///< 404
    interrupted = 130,
};

exit_code exit_code_of(int http_status) noexcept;
exit_code exit_code_of(failure const& why) noexcept;

/// The condition that says most about a code: "timeout", "credentials", ...; empty if none holds.
std::string_view condition_of(std::error_code code) noexcept;

}  // namespace jeton::tool
