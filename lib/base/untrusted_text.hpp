// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jeton {

/// What a peer sent, made fit for a log: at most `longest` bytes of output; everything outside printable ASCII and valid UTF-8
/// letters, every control character, bidirectional override and the backslash are shown as escapes (`\n`, `\x1b`, `\u{202e}`).
/// What was cut off is marked by "...".
std::string untrusted_text(std::string_view from_peer, std::size_t longest);

}  // namespace jeton
