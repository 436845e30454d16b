// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/clock.hpp>
#include <jeton/base/observer.hpp>
#include <jeton/base/serial.hpp>
#include <jeton/http/retry_policy.hpp>
#include <jeton/http/transport.hpp>

#include <memory>

namespace jeton::http {

/// Sends again what failed and may be sent again, within the deadline of the request and a budget.
///
/// The one retry loop; goes outermost. A failure that says when a token will be tried for again (`diag().retry_at`) is
/// waited for if the deadline allows. Callable from any executor; it runs on `home`.
///
/// \throws std::invalid_argument  `policy` breaks its own rule, or `inner` or `time` is null.
std::shared_ptr<transport> with_retries(std::shared_ptr<transport> inner, serial home, std::shared_ptr<clock> time,
                                        retry_policy policy = {}, std::shared_ptr<observer> watcher = {});

}  // namespace jeton::http
