// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h2_memory.hpp"

#include <jeton/base/secret.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace jeton::http {

// What stands before the memory that is handed out.
struct alignas(std::max_align_t) h2_memory::block {
    std::size_t size = 0;  // this included
    block* next = nullptr;
};

nghttp2_mem h2_memory::as_nghttp2() noexcept { return {this, allocate, deallocate, allocate_zeroed, reallocate}; }

std::size_t h2_memory::class_of(std::size_t size) noexcept
{
    return static_cast<std::size_t>(std::bit_width((std::max(size, smallest) - 1) / smallest));
}

void* h2_memory::allocate(std::size_t size, void* self) noexcept
{
    if (size > SIZE_MAX / 2)
        return nullptr;
    auto& spare = static_cast<h2_memory*>(self)->spare_;
    auto whole = size + sizeof(block);
    auto const at = class_of(whole);
    if (at < classes) {
        if (auto* const found = spare[at]; found != nullptr) {
            spare[at] = found->next;
            return found + 1;
        }
        whole = smallest << at;
    }
    auto* const made = static_cast<block*>(std::malloc(whole));
    if (made == nullptr)
        return nullptr;
    made->size = whole;
    return made + 1;
}

void* h2_memory::allocate_zeroed(std::size_t count, std::size_t size, void* self) noexcept
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        return nullptr;
    auto* const made = allocate(count * size, self);
    if (made != nullptr)
        std::memset(made, 0, count * size);
    return made;
}

void* h2_memory::reallocate(void* old, std::size_t size, void* self) noexcept
{
    if (old == nullptr)
        return allocate(size, self);
    auto const room = (static_cast<block*>(old) - 1)->size - sizeof(block);
    if (size <= room)
        return old;
    auto* const made = allocate(size, self);
    if (made == nullptr)
        return nullptr;
    std::memcpy(made, old, room);
    deallocate(old, self);
    return made;
}

void h2_memory::deallocate(void* old, void* self) noexcept
{
    if (old == nullptr)
        return;
    auto* const b = static_cast<block*>(old) - 1;
    auto const at = class_of(b->size);
    if (at >= classes) {
        give_back(b);
        return;
    }
    auto& spare = static_cast<h2_memory*>(self)->spare_;
    b->next = spare[at];
    spare[at] = b;
}

void h2_memory::give_back(block* b) noexcept
{
    wipe(b + 1, b->size - sizeof(block));
    std::free(b);
}

void h2_memory::trim() noexcept
{
    for (auto*& list : spare_) {
        while (list != nullptr) {
            auto* const b = list;
            list = b->next;
            give_back(b);
        }
    }
}

}  // namespace jeton::http
