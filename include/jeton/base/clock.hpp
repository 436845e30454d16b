// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace jeton {

/// Calls back once when its clock reaches a set time. Belongs to one serial executor, on
/// which it is set, cleared and destroyed and on which it rings.
class alarm {
public:
    virtual ~alarm() = default;

    /// Rings once, at `at` or as soon after it as the executor gets to it; replaces what was set before.
    virtual void set(time_point at) = 0;

    /// Will not ring until set again.
    virtual void clear() noexcept = 0;
};

/// Where jeton reads the time and has itself woken. Nothing in the library asks a global
/// clock or arms a timer of its own, so a test that owns the clock owns every expiry,
/// back-off, deadline and idle time-out.
///
/// `now()`, `recent()` and `wall()` may be called from any thread.
class clock {
public:
    virtual ~clock() = default;

    virtual time_point now() const noexcept = 0;
    virtual wall_time wall() const noexcept = 0;

    /// `now()`, or what it said a few milliseconds ago: for those who look often whether something has ended that ends
    /// with a margin. Never ahead of `now()`.
    virtual time_point recent() const noexcept { return now(); }

    /// An alarm that calls `ring` on `executor`. The clock must outlive it; destroying the
    /// alarm guarantees that `ring` is not called any more.
    virtual std::unique_ptr<alarm> make_alarm(asio::any_io_executor executor, std::function<void()> ring) = 0;

    moment both() const noexcept { return {.boot = now(), .wall = wall()}; }
};

/// The machine's clock: CLOCK_BOOTTIME and CLOCK_REALTIME; `recent()` is at most one tick of the kernel behind (1 to 10 ms).
std::shared_ptr<clock> machine_clock();

}  // namespace jeton
