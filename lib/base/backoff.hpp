// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

namespace jeton {

/// `whole` times `chance`, which is 0 to 1.
constexpr duration part_of(duration whole, double chance) noexcept
{
    return duration(static_cast<duration::rep>(static_cast<double>(whole.count()) * chance));
}

/// The pause after a failure that `before` others preceded: `first`, doubled for each of them, `longest` at most. Half of
/// it for certain, so that pauses do grow; half by chance, so that those who fail together do not come back together.
constexpr duration backoff(duration first, duration longest, unsigned long before, double chance) noexcept
{
    auto whole = first;
    for (; before != 0 && whole < longest; --before)
        whole = whole > longest / 2 ? longest : 2 * whole;
    auto const certain = whole / 2;
    return certain + part_of(whole - certain, chance);
}

}  // namespace jeton
