// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/clock.hpp>

#include <memory>

namespace jeton::testing {

/// A clock that stands still until told otherwise: whoever holds it owns every expiry, back-off, deadline and idle
/// time-out of the clients that were given it. It starts one day after boot, at the beginning of the year 2026.
///
/// All functions may be called from any thread. Alarms that become due are posted to their executors, never rung in the
/// middle of the call; a set alarm is not outstanding work, since only the test can make it ring.
class manual_clock final : public clock {
public:
    manual_clock();
    manual_clock(manual_clock const&) = delete;
    manual_clock& operator=(manual_clock const&) = delete;
    ~manual_clock() override;

    time_point now() const noexcept override;
    wall_time wall() const noexcept override;
    std::unique_ptr<alarm> make_alarm(asio::any_io_executor executor, std::function<void()> ring) override;

    /// Time passes. \pre `by` is not negative
    void advance(duration by);

    /// The machine sleeps for a while: time passes on both clocks, as CLOCK_BOOTTIME counts sleep too.
    void suspend(duration by) { advance(by); }

    /// Somebody sets the wall clock, forwards or back; boot time knows nothing of it.
    void jump_wall(duration by);

    /// How many alarms are set, to see that nothing is left waiting.
    std::size_t alarms_set() const;

private:
    class face;
    class manual_alarm;
    std::shared_ptr<face> face_;
};

}  // namespace jeton::testing
