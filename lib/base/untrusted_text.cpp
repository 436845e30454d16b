// SPDX-License-Identifier: BSL-1.0
#include "base/untrusted_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace jeton {

namespace {

struct code_point {
    char32_t value;
    std::size_t size;  ///< in bytes; 0 if the text does not begin with valid UTF-8
};

/// RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
code_point decode(std::string_view text) noexcept
{
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const first = byte(0);
    if (first < 0x80)
        return {first, 1};
    std::size_t const size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || text.size() < size)
        return {0, 0};
    auto value = static_cast<char32_t>(first & (0xffU >> (size + 1)));
    for (std::size_t i = 1; i != size; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return {0, 0};
        value = value << 6 | (byte(i) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    bool const valid = value >= smallest[size] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    return valid ? code_point{value, size} : code_point{0, 0};
}

struct range {
    char32_t first;
    char32_t last;
};

/// What is invisible, moves the cursor, turns the direction of its neighbours or piles up on them: by Unicode's general
/// categories Cc, Cf, Zs, Zl, Zp and Co, the combining marks of no particular script, the fillers, and variation selectors.
constexpr std::array hidden{
    range{0x0080, 0x00a0},   range{0x00ad, 0x00ad},   range{0x0300, 0x036f},   range{0x0483, 0x0489},
    range{0x0600, 0x0605},   range{0x061c, 0x061c},   range{0x06dd, 0x06dd},   range{0x070f, 0x070f},
    range{0x0890, 0x0891},   range{0x08e2, 0x08e2},   range{0x115f, 0x1160},   range{0x1680, 0x1680},
    range{0x17b4, 0x17b5},   range{0x180b, 0x180f},   range{0x1ab0, 0x1aff},   range{0x1dc0, 0x1dff},
    range{0x2000, 0x200f},   range{0x2028, 0x202f},   range{0x205f, 0x206f},   range{0x20d0, 0x20ff},
    range{0x2800, 0x2800},   range{0x3000, 0x3000},   range{0x3164, 0x3164},   range{0xe000, 0xf8ff},
    range{0xfdd0, 0xfdef},   range{0xfe00, 0xfe0f},   range{0xfe20, 0xfe2f},   range{0xfeff, 0xfeff},
    range{0xffa0, 0xffa0},   range{0xfff0, 0xfffb},   range{0x110bd, 0x110bd}, range{0x110cd, 0x110cd},
    range{0x13430, 0x1345f}, range{0x1bca0, 0x1bca3}, range{0x1d173, 0x1d17a}, range{0xe0000, 0x10ffff},
};

bool shown(char32_t c) noexcept
{
    if (c < 0x80)
        return c >= 0x20 && c != 0x7f && c != '\\';
    if ((c & 0xfffe) == 0xfffe)
        return false;  // noncharacters
    auto const at = std::lower_bound(hidden.begin(), hidden.end(), c, [](range r, char32_t v) { return r.last < v; });
    return at == hidden.end() || c < at->first;
}

std::string hexadecimal(std::uint32_t value, std::size_t digits)
{
    std::string text;
    while (value != 0 || text.size() < digits) {
        text.insert(text.begin(), "0123456789abcdef"[value % 16]);
        value /= 16;
    }
    return text;
}

std::string escape(char32_t c)
{
    switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\\': return "\\\\";
    default: return c < 0x80 ? "\\x" + hexadecimal(c, 2) : "\\u{" + hexadecimal(c, 1) + "}";
    }
}

}  // namespace

std::string untrusted_text(std::string_view from_peer, std::size_t longest)
{
    constexpr std::string_view more = "...";
    std::string safe;
    std::size_t room_for_more = 0;  // where the mark goes, should it be needed
    while (!from_peer.empty()) {
        auto const c = decode(from_peer);
        auto const size = std::max<std::size_t>(c.size, 1);
        if (c.size == 0)
            safe += "\\x" + hexadecimal(static_cast<unsigned char>(from_peer.front()), 2);
        else if (shown(c.value))
            safe += from_peer.substr(0, size);
        else
            safe += escape(c.value);
        if (safe.size() > longest) {
            safe.resize(room_for_more);
            return safe += more.substr(0, longest - room_for_more);
        }
        if (safe.size() + more.size() <= longest)
            room_for_more = safe.size();
        from_peer.remove_prefix(size);
    }
    return safe;
}

}  // namespace jeton
