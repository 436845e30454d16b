// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP/2 frames by hand (RFC 9113 §4.1), so that they can be wrong in every way.
namespace jeton::testing::h2 {

enum type : unsigned char {
    data,
    headers,
    priority,
    rst_stream,
    settings,
    push_promise,
    ping,
    goaway,
    window_update,
    continuation
};
constexpr unsigned end_stream = 0x1;
constexpr unsigned ack = 0x1;
constexpr unsigned end_headers = 0x4;
constexpr unsigned padded = 0x8;

enum error : std::uint32_t {
    no_error,
    protocol_error,
    internal_error,
    flow_control_error,
    settings_timeout,
    stream_closed,
    frame_size_error,
    refused_stream,
    cancel,
    compression_error,
    connect_error,
    enhance_your_calm,
    inadequate_security,
    http_1_1_required
};

inline std::string u16(std::uint32_t n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
inline std::string u32(std::uint32_t n) { return u16(n >> 16) + u16(n & 0xffff); }

/// The header says `length`, whatever the payload is.
inline std::string frame_of_length(std::size_t length, unsigned kind, unsigned flags, std::uint32_t stream,
                                   std::string_view payload)
{
    auto const n = static_cast<std::uint32_t>(length);
    std::string bytes{static_cast<char>(n >> 16)};
    bytes += u16(n & 0xffff);
    bytes += static_cast<char>(kind);
    bytes += static_cast<char>(flags);
    bytes += u32(stream);
    return bytes.append(payload);
}

inline std::string frame(unsigned kind, unsigned flags, std::uint32_t stream, std::string_view payload = {})
{
    return frame_of_length(payload.size(), kind, flags, stream, payload);
}

/// RFC 7541 §5.1, behind the bits in `first`.
inline std::string integer(unsigned char first, int prefix_bits, std::size_t n)
{
    std::size_t const most = (std::size_t(1) << prefix_bits) - 1;
    if (n < most)
        return {static_cast<char>(first | n)};
    std::string bytes{static_cast<char>(first | most)};
    for (n -= most; n >= 128; n >>= 7)
        bytes += static_cast<char>(0x80 | (n & 0x7f));
    return bytes += static_cast<char>(n);
}

inline std::string text(std::string_view t) { return integer(0, 7, t.size()).append(t); }

/// A field that is not indexed (RFC 7541 §6.2.2), and one that is added to the table (§6.2.1).
inline std::string literal(std::string_view name, std::string_view value)
{
    return std::string(1, '\0') + text(name) + text(value);
}
inline std::string indexed_literal(std::string_view name, std::string_view value)
{
    return std::string(1, '\x40') + text(name) + text(value);
}
inline std::string indexed(std::size_t n) { return integer(0x80, 7, n); }

using fields = std::vector<std::pair<std::string_view, std::string_view>>;

inline std::string block(fields const& all)
{
    std::string bytes;
    for (auto const& [name, value] : all)
        bytes += literal(name, value);
    return bytes;
}

inline std::string head(std::uint32_t stream, fields const& all, bool last = false)
{
    return frame(headers, end_headers | (last ? end_stream : 0U), stream, block(all));
}

inline std::string body(std::uint32_t stream, std::string_view bytes, bool last = true)
{
    return frame(data, last ? end_stream : 0U, stream, bytes);
}

/// A whole answer.
inline std::string answer(std::uint32_t stream, std::string_view text = "hello")
{
    return head(stream, {{":status", "200"}, {"server", "x"}}) + body(stream, text);
}

using settings_list = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

inline std::string set(settings_list const& all = {})
{
    std::string bytes;
    for (auto const& [id, value] : all)
        bytes += u16(id) + u32(value);
    return frame(settings, 0, 0, bytes);
}
inline std::string settings_ack() { return frame(settings, ack, 0); }

/// What a server begins with, and its acknowledgement of ours.
inline std::string greeting(settings_list const& all = {}) { return set(all) + settings_ack(); }

inline std::string reset(std::uint32_t stream, std::uint32_t code) { return frame(rst_stream, 0, stream, u32(code)); }
inline std::string go_away(std::uint32_t last, std::uint32_t code = no_error)
{
    return frame(goaway, 0, 0, u32(last) + u32(code));
}
inline std::string window(std::uint32_t stream, std::uint32_t by) { return frame(window_update, 0, stream, u32(by)); }

/// A frame as it came.
struct seen_frame {
    unsigned kind = 0;
    unsigned flags = 0;
    std::uint32_t stream = 0;
    std::string payload{};

    std::uint32_t number(std::size_t at = 0) const
    {
        std::uint32_t n = 0;
        for (std::size_t i = at; i != at + 4 && i < payload.size(); ++i)
            n = n << 8 | static_cast<unsigned char>(payload[i]);
        return n;
    }
};

constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// All whole frames in `bytes`, a client's preface aside.
inline std::vector<seen_frame> frames_of(std::string_view bytes)
{
    if (bytes.starts_with(preface))
        bytes.remove_prefix(preface.size());
    auto const byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
    std::vector<seen_frame> all;
    while (bytes.size() >= 9) {
        auto const size = byte(0) << 16 | byte(1) << 8 | byte(2);
        if (bytes.size() < 9 + size)
            break;
        all.push_back({byte(3), byte(4), byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8),
                       std::string(bytes.substr(9, size))});
        bytes.remove_prefix(9 + size);
    }
    return all;
}

}  // namespace jeton::testing::h2
