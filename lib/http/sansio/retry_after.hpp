// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace jeton::http {

/// An HTTP-date in any of its three forms (RFC 9110 §5.6.7).
/// \param now  decides the century of a year with two digits
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text, wall_time now);

/// How long the peer asks to wait (RFC 9110 §10.2.3): seconds, or until a date. A date that has passed is zero. Nothing if it
/// is neither, negative, or longer than `duration` can tell.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, wall_time now);

}  // namespace jeton::http
