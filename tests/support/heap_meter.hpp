// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

/// What a thread holds of the heap, counted at malloc itself, whoever calls it: OpenSSL and nghttp2 included. A program that links
/// `heap_meter.cpp` has it. With sanitizers their hooks are used, otherwise glibc's malloc is wrapped.
///
/// Each thread has its own figures, so that servers on other threads of the same test do not count.
namespace jeton::testing::heap {

/// Bytes that this thread has allocated since counting began, less what it has freed.
std::int64_t held() noexcept;

/// The most of it since `restart()`.
std::int64_t peak() noexcept;

/// The peak begins anew, with what is held now. \returns that
std::int64_t restart() noexcept;

/// How often this thread has asked for memory. Without sanitizers only.
struct requests {
    std::uint64_t all = 0;
    std::uint64_t aligned = 0;  ///< of those, with an alignment of their own, as Asio does for the frames of coroutines
};
requests asked() noexcept;

}  // namespace jeton::testing::heap
