// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace jeton {

class timing_wheel;

/// A place in one of the wheel's circular lists.
struct timer_link {
    timer_link* next = nullptr;
    timer_link* previous = nullptr;
};

/// Something that becomes due. It links itself into the wheel: arming and disarming allocate
/// nothing and take constant time. Destroying it disarms it.
class timer : private timer_link {
public:
    timer() = default;
    timer(timer const&) = delete;
    timer& operator=(timer const&) = delete;
    virtual ~timer() { disarm(); }

    bool armed() const noexcept { return next != nullptr; }
    time_point due() const noexcept { return due_; }
    void disarm() noexcept;

    /// Its moment has passed. It is disarmed by now, and may be armed again or destroyed in here, as may any other.
    virtual void on_due() = 0;

private:
    friend class timing_wheel;
    timing_wheel* wheel_ = nullptr;
    time_point due_{};
    std::uint16_t slot_{};
};

/// All timers of one shard: a hierarchy of wheels, four levels of 256 slots, the lowest of
/// one millisecond each. Pure: it is told the time. A timer becomes due never early, and late by less than a slot of
/// the lowest level. What lies beyond the highest level is kept there and looked at again.
class timing_wheel {
public:
    explicit timing_wheel(time_point now);
    ~timing_wheel();  ///< disarms every timer
    timing_wheel(timing_wheel const&) = delete;
    timing_wheel& operator=(timing_wheel const&) = delete;

    /// Arms `t`, again if it is armed. A moment that has passed becomes due at the next `advance`.
    void arm(timer& t, time_point at);

    /// Calls `on_due` of every timer whose moment is not after `now`, earlier slots first. A timer armed in the course
    /// of it for a moment that has passed waits for the next call, so that the loop ends.
    void advance(time_point now);

    /// When to call `advance` next at the latest; nothing if no timer is armed. May be earlier than the first timer is
    /// due (timers move down a level then), never later than a slot after it.
    std::optional<time_point> next_wakeup() const noexcept;

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

private:
    friend class timer;
    using tick = std::uint64_t;  ///< milliseconds

    static constexpr unsigned levels = 4;
    static constexpr unsigned bits_per_level = 8;
    static constexpr std::uint16_t slots_per_level = 1U << bits_per_level;
    static constexpr std::uint16_t slots = levels * slots_per_level;
    static constexpr std::uint16_t beyond = slots;    ///< list of what is further away than the highest level reaches
    static constexpr std::uint16_t near = slots + 1;  ///< list of what is due within the current tick, or was before
    static constexpr std::uint16_t due_now = slots + 2;  ///< list of what `advance` is about to call

    struct wakeup {
        tick at;
        std::uint16_t slot;
    };

    static tick ceil_tick(time_point at) noexcept;
    static time_point start_of(tick at) noexcept;

    std::uint16_t slot_for(tick at) const noexcept;
    std::optional<wakeup> next_occupied() const noexcept;
    time_point last_due_in(std::uint16_t slot) const noexcept;
    void append(timer& t, std::uint16_t slot) noexcept;
    void unlink(timer& t) noexcept;
    void place(timer& t) noexcept;
    void place_all_of(std::uint16_t slot) noexcept;
    bool occupied(std::uint16_t slot) const noexcept { return lists_[slot].next != &lists_[slot]; }

    time_point now_;
    tick current_;  ///< that in which `now_` lies, named by its end
    std::size_t size_ = 0;
    std::array<std::uint64_t, slots / 64> occupied_{};  ///< one bit a slot
    std::array<timer_link, slots + 3> lists_{};
};

}  // namespace jeton
