// SPDX-License-Identifier: BSL-1.0
#include "support/heap_meter.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <malloc.h>

namespace {

struct figures {
    std::int64_t held = 0;
    std::int64_t peak = 0;

    void add(std::int64_t bytes) noexcept
    {
        held += bytes;
        peak = std::max(peak, held);
    }
};

// Known when the program is linked: the first use of it allocates nothing.
constinit thread_local figures mine;
constinit thread_local jeton::testing::heap::requests made;

}  // namespace

namespace jeton::testing::heap {

std::int64_t held() noexcept { return mine.held; }
std::int64_t peak() noexcept { return mine.peak; }
std::int64_t restart() noexcept { return mine.peak = mine.held; }
requests asked() noexcept { return made; }

}  // namespace jeton::testing::heap

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

// Of <sanitizer/allocator_interface.h>, which Debian's g++ comes without.
extern "C" {
std::size_t __sanitizer_get_allocated_size(void const volatile* memory);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(void const volatile*, std::size_t),
                                              void (*on_free)(void const volatile*));
}

namespace {

void on_malloc(void const volatile*, std::size_t size) { mine.add(static_cast<std::int64_t>(size)); }
void on_free(void const volatile* memory)
{
    if (memory != nullptr)
        mine.add(-static_cast<std::int64_t>(__sanitizer_get_allocated_size(memory)));
}

[[maybe_unused]] int const installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

}  // namespace

#else

// What glibc's own are called.
extern "C" void* __libc_malloc(std::size_t size);
extern "C" void* __libc_calloc(std::size_t count, std::size_t size);
extern "C" void* __libc_realloc(void* memory, std::size_t size);
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t size);
extern "C" void __libc_free(void* memory);

namespace {

std::int64_t size_of(void* memory) noexcept { return static_cast<std::int64_t>(::malloc_usable_size(memory)); }

void* counted(void* memory) noexcept
{
    ++made.all;
    if (memory != nullptr)
        mine.add(size_of(memory));
    return memory;
}

void* with_alignment(std::size_t alignment, std::size_t size) noexcept
{
    ++made.aligned;
    return counted(__libc_memalign(alignment, size));
}

}  // namespace

extern "C" void* malloc(std::size_t size) { return counted(__libc_malloc(size)); }
extern "C" void* calloc(std::size_t count, std::size_t size) { return counted(__libc_calloc(count, size)); }
extern "C" void* memalign(std::size_t alignment, std::size_t size) { return with_alignment(alignment, size); }
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) { return with_alignment(alignment, size); }
extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size)
{
    *memory = with_alignment(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
extern "C" void* realloc(void* memory, std::size_t size)
{
    auto const before = memory == nullptr ? 0 : size_of(memory);
    void* const moved = __libc_realloc(memory, size);
    ++made.all;
    if (moved != nullptr || size == 0)
        mine.add((moved == nullptr ? 0 : size_of(moved)) - before);
    return moved;
}
extern "C" void free(void* memory)
{
    if (memory != nullptr)
        mine.add(-size_of(memory));
    __libc_free(memory);
}

#endif
