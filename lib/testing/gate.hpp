// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"

#include <jeton/base/serial.hpp>

#include <asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

namespace jeton::testing {

/// Where the calls to a fake wait as long as the test holds it.
///
/// `hold`, `ignore_cancellation` and `shut` may be called from any thread, `pass` on any executor; the rest belongs to `home`.
class gate {
public:
    explicit gate(serial home) : home_(std::move(home)) {}

    void hold() noexcept { shut_ = true; }
    void release();
    void ignore_cancellation(bool yes) noexcept { deaf_ = yes; }

    bool shut() const noexcept { return shut_; }
    std::size_t waiting() const noexcept { return place_.size(); }

    /// Waits until it is open, on home. False: cancelled meanwhile. The caller's cancellation setting is left as it was.
    static asio::awaitable<bool> pass(std::shared_ptr<gate> self);

private:
    static asio::awaitable<bool> wait(std::shared_ptr<gate> self);

    serial const home_;
    parking place_{};
    std::atomic<bool> shut_ = false;
    std::atomic<bool> deaf_ = false;
};

}  // namespace jeton::testing
