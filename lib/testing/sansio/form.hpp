// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton::testing {

using form_fields = std::vector<std::pair<std::string, std::string>>;

/// Takes apart application/x-www-form-urlencoded text (WHATWG URL §5.1), strictly: nothing comes of a broken percent-encoding
/// or of a name that stands there twice (RFC 6749 §3.2).
std::optional<form_fields> parse_form(std::string_view text);

/// The value with that name; null if there is none.
std::string const* find_field(form_fields const& fields, std::string_view name);

}  // namespace jeton::testing
