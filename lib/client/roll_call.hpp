// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace jeton {

/// Several things that end, each on whatever thread, and a coroutine on `home` that waits for the last.
class roll_call : public std::enable_shared_from_this<roll_call> {
public:
    roll_call(asio::any_io_executor home, std::size_t expected) : home_(std::move(home)), missing_(expected) {}

    /// One has ended. Any thread, once for each.
    void answer()
    {
        asio::post(home_, [weak = weak_from_this()] {
            if (auto const self = weak.lock(); self && --self->missing_ == 0)
                self->waiting_.wake_all();
        });
    }

    /// On home. Not ended by cancellation.
    static asio::awaitable<void> all(std::shared_ptr<roll_call> self)
    {
        while (self->missing_ != 0)
            co_await self->waiting_.wait();
    }

private:
    asio::any_io_executor home_;
    std::size_t missing_;  // on home
    parking waiting_{};    // on home
};

}  // namespace jeton
