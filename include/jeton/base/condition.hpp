// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <system_error>

namespace jeton {

/// The questions a caller asks of an error. Codes are many and change; these do not.
///
///     if (r.error().code() == cond::transient) ...
///
/// Each layer's category says which of its codes answer to which condition, so this layer
/// need not know the ones above it. Asio's own codes are answered here: standalone Asio's
/// `operation_aborted` does not compare equal to `std::errc::operation_canceled`.
///
/// None of them says that a request may be sent again: ask `failure::safe_to_resend()`.
enum class cond {
    cancelled = 1,  ///< the caller asked for it
    timeout,        ///< a deadline or a limit of ours passed
    transient,      ///< may work if tried again later; every timeout is transient
    credentials,    ///< the peer knows who we are and says no; trying again will not help
    malformed,      ///< the peer broke its protocol
    overloaded,     ///< too much is waiting already, here or at the peer
};

std::error_condition make_error_condition(cond c) noexcept;

}  // namespace jeton

template <>
struct std::is_error_condition_enum<jeton::cond> : std::true_type {};
