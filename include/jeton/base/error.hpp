// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <system_error>

namespace jeton {

/// What can end any operation, whatever it was about. `failure::phase()` says what it was doing.
enum class errc {
    cancelled = 1,  ///< the caller cancelled the operation
    timed_out,      ///< its deadline, or the limit of the phase it was in, passed
    shut_down,      ///< the client has been shut down
    misuse,         ///< the call itself was wrong; nothing was sent
    unexpected,     ///< an exception came out of code that must not throw, such as a user's source
};

std::error_code make_error_code(errc e) noexcept;

/// A name for logs and metrics that does not change with the wording of messages: "jeton.net.refused"; of a foreign
/// category, its name and the number: "system.111".
std::string error_name(std::error_code code);

}  // namespace jeton

template <>
struct std::is_error_code_enum<jeton::errc> : std::true_type {};
