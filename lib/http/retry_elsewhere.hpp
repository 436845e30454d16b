// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/retry.hpp>

#include <asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace jeton::http {

/// Of several retry loops that do the same on different executors, the one whose home that is; null: none of them. What it
/// returns was made by `with_retries`. Callable from any thread.
using retry_elsewhere = std::function<std::shared_ptr<transport>(asio::any_io_executor const& here)>;

/// As `http::with_retries`; but a request that is awaited on the home of another loop is sent by that one. A router in front
/// would do as well, for one coroutine frame more on every request.
std::shared_ptr<transport> with_retries(std::shared_ptr<transport> inner, serial home, std::shared_ptr<clock> time,
                                        retry_policy policy, std::shared_ptr<observer> watcher,
                                        retry_elsewhere elsewhere);

}  // namespace jeton::http
