// SPDX-License-Identifier: BSL-1.0
#include "descriptors.hpp"

#include <limits>

#include <sys/resource.h>

namespace jeton::tool {

namespace {

// Standard streams, pollers, timers, listeners, certificates, and connections that are still closing.
constexpr rlim_t for_all_else = 64;

}  // namespace

void raise_descriptor_limit() noexcept
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);  // where it is refused, the old limit holds
}

std::size_t room_for_connections() noexcept
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return std::numeric_limits<std::size_t>::max();
    return limit.rlim_cur > for_all_else ? static_cast<std::size_t>(limit.rlim_cur - for_all_else) : 0;
}

std::size_t room_for_loopback_connections() noexcept
{
    auto const room = room_for_connections();
    return room == std::numeric_limits<std::size_t>::max() ? room : room / 2;
}

}  // namespace jeton::tool
