// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/timekeeper.hpp"

#include <jeton/base/result.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace jeton::net {

using endpoints = std::vector<asio::ip::tcp::endpoint>;

/// The addresses of a host, in the order in which to try them, at least one. An address is not looked up.
///
/// The lookup cannot be interrupted: it happens in getaddrinfo() on the one thread that Asio keeps for a context. On
/// time-out and cancellation this completes at once all the same; the late answer finds nobody.
///
/// Fails in phase `resolve` with `host_not_found`, `resolver_failed`, `no_descriptors`, `cond::timeout` or `cond::cancelled`.
asio::awaitable<result<endpoints>> resolve(asio::any_io_executor executor, std::shared_ptr<timekeeper> timers,
                                           std::string host, std::uint16_t port, duration limit);

}  // namespace jeton::net
