// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/secret.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace jeton::oauth2 {

/// Appends `bytes` in base64 (RFC 4648 §4), with padding. Leaves no copy behind if `to` has the room.
void append_base64(std::string& to, std::string_view bytes);

/// Decodes base64url (RFC 4648 §5) without padding; nothing if it is not that.
std::optional<secret> decode_base64url(std::string_view text);

}  // namespace jeton::oauth2
