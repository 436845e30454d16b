// SPDX-License-Identifier: BSL-1.0
#include "http/pool_key.hpp"

#include <functional>
#include <string_view>

namespace jeton::http {

std::size_t pool_key_hash::operator()(pool_key const& key) const noexcept
{
    // Does not compile any more when an origin has a new member, which must then be taken into account.
    auto const& [secure, host, port] = key.to;
    return std::hash<std::string_view>()(host) * 31 + port * 2u + (secure ? 1u : 0u);
}

}  // namespace jeton::http
