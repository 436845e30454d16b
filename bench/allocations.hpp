// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace bench {

/// How often memory was asked for in this program so far, whoever did: OpenSSL, too.
struct allocation_count {
    std::uint64_t all = 0;              ///< malloc, calloc, realloc, aligned_alloc, posix_memalign, memalign
    std::uint64_t by_operator_new = 0;  ///< of those, through operator new
    std::uint64_t aligned = 0;          ///< of those, with an alignment: Asio's operations and coroutine frames
};

allocation_count allocations() noexcept;

/// Whether to count from now on; at the beginning, it is counted.
void count_allocations(bool yes) noexcept;

}  // namespace bench
