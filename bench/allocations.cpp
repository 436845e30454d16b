// SPDX-License-Identifier: BSL-1.0
#include "allocations.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

// What glibc's own malloc and realloc are called; they count nothing.
extern "C" void* __libc_malloc(std::size_t size);
extern "C" void* __libc_realloc(void* memory, std::size_t size);

namespace {

std::atomic<std::uint64_t> by_malloc{0};
std::atomic<std::uint64_t> by_new{0};

}  // namespace

namespace bench {

allocation_count allocations() noexcept
{
    return {.all = by_malloc.load(std::memory_order_relaxed),
            .by_operator_new = by_new.load(std::memory_order_relaxed)};
}

}  // namespace bench

extern "C" void* malloc(std::size_t size)
{
    by_malloc.fetch_add(1, std::memory_order_relaxed);
    return __libc_malloc(size);
}

extern "C" void* realloc(void* memory, std::size_t size)
{
    by_malloc.fetch_add(1, std::memory_order_relaxed);
    return __libc_realloc(memory, size);
}

void* operator new(std::size_t size)
{
    by_new.fetch_add(1, std::memory_order_relaxed);
    if (void* const memory = std::malloc(size == 0 ? 1 : size))
        return memory;
    throw std::bad_alloc();
}

void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
