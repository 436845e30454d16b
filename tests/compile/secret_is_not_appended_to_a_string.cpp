// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/secret.hpp>

#include <string>

void append(std::string& line, jeton::secret const& from) { line += from; }
