// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/secret.hpp>

jeton::secret copy(jeton::secret const& from) { return from; }
