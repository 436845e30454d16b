// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <algorithm>
#include <chrono>

namespace jeton::http {

/// How much of something the peer may do, or we may: a bucket that holds `burst` and is filled by `per_second`.
struct h2_rate {
    int burst = 0;
    int per_second = 1;  ///< at least 1
};

/// What is left of an `h2_rate`. Kept as the moment up to which everything is used up, so that nothing has to be refilled.
class h2_budget {
public:
    explicit h2_budget(h2_rate rate) noexcept
        : each_(std::chrono::nanoseconds(std::chrono::seconds(1)) / rate.per_second), depth_(rate.burst * each_)
    {}

    /// Takes one. \returns whether it was there
    bool spend(time_point now) noexcept
    {
        used_ = std::max(used_, saturating_add(now, -depth_));
        if (used_ + each_ > now)
            return false;
        used_ += each_;
        return true;
    }

    /// Puts some back: as much progress was made.
    void grant(int count) noexcept { used_ = saturating_add(used_, -count * each_); }

private:
    duration each_;
    duration depth_;
    time_point used_ = time_point::min();
};

}  // namespace jeton::http
