// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/client/provider.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jeton {

/// The provider that is called `name` ("alluvial", "datacrunch", "restoration"), for programs that are told by their
/// user; nothing if jeton knows none of that name.
///
/// \param base_url  replaces the provider's, and where the token URL is a part of it (all but alluvial), that as well.
///   Empty: as it is known; if it is not (restoration; datacrunch's staging), `base_url` and `tokens.url` of the
///   outcome are empty.
std::optional<provider> provider_named(std::string_view name, environment where, std::string base_url = {});

/// The names that `provider_named` knows.
std::vector<std::string_view> provider_names();

}  // namespace jeton
