// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/secret.hpp>

#include <ostream>

void print(std::ostream& out, jeton::secret const& from) { out << from; }
