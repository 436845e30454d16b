// SPDX-License-Identifier: BSL-1.0
#include "allocations.hpp"

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

// What glibc's own functions are called; they count nothing.
extern "C" void* __libc_malloc(std::size_t size);
extern "C" void* __libc_calloc(std::size_t number, std::size_t size);
extern "C" void* __libc_realloc(void* memory, std::size_t size);
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t size);

namespace {

std::atomic<std::uint64_t> asked{0};
std::atomic<std::uint64_t> asked_by_new{0};
std::atomic<std::uint64_t> asked_aligned{0};
std::atomic<bool> counting{true};

void count(std::atomic<std::uint64_t>& what)
{
    if (counting.load(std::memory_order_relaxed))
        what.fetch_add(1, std::memory_order_relaxed);
}

void* with_alignment(std::size_t alignment, std::size_t size)
{
    count(asked);
    count(asked_aligned);
    return __libc_memalign(alignment, size);
}

}  // namespace

namespace bench {

allocation_count allocations() noexcept
{
    return {.all = asked.load(std::memory_order_relaxed),
            .by_operator_new = asked_by_new.load(std::memory_order_relaxed),
            .aligned = asked_aligned.load(std::memory_order_relaxed)};
}

void count_allocations(bool yes) noexcept { counting.store(yes, std::memory_order_relaxed); }

}  // namespace bench

extern "C" void* malloc(std::size_t size)
{
    count(asked);
    return __libc_malloc(size);
}

extern "C" void* calloc(std::size_t number, std::size_t size)
{
    count(asked);
    return __libc_calloc(number, size);
}

extern "C" void* realloc(void* memory, std::size_t size)
{
    count(asked);
    return __libc_realloc(memory, size);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) { return with_alignment(alignment, size); }
extern "C" void* memalign(std::size_t alignment, std::size_t size) { return with_alignment(alignment, size); }

extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size)
{
    if (!std::has_single_bit(alignment) || alignment % sizeof(void*) != 0)
        return EINVAL;
    void* const got = with_alignment(alignment, size);
    if (got == nullptr)
        return ENOMEM;
    *memory = got;
    return 0;
}

void* operator new(std::size_t size)
{
    count(asked_by_new);
    if (void* const memory = std::malloc(size == 0 ? 1 : size))
        return memory;
    throw std::bad_alloc();
}

void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
