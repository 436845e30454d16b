// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>

#include <utility>

namespace jeton {

/// An operation that runs on one executor and may be asked from others to stop. Shared by the operation, which
/// owns it, and those who may ask, who look whether it is still there.
class cancellable {
public:
    explicit cancellable(asio::any_io_executor where) : home_(std::move(where)) {}
    cancellable(cancellable const&) = delete;
    cancellable& operator=(cancellable const&) = delete;

    asio::any_io_executor const& home() const noexcept { return home_; }

    /// Both on home only.
    asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    void stop(asio::cancellation_type type) { signal_.emit(type); }

private:
    asio::any_io_executor home_;
    asio::cancellation_signal signal_{};
};

}  // namespace jeton
