// SPDX-License-Identifier: BSL-1.0
#include "net/sansio/record_feed.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace jeton::net {

namespace {

// Type, version and length (RFC 8446 §5.1).
constexpr std::size_t header = 5;

}  // namespace

std::span<char> record_feed::room() noexcept
{
    if (!bytes_)
        bytes_.reset(new (std::nothrow) char[capacity]);
    if (!bytes_)
        return {};
    // What is left is less than a header.
    std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return {bytes_.get() + end_, capacity - end_};
}

std::size_t record_feed::take(char* into, std::size_t size) noexcept
{
    auto const there = end_ - begin_;
    if (rest_ == 0) {
        if (there < header)
            return 0;
        auto const byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes_[begin_ + at]); };
        rest_ = header + (std::size_t(byte(3)) << 8) + byte(4);
    }
    auto const n = std::min({size, there, rest_});
    std::memcpy(into, bytes_.get() + begin_, n);
    begin_ += n;
    rest_ -= n;
    return n;
}

void record_feed::release() noexcept
{
    if (!empty())
        return;
    bytes_.reset();
    begin_ = end_ = 0;
}

}  // namespace jeton::net
