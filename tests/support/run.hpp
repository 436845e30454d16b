// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <boost/test/unit_test.hpp>

#include <exception>
#include <optional>

namespace jeton::testing {

/// Lets everything that can run, run. Never blocks: with a manual clock and fakes there is
/// nothing to wait for, so whatever is left suspended is waiting for the test's next move.
inline void settle(asio::io_context& io)
{
    io.restart();
    while (io.poll() != 0) {
    }
}

/// A coroutine the test started and may look at later.
template <class T>
class started {
public:
    started(asio::io_context& io, asio::awaitable<T> op)
    {
        asio::co_spawn(io, std::move(op),
                       asio::bind_cancellation_slot(stop_.slot(), [this](std::exception_ptr e, T value) {
                           BOOST_TEST(!e, "the coroutine threw");
                           outcome_.emplace(std::move(value));
                       }));
    }
    started(started const&) = delete;

    bool done() const noexcept { return outcome_.has_value(); }
    T const& outcome() const { return outcome_.value(); }
    void cancel() { stop_.emit(asio::cancellation_type::terminal); }

private:
    asio::cancellation_signal stop_;
    std::optional<T> outcome_;
};

}  // namespace jeton::testing
