// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/keep_alive_hint.hpp"

#include "http/sansio/h1_characters.hpp"

namespace jeton::http {

namespace {

std::optional<std::uint32_t> number(std::string_view s) noexcept
{
    if (s.size() >= 2 && s.front() == '"' && s.back() == '"')
        s = s.substr(1, s.size() - 2);
    if (s.empty())
        return {};
    std::uint64_t n = 0;
    for (char const c : s) {
        if (c < '0' || c > '9')
            return {};
        n = n * 10 + static_cast<std::uint64_t>(c - '0');
        if (n > UINT32_MAX)
            n = UINT32_MAX;
    }
    return static_cast<std::uint32_t>(n);
}

}  // namespace

keep_alive_hint parse_keep_alive(std::string_view value) noexcept
{
    keep_alive_hint hint;
    while (!value.empty()) {
        auto const comma = value.find(',');
        auto const item = trimmed(value.substr(0, comma));
        value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
        auto const equals = item.find('=');
        if (equals == std::string_view::npos)
            continue;
        auto const name = trimmed(item.substr(0, equals));
        auto const n = number(trimmed(item.substr(equals + 1)));
        if (!n)
            continue;
        if (is_word(name, "timeout"))
            hint.timeout = n;
        else if (is_word(name, "max"))
            hint.max = n;
    }
    return hint;
}

}  // namespace jeton::http
