// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/asio_in_use.hpp>

#include <asio/any_io_executor.hpp>

#include <utility>

// Named, not included: <asio/strand.hpp> is a third of what <asio/awaitable.hpp> costs to compile.
namespace asio {
class io_context;
template <typename Executor>
class strand;
}  // namespace asio

namespace jeton {

/// An executor on which no two handlers run at the same time: what every stateful object of
/// jeton runs on, and why none of them locks.
///
/// Made from any executor, it wraps it in a strand, so that the safe thing happens by
/// default. Saying `serial(...)` explicitly vouches that the wrapping is not needed.
class serial {
public:
    /// Vouches that at most one thread at a time runs `io`.
    explicit serial(asio::io_context& io);

    /// Vouched for by being a strand; not wrapped twice.
    template <class Executor>
    explicit serial(asio::strand<Executor> strand) : executor_(std::move(strand))
    {}

    /// Any executor, wrapped in a strand of its own.
    serial(asio::any_io_executor any);

    asio::any_io_executor const& executor() const noexcept { return executor_; }

private:
    asio::any_io_executor executor_;
};

}  // namespace jeton
