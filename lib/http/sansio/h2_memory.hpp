// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>

namespace jeton::http {

/// Where one nghttp2 session has its memory from. Requests need the same few sizes again and again, so what is given back
/// is kept for the next one; and tokens pass through it, so whatever goes back to the system is overwritten first.
class h2_memory {
public:
    h2_memory() noexcept = default;
    h2_memory(h2_memory const&) = delete;
    h2_memory& operator=(h2_memory const&) = delete;
    ~h2_memory() { trim(); }

    /// What nghttp2 is given; it must not outlive this.
    nghttp2_mem as_nghttp2() noexcept;

    /// Gives what is not in use back to the system.
    void trim() noexcept;

private:
    struct block;
    static constexpr std::size_t classes = 7;  // 64 bytes, doubled up to 4 KiB, what we write before them included
    static constexpr std::size_t smallest = 64;

    static std::size_t class_of(std::size_t size) noexcept;
    static void* allocate(std::size_t size, void* self) noexcept;
    static void* allocate_zeroed(std::size_t count, std::size_t size, void* self) noexcept;
    static void* reallocate(void* old, std::size_t size, void* self) noexcept;
    static void deallocate(void* old, void* self) noexcept;
    static void give_back(block* b) noexcept;

    std::array<block*, classes> spare_{};
};

}  // namespace jeton::http
