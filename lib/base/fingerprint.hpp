// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace jeton {

/// 16 hexadecimal digits, the same for the same text within this process, that tell secrets apart in logs. Keyed, so that
/// whoever has the logs cannot try out texts; the key dies with the process.
std::string fingerprint_of(std::string_view secret_text);

}  // namespace jeton
