// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/headers.hpp>

#include "http/sansio/h1_characters.hpp"

#include <algorithm>

namespace jeton::http {

bool same_field_name(std::string_view a, std::string_view b) noexcept
{
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    return a.size() == b.size()
           && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_token(std::string_view text) noexcept
{
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_field_value(std::string_view text) noexcept
{
    if (text.empty())
        return true;
    auto const* const end = text.data() + text.size();
    return !is_blank(text.front()) && !is_blank(text.back()) && find_end_of_value(text.data(), end) == end;
}

field headers::operator[](std::size_t i) const noexcept
{
    auto const& at = fields_[i];
    return {{text_ + at.name, at.name_size}, {text_ + at.value, at.value_size}};
}

std::optional<std::string_view> headers::find(std::string_view name) const noexcept
{
    for (auto const& f : *this)
        if (same_field_name(f.name, name))
            return f.value;
    return std::nullopt;
}

std::size_t headers::count(std::string_view name) const noexcept
{
    return static_cast<std::size_t>(
        std::count_if(begin(), end(), [&](field const& f) { return same_field_name(f.name, name); }));
}

}  // namespace jeton::http
