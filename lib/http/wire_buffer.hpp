// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/secret.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace jeton::http {

/// Bytes on their way to or from a connection, contiguous: consumed at the front, added at the back. Made to be
/// used again and again without allocating. Tokens pass through it, so no byte outlives it: whatever memory it gives back is
/// overwritten first.
class wire_buffer {
public:
    wire_buffer() = default;
    wire_buffer(wire_buffer&& other) noexcept { swap(other); }
    wire_buffer& operator=(wire_buffer&& other) noexcept
    {
        wire_buffer(std::move(other)).swap(*this);
        return *this;
    }
    ~wire_buffer() { wipe(); }

    char* data() noexcept { return memory_.get() + begin_; }
    char const* data() const noexcept { return memory_.get() + begin_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    bool empty() const noexcept { return begin_ == end_; }
    std::size_t capacity() const noexcept { return capacity_; }
    std::string_view view() const noexcept { return {data(), size()}; }
    std::span<char> bytes() noexcept { return {data(), size()}; }

    /// Room for at least `n` more bytes behind what is held: all there is. What is held may move.
    std::span<char> prepare(std::size_t n)
    {
        if (capacity_ - end_ < n)
            make_room(n);
        return {memory_.get() + end_, capacity_ - end_};
    }

    /// The first `n` bytes of what `prepare` gave are filled.
    void commit(std::size_t n) noexcept
    {
        end_ += n;
        dirty_ = std::max(dirty_, end_);
    }

    /// Drops the first `n` bytes, `n <= size()`.
    void consume(std::size_t n) noexcept
    {
        begin_ += n;
        if (begin_ == end_)
            begin_ = end_ = 0;
    }

    void append(std::string_view text)
    {
        auto const room = prepare(text.size());
        if (!text.empty())
            std::memcpy(room.data(), text.data(), text.size());
        commit(text.size());
    }

    /// Empty, but the bytes stay in memory until they are written over.
    void clear() noexcept { begin_ = end_ = 0; }

    /// Empty, and everything that ever lay in it is overwritten.
    void wipe() noexcept
    {
        if (dirty_ != 0)
            jeton::wipe(memory_.get(), dirty_);
        begin_ = end_ = dirty_ = 0;
    }

    /// Like `wipe`, and gives the memory back: an idle connection holds no buffers.
    void release() noexcept
    {
        wipe();
        memory_.reset();
        capacity_ = 0;
    }

    void swap(wire_buffer& other) noexcept
    {
        std::swap(memory_, other.memory_);
        std::swap(capacity_, other.capacity_);
        std::swap(begin_, other.begin_);
        std::swap(end_, other.end_);
        std::swap(dirty_, other.dirty_);
    }

private:
    void make_room(std::size_t n)
    {
        auto const held = size();
        if (capacity_ - held >= n && begin_ >= capacity_ / 2) {
            std::memmove(memory_.get(), data(), held);
            begin_ = 0;
            end_ = held;
            return;
        }
        wire_buffer larger;
        larger.capacity_ = std::max({held + n, 2 * capacity_, std::size_t(1024)});
        larger.memory_.reset(new char[larger.capacity_]);
        if (held != 0)
            std::memcpy(larger.memory_.get(), data(), held);
        larger.commit(held);
        swap(larger);
    }

    std::unique_ptr<char[]> memory_{};
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t dirty_ = 0;  // bytes from the start of the memory that have been written since it was last wiped
};

}  // namespace jeton::http
