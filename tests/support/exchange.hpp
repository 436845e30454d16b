// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/cancellation.hpp"
#include "http/connection.hpp"

#include <asio/this_coro.hpp>

#include <utility>

namespace jeton::testing {

/// A whole exchange, as http::client does it. The connection must outlive it.
inline asio::awaitable<result<http::response>> exchange(http::connection& over, http::exchange_order order)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    auto outcome = over.begin(order);
    while (!outcome) {
        auto const state = co_await asio::this_coro::cancellation_state;
        auto why = woken::cancelled;
        if (!cancelled(state))
            why = co_await over.wait(order);
        outcome = over.proceed(order, why);
    }
    co_return std::move(*outcome);
}

}  // namespace jeton::testing
