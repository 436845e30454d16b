// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/secret.hpp>

#include <string>

std::string turn(jeton::secret const& from) { return from; }
