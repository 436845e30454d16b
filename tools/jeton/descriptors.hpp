// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace jeton::tool {

/// Lets this process open as many files and connections as the system allows it (RLIMIT_NOFILE: the soft limit becomes
/// the hard one).
void raise_descriptor_limit() noexcept;

/// How many connections there is room for, beside whatever else is open.
std::size_t room_for_connections() noexcept;

/// How many connections to a server in this very process there is room for, beside whatever else is open. Each takes two
/// descriptors.
std::size_t room_for_loopback_connections() noexcept;

}  // namespace jeton::tool
