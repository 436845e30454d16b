// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace jeton {

/// Runs `op` on another executor and comes back with its result. Unlike `co_spawn(to, op, use_awaitable)`, whose
/// cancellation would reach into the other executor from whatever thread emits it, this one carries it over.
template <class T>
asio::awaitable<T> hop(asio::any_io_executor to, asio::awaitable<T> op)
{
    auto start = [to](auto handler, asio::awaitable<T> what) {
        struct link {
            asio::cancellation_signal stop{};
        };
        auto const over = std::make_shared<link>();
        auto const slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) {
            auto callers = slot;
            callers.assign(
                [over, to](asio::cancellation_type type) { asio::post(to, [over, type] { over->stop.emit(type); }); });
        }
        auto const back = asio::get_associated_executor(handler, to);
        auto done = [over, back, guard = asio::make_work_guard(back),
                     handler = std::move(handler)](std::exception_ptr thrown, T value) mutable {
            asio::dispatch(back, [handler = std::move(handler), thrown, value = std::move(value)]() mutable {
                std::move(handler)(thrown, std::move(value));
            });
        };
        asio::co_spawn(to, std::move(what), asio::bind_cancellation_slot(over->stop.slot(), std::move(done)));
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr, T)>(
        std::move(start), asio::use_awaitable, std::move(op));
}

}  // namespace jeton
