// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/secret.hpp>

void assign(jeton::secret& to, jeton::secret const& from) { to = from; }
