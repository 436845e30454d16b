// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The points in time that jeton computes with. Types only: whoever needs to know what time
/// it is asks a `clock`, and pure code is told.

#include <chrono>

namespace jeton {

/// Time since boot, running on while the machine sleeps (CLOCK_BOOTTIME). A tag: it cannot
/// be asked for the time, only `clock` can.
struct boot_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<boot_clock, duration>;
    static constexpr bool is_steady = true;
};

using duration = boot_clock::duration;
using time_point = boot_clock::time_point;
using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// One instant on both clocks. What expires, expires by whichever says so first, so that
/// neither a suspended machine nor a corrected wall clock keeps a dead token alive.
struct moment {
    time_point boot{};
    wall_time wall{};
};

/// `at + by`, stopping at the ends of the clock instead of overflowing.
template <class Clock>
constexpr auto saturating_add(std::chrono::time_point<Clock, duration> at, duration by) noexcept
{
    using point = std::chrono::time_point<Clock, duration>;
    if (by > duration::zero() && at > point::max() - by)
        return point::max();
    if (by < duration::zero() && at < point::min() - by)
        return point::min();
    return at + by;
}

}  // namespace jeton
