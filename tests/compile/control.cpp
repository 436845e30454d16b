// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/result.hpp>
#include <jeton/base/secret.hpp>

#include <ostream>
#include <string>
#include <utility>

// What the other cases do wrong, done rightly.

jeton::result<int> with_phase_and_delivery()
{
    return jeton::failure(jeton::errc::timed_out, jeton::phase::queue, jeton::delivery::not_sent);
}

jeton::secret copy(jeton::secret const& from) { return from.duplicate(); }

void assign(jeton::secret& to, jeton::secret&& from) { to = std::move(from); }

void use(std::ostream& out, std::string& line, jeton::secret const& from)
{
    out << from.reveal();
    line += from.reveal();
}
