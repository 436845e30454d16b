// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/cancellation_state.hpp>

namespace jeton {

/// Whether a coroutine has been cancelled, given `co_await asio::this_coro::cancellation_state`. The state is named
/// before it is asked: g++ 12 may read a frame that is not set up yet where a condition itself awaits.
inline bool cancelled(asio::cancellation_state const& state) noexcept
{
    return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace jeton
