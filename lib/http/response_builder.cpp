// SPDX-License-Identifier: BSL-1.0
#include "http/response_builder.hpp"

#include "http/response_block.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace jeton::http {

namespace {

// For a body whose size is not known beforehand; doubled whenever it is used up.
constexpr std::size_t first_guess = 2048;

}  // namespace

response_builder::response_builder(response_builder&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)), capacity_(std::exchange(other.capacity_, 0))
{}

response_builder& response_builder::operator=(response_builder&& other) noexcept
{
    std::swap(block_, other.block_);
    std::swap(capacity_, other.capacity_);
    return *this;
}

response_builder::~response_builder() { reset(); }

void response_builder::start(int status, std::string_view head, std::span<field_position const> fields,
                             std::optional<std::uint64_t> expected, bool secret)
{
    reset();
    auto const before_body = sizeof(response::block) + fields.size_bytes() + head.size();
    auto const size = before_body + static_cast<std::size_t>(expected.value_or(first_guess));
    auto* const memory = std::malloc(size);
    if (!memory)
        throw std::bad_alloc();
    block_ = new (memory) response::block;
    capacity_ = size;
    block_->status = status;
    block_->fields = static_cast<std::uint32_t>(fields.size());
    block_->head_size = static_cast<std::uint32_t>(head.size());
    block_->used = before_body;
    block_->secret = secret;
    if (!fields.empty())
        std::memcpy(block_->positions(), fields.data(), fields.size_bytes());
    if (!head.empty())
        std::memcpy(block_->head(), head.data(), head.size());
}

// Makes the block at least `size` bytes large.
void response_builder::reserve(std::size_t size)
{
    if (size <= capacity_)
        return;
    size = std::max(size, 2 * capacity_);
    void* memory = nullptr;
    if (block_->secret) {
        // realloc would leave a copy behind.
        memory = std::malloc(size);
        if (memory) {
            std::memcpy(memory, static_cast<void const*>(block_), block_->used);
            response::block::destroy(block_);
        }
    } else {
        memory = std::realloc(static_cast<void*>(block_), size);
    }
    if (!memory)
        throw std::bad_alloc();
    block_ = static_cast<response::block*>(memory);
    capacity_ = size;
}

std::span<char> response_builder::body_room(std::size_t n)
{
    reserve(block_->used + n);
    return {block_->bytes() + block_->used, capacity_ - block_->used};
}

void response_builder::commit(std::size_t n) noexcept
{
    block_->used += n;
    block_->body_size += n;
}

void response_builder::append(std::string_view piece)
{
    if (piece.empty())
        return;
    std::memcpy(body_room(piece.size()).data(), piece.data(), piece.size());
    commit(piece.size());
}

std::size_t response_builder::body_size() const noexcept { return block_ ? block_->body_size : 0; }

void response_builder::trailers(std::string_view text, std::span<field_position const> fields)
{
    auto const at = response::block::aligned(block_->used);
    reserve(at + fields.size_bytes() + text.size());
    block_->trailers_at = at;
    block_->trailers = static_cast<std::uint32_t>(fields.size());
    block_->used = at + fields.size_bytes() + text.size();
    if (!fields.empty())
        std::memcpy(block_->bytes() + at, fields.data(), fields.size_bytes());
    if (!text.empty())
        std::memcpy(block_->bytes() + at + fields.size_bytes(), text.data(), text.size());
}

response response_builder::finish() noexcept
{
    capacity_ = 0;
    return response(std::exchange(block_, nullptr));
}

void response_builder::reset() noexcept
{
    response::block::destroy(std::exchange(block_, nullptr));
    capacity_ = 0;
}

void response_access::wipe_on_destroy(response& r) noexcept { r.block_->secret = true; }

}  // namespace jeton::http
