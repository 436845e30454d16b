// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/dial_pace.hpp"

#include "base/backoff.hpp"

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
    not_before_ = saturating_add(now, backoff(limits_.first_pause, limits_.longest_pause, failures_, chance));
    ++failures_;
    last_failure_ = now;
}

}  // namespace jeton::http
