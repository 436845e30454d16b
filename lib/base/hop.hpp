// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/cancellable.hpp"
#include "base/cancellation.hpp"

#include <jeton/base/completion.hpp>
#include <jeton/base/result.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace jeton {

/// Runs `op` on another executor and comes back with its result. Unlike `co_spawn(to, op, use_awaitable)`, whose
/// cancellation would reach into the other executor from whatever thread emits it, this one carries it over.
template <class T>
asio::awaitable<T> hop(asio::any_io_executor to, asio::awaitable<T> op)
{
    auto start = [to](auto handler, asio::awaitable<T> what) {
        auto const over = std::make_shared<cancellable>(to);
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
            slot.assign(stop_request(over));
        auto const back = asio::get_associated_executor(handler, to);
        auto done = [over, back, guard = asio::make_work_guard(back),
                     handler = std::move(handler)](std::exception_ptr thrown, T value) mutable {
            asio::dispatch(back, [handler = std::move(handler), thrown, value = std::move(value)]() mutable {
                std::move(handler)(thrown, std::move(value));
            });
        };
        asio::co_spawn(to, std::move(what), asio::bind_cancellation_slot(over->slot(), std::move(done)));
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr, T)>(
        std::move(start), asio::use_awaitable, std::move(op));
}

inline failure cancelled_on_the_way()
{
    return {errc::cancelled, phase::queue, delivery::not_sent, "cancelled on the way to the client"};
}

/// Whether the caller's having been cancelled before the hop keeps `op` from being begun.
enum class if_cancelled : bool { stay, go };

/// As `hop`, for those who never throw because they were cancelled: an `op` that was never begun has failed as cancelled.
/// What `op` throws passes. The caller has seen to it that it is not thrown at for having been cancelled.
template <class T>
asio::awaitable<result<T>> hop_for_result(asio::any_io_executor to, asio::awaitable<result<T>> op,
                                          if_cancelled then = if_cancelled::stay)
{
    std::optional<result<T>> outcome;
    auto const state = co_await asio::this_coro::cancellation_state;
    if (cancelled(state) && then == if_cancelled::stay)
        co_return cancelled_on_the_way();
    try {
        auto brought = co_await hop(std::move(to), std::move(op));
        outcome.emplace(std::move(brought));
    } catch (std::system_error const& e) {
        // A coroutine that is cancelled before its first line has run throws.
        if (e.code() != asio::error::operation_aborted)
            throw;
        outcome.emplace(cancelled_on_the_way());
    }
    co_return std::move(*outcome);
}

}  // namespace jeton
