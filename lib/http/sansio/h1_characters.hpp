// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The alphabets of a message head, fast enough for every byte of every answer.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace jeton::http {

/// tchar (RFC 9110 §5.6.2), by byte value.
inline constexpr std::array<bool, 256> token_characters = [] {
    std::array<bool, 256> table{};
    for (unsigned char c = 'a'; c <= 'z'; ++c)
        table[c] = table[c - 'a' + 'A'] = true;
    for (unsigned char c = '0'; c <= '9'; ++c)
        table[c] = true;
    for (char c : std::string_view("!#$%&'*+-.^_`|~"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

constexpr bool is_token_character(char c) noexcept { return token_characters[static_cast<unsigned char>(c)]; }

/// VCHAR, obs-text, SP and HTAB (RFC 9110 §5.5).
constexpr bool is_field_character(char c) noexcept
{
    auto const u = static_cast<unsigned char>(c);
    return (u >= 0x20 && u != 0x7f) || u == '\t';
}

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// -1: not a hexadecimal digit.
constexpr int hex_value(char c) noexcept
{
    if (is_digit(c))
        return c - '0';
    auto const lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Without SP and HTAB at both ends: OWS (RFC 9110 §5.6.3).
constexpr std::string_view trimmed(std::string_view text) noexcept
{
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// Whether `text` is `lower` but for the case of its letters. `lower` holds lower-case letters, digits and '-' only, `text` no
/// control characters: setting one bit then is all that it takes.
constexpr bool is_word(std::string_view text, std::string_view lower) noexcept
{
    auto const size = lower.size();
    if (text.size() != size)
        return false;
    if (!std::is_constant_evaluated() && size >= 8) {
        // The last eight overlap what was compared before.
        auto const eight = [](char const* from) {
            std::uint64_t bytes = 0;
            std::memcpy(&bytes, from, 8);
            return bytes;
        };
        constexpr std::uint64_t bit = 0x2020'2020'2020'2020;
        std::size_t at = 0;
        for (; at + 8 < size; at += 8)
            if ((eight(text.data() + at) | bit) != eight(lower.data() + at))
                return false;
        return (eight(text.data() + size - 8) | bit) == eight(lower.data() + size - 8);
    }
    for (std::size_t i = 0; i != text.size(); ++i)
        if ((text[i] | 0x20) != lower[i])
            return false;
    return true;
}

/// The first byte from `from` on that does not belong into a field value, such as the CR behind it; `end` if there is none.
inline char const* find_end_of_value(char const* from, char const* end) noexcept
{
#ifdef __SSE2__
    auto const highest_control = _mm_set1_epi8(0x1f);
    auto const tab = _mm_set1_epi8('\t');
    auto const del = _mm_set1_epi8(0x7f);
    for (; end - from >= 16; from += 16) {
        auto const bytes = _mm_loadu_si128(reinterpret_cast<__m128i const*>(from));
        auto const control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, highest_control), bytes);
        auto const wrong =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), control), _mm_cmpeq_epi8(bytes, del));
        if (auto const mask = static_cast<unsigned>(_mm_movemask_epi8(wrong)); mask != 0)
            return from + __builtin_ctz(mask);
    }
#endif
    while (from != end && is_field_character(*from))
        ++from;
    return from;
}

/// The first byte from `from` on that does not belong into a token, such as the colon behind a field name; `end` if there is none.
inline char const* find_end_of_token(char const* from, char const* end) noexcept
{
#ifdef __SSE2__
    // Letters, digits, '-' and '.' are what names are made of; the rest of the alphabet is left to the table. Bytes from 0x80 on
    // are negative here and below every bound.
    auto const above = [](__m128i bytes, char bound) { return _mm_cmpgt_epi8(bytes, _mm_set1_epi8(bound)); };
    while (end - from >= 16) {
        auto const bytes = _mm_loadu_si128(reinterpret_cast<__m128i const*>(from));
        auto const lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        auto const letters = _mm_andnot_si128(above(lower, 'z'), above(lower, 'a' - 1));
        auto const others = _mm_andnot_si128(_mm_or_si128(above(bytes, '9'), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('/'))),
                                             above(bytes, '-' - 1));
        auto const mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(letters, others))) ^ 0xffffU;
        if (mask == 0) {
            from += 16;
            continue;
        }
        from += __builtin_ctz(mask);
        if (!is_token_character(*from))
            return from;
        ++from;
    }
#endif
    while (from != end && is_token_character(*from))
        ++from;
    return from;
}

}  // namespace jeton::http
