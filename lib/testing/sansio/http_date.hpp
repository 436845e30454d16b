// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <string>

namespace jeton::testing {

/// IMF-fixdate (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::chrono::sys_seconds at);

}  // namespace jeton::testing
