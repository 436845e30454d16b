// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/secret.hpp>

#include <string_view>

std::string_view look(jeton::secret const& from) { return from; }
