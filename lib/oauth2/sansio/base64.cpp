// SPDX-License-Identifier: BSL-1.0
#include "oauth2/sansio/base64.hpp"

#include <cstdint>

namespace jeton::oauth2 {

void append_base64(std::string& to, std::string_view bytes)
{
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        auto const group = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k != 3; ++k)
            bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0u);
        for (std::size_t k = 0; k != 4; ++k)
            to += k <= group.size() ? digits[bits >> (18 - 6 * k) & 63] : '=';
    }
}

std::optional<secret> decode_base64url(std::string_view text)
{
    if (text.size() % 4 == 1)
        return {};
    std::string bytes;
    bytes.reserve(text.size());
    std::uint32_t bits = 0;
    int held = 0;
    for (char const c : text) {
        std::uint32_t value = 0;
        if (c >= 'A' && c <= 'Z')
            value = static_cast<std::uint32_t>(c - 'A');
        else if (c >= 'a' && c <= 'z')
            value = static_cast<std::uint32_t>(c - 'a' + 26);
        else if (c >= '0' && c <= '9')
            value = static_cast<std::uint32_t>(c - '0' + 52);
        else if (c == '-')
            value = 62;
        else if (c == '_')
            value = 63;
        else {
            wipe(bytes);
            return {};
        }
        bits = (bits << 6 | value) & 0xffffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes += static_cast<char>(bits >> held & 0xff);
        }
    }
    return secret(std::move(bytes));
}

}  // namespace jeton::oauth2
