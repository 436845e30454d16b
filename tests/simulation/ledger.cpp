// SPDX-License-Identifier: BSL-1.0
#include "simulation/ledger.hpp"

#include "support/h2_frames.hpp"

#include <nghttp2/nghttp2.h>

#include <charconv>
#include <new>

namespace jeton::testing {

namespace {

std::string last_segment(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::size_t content_length(std::string_view head)
{
    constexpr std::string_view name = "\r\nContent-Length: ";
    std::size_t n = 0;
    if (auto const at = head.find(name); at != std::string_view::npos)
        std::from_chars(head.data() + at + name.size(), head.data() + head.size(), n);
    return n;
}

}  // namespace

wire_reader::wire_reader(ledger& into, unsigned connection, bool h2) : into_(into), connection_(connection)
{
    if (h2 && nghttp2_hd_inflate_new(&inflater_) != 0)
        throw std::bad_alloc();
}

wire_reader::~wire_reader()
{
    if (inflater_ != nullptr)
        nghttp2_hd_inflate_del(inflater_);
}

arrival& wire_reader::enter(std::uint32_t stream)
{
    auto& made = into_.emplace_back();
    made.connection = connection_;
    made.stream = stream;
    mine_.push_back(&made);
    return made;
}

arrival* wire_reader::find(std::uint32_t stream) noexcept
{
    for (auto at = mine_.rbegin(); at != mine_.rend(); ++at)
        if ((*at)->stream == stream)
            return *at;
    return nullptr;
}

void wire_reader::feed(std::string_view bytes)
{
    rest_.append(bytes);
    while (!rest_.empty() && !confused_ && (inflater_ != nullptr ? take_frame() : take_h1())) {
    }
}

// RFC 9112 §2.1
bool wire_reader::take_h1()
{
    if (open_ == nullptr)
        open_ = &enter(0);
    std::string_view const all = rest_;
    auto const target = all.find(' ');
    auto const target_end = target == std::string_view::npos ? target : all.find(' ', target + 1);
    if (target_end != std::string_view::npos)
        open_->id = last_segment(all.substr(target + 1, target_end - target - 1));
    auto const head_end = all.find("\r\n\r\n");
    if (head_end == std::string_view::npos)
        return false;
    auto const size = head_end + 4 + content_length(all.substr(0, head_end));
    if (all.size() < size)
        return false;
    open_->whole = true;
    open_ = nullptr;
    rest_.erase(0, size);
    return true;
}

// RFC 9113 §4.1. A client of ours neither pads nor sends priorities, and its header blocks fit into a frame.
bool wire_reader::take_frame()
{
    if (!preface_seen_) {
        if (rest_.size() < h2::preface.size())
            return false;
        confused_ = !rest_.starts_with(h2::preface);
        preface_seen_ = true;
        rest_.erase(0, h2::preface.size());
        return true;
    }
    auto const byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(rest_[i])); };
    constexpr std::size_t header = 9;
    if (rest_.size() < header)
        return false;
    auto const size = byte(0) << 16 | byte(1) << 8 | byte(2);
    auto const kind = byte(3);
    auto const flags = byte(4);
    auto const stream = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
    auto* of = find(stream);
    if (kind == h2::headers && of == nullptr)
        of = &enter(stream);
    if (rest_.size() < header + size)
        return false;
    if (kind == h2::headers)
        take_header_block(*of, std::string_view(rest_).substr(header, size), (flags & h2::end_headers) != 0);
    if ((kind == h2::headers || kind == h2::data) && (flags & h2::end_stream) != 0 && of != nullptr)
        of->whole = true;
    rest_.erase(0, header + size);
    return true;
}

void wire_reader::take_header_block(arrival& of, std::string_view block, bool last_piece)
{
    confused_ = confused_ || !last_piece;
    auto const* at = reinterpret_cast<unsigned char const*>(block.data());
    auto left = block.size();
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
        nghttp2_nv field;
        auto const n = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
        confused_ = confused_ || n < 0;
        if (confused_)
            return;
        at += n;
        left -= static_cast<std::size_t>(n);
        std::string_view const name(reinterpret_cast<char const*>(field.name), field.namelen);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0 && name == ":path")
            of.id = last_segment({reinterpret_cast<char const*>(field.value), field.valuelen});
    }
    nghttp2_hd_inflate_end_headers(inflater_);
}

}  // namespace jeton::testing
