// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/awaitable.hpp>

#include <cstddef>
#include <functional>

namespace jeton::tool {

/// Starts `count` coroutines on the caller's executor and waits until the last one has ended; an
/// exception of one of them comes out of it then.
asio::awaitable<void> run_crew(std::size_t count, std::function<asio::awaitable<void>(std::size_t)> work);

}  // namespace jeton::tool
