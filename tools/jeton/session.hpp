// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "exit_code.hpp"

#include <jeton/client/client.hpp>

#include <asio/awaitable.hpp>

#include <functional>

namespace jeton::tool {

/// Runs one coroutine of a command over a client of its own: makes the client, shuts it down when the coroutine is done,
/// and gives up at once when the user interrupts.
exit_code with_client(provider const& api, credentials const& who, client_options const& options,
                      std::function<asio::awaitable<exit_code>(client&)> const& work);

}  // namespace jeton::tool
