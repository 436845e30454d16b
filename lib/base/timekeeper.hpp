// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/timing_wheel.hpp"

#include <jeton/base/clock.hpp>
#include <jeton/base/serial.hpp>

#include <memory>

namespace jeton {

/// The timers of one serial executor, driven by a clock: the only thing in jeton that has
/// itself woken. Confined to that executor, except `now()` and `both()`.
///
/// The alarm is set to the earliest wake-up that was ever asked for and otherwise left alone: a deadline that is armed
/// and disarmed within the life of an earlier one costs no system call.
class timekeeper {
public:
    timekeeper(serial const& home, std::shared_ptr<clock> time);
    timekeeper(timekeeper const&) = delete;
    timekeeper& operator=(timekeeper const&) = delete;

    time_point now() const noexcept { return time_->now(); }
    moment both() const noexcept { return time_->both(); }
    std::shared_ptr<clock> const& time() const noexcept { return time_; }

    void arm(timer& t, time_point at);
    void arm_after(timer& t, duration from_now) { arm(t, saturating_add(now(), from_now)); }

    /// Lets go of the alarm, which is outstanding work, if no timer is armed.
    void rest() noexcept;

private:
    void ring();
    void set(time_point at);

    std::shared_ptr<clock> time_;
    timing_wheel wheel_;
    std::unique_ptr<alarm> alarm_;
    time_point set_for_ = time_point::max();
    bool ringing_ = false;
};

}  // namespace jeton
