// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h2_frame_guard.hpp"

#include <algorithm>
#include <cstring>

namespace jeton::http {

namespace {

// RFC 9113 §6
enum type : unsigned char { data = 0, headers = 1, reset = 3, settings = 4, push_promise = 5, continuation = 9 };
constexpr unsigned char ack = 0x1;
constexpr unsigned char end_stream = 0x1;

}  // namespace

auto h2_frame_guard::look(std::string_view bytes, time_point now) noexcept -> answer
{
    std::size_t at = 0;
    for (;;) {
        auto const skipped = std::min(left_, bytes.size() - at);
        at += skipped;
        left_ -= skipped;
        if (at == bytes.size())
            return {verdict::good, at};

        auto const begin = at;
        auto const n = std::min(header_.size() - have_, bytes.size() - at);
        std::memcpy(header_.data() + have_, bytes.data() + at, n);
        have_ += n;
        at += n;
        if (have_ != header_.size())
            return {verdict::good, at};
        have_ = 0;
        if (auto const what = judge(now); what != verdict::good)
            return {what, begin};
    }
}

auto h2_frame_guard::judge(time_point now) noexcept -> verdict
{
    left_ = std::size_t(header_[0]) << 16 | std::size_t(header_[1]) << 8 | header_[2];
    auto const kind = header_[3];
    auto const flags = header_[4];

    // RFC 9113 §3.4: a server begins with SETTINGS. "HTTP/1.1 400" is read as something else.
    if (!greeted_ && (kind != settings || (flags & ack) != 0))
        return verdict::not_h2;
    greeted_ = true;

    switch (kind) {
    case data:
        if (left_ != 0 || (flags & end_stream) != 0) [[likely]]
            return verdict::good;
        break;
    case reset: return resets_.spend(now) ? verdict::good : verdict::flooded;
    // RFC 9113 §6.6, §8.4. Our SETTINGS come before the first request, so no server can have missed them.
    case push_promise: return verdict::pushed;
    case headers:
        continuations_ = 0;
        block_ = left_;
        break;
    case continuation:
        block_ += left_;
        if (++continuations_ > limits_.continuations)
            return verdict::endless_head;
        break;
    default: break;
    }
    if (block_ > limits_.header_block)
        return verdict::endless_head;
    return others_.spend(now) ? verdict::good : verdict::flooded;
}

}  // namespace jeton::http
