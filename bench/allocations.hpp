// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace bench {

/// How often `operator new` was called in this program so far: jeton's own allocations and coroutine frames, not
/// OpenSSL's.
std::uint64_t allocations() noexcept;

}  // namespace bench
