// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace jeton::http {

/// How fast one origin is dialled, so that a peer that is down or has just come back is not run over: how many dials
/// may be in progress, and when the next one may begin after a failure.
///
///   a dial fails         one at a time, after a pause that doubles from failure to failure, with equal jitter
///   a dial succeeds      at once, and twice as many at a time as before
///   a connection serves  the next failure is a first one again
///
/// That a dial succeeds does not end the series: a peer may accept every connection only to drop it.
class dial_pace {
public:
    struct limits {
        std::size_t at_once = 16;                                  ///< dials in progress; at least 1
        duration first_pause = std::chrono::milliseconds(100);     ///< greater than zero
        duration longest_pause = std::chrono::milliseconds(2000);  ///< not less than `first_pause`
    };

    explicit dial_pace(limits how) : limits_(how), window_(how.at_once) {}

    /// Whether another dial may begin while `in_progress` are under way.
    bool allows(time_point now, std::size_t in_progress) const noexcept
    {
        return in_progress < window_ && now >= not_before_;
    }

    /// The moment before which no dial begins; may have passed.
    time_point not_before() const noexcept { return not_before_; }

    void on_made() noexcept;

    /// Dials that were in progress at the same time fail as one.
    /// \param begun   when the dial that failed began
    /// \param chance  0 to 1, for the jitter
    void on_failed(time_point begun, time_point now, double chance) noexcept;

    /// A connection has done what it was made for.
    void on_proved() noexcept { failures_ = 0; }

    std::uint32_t failures() const noexcept { return failures_; }  ///< in a row

private:
    limits limits_;
    std::size_t window_;
    std::uint32_t failures_ = 0;
    time_point last_failure_ = time_point::min();
    time_point not_before_ = time_point::min();
};

}  // namespace jeton::http
