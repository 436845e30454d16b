// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace bench {

/// How often memory was asked for in this program so far.
struct allocation_count {
    std::uint64_t all = 0;              ///< malloc and realloc, whoever called them: OpenSSL, too
    std::uint64_t by_operator_new = 0;  ///< of those, through operator new
};

allocation_count allocations() noexcept;

}  // namespace bench
