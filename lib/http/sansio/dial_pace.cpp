// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/dial_pace.hpp"

#include <algorithm>

namespace jeton::http {

void dial_pace::on_made() noexcept
{
    window_ = window_ > limits_.at_once / 2 ? limits_.at_once : 2 * window_;
    not_before_ = time_point::min();
}

void dial_pace::on_failed(time_point begun, time_point now, double chance) noexcept
{
    window_ = 1;
    if (failures_ != 0 && begun <= last_failure_)
        return;
    duration pause = limits_.first_pause;
    for (std::uint32_t i = 0; i < failures_ && pause < limits_.longest_pause; ++i)
        pause = pause > limits_.longest_pause / 2 ? limits_.longest_pause : 2 * pause;
    ++failures_;
    last_failure_ = now;
    // Half of it for certain, so that pauses do grow; half by chance, so that clients do not come in step.
    auto const certain = pause / 2;
    auto const left_to_chance = static_cast<double>((pause - certain).count()) * chance;
    not_before_ = saturating_add(now, certain + duration(static_cast<duration::rep>(left_to_chance)));
}

}  // namespace jeton::http
