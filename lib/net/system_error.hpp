// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <system_error>

namespace jeton::net {

/// What an error of the kernel or of Asio means while a connection is being made: a `net::errc`, or
/// `jeton::errc::cancelled`. `otherwise` is for what has no name here. No error stays none.
std::error_code errc_of(std::error_code from, std::error_code otherwise) noexcept;

/// The same of a connection that was there: `reset`, however the kernel calls it, for the other codes say that
/// nothing has been sent.
std::error_code lost_or_cancelled(std::error_code from) noexcept;

}  // namespace jeton::net
