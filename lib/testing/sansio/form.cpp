// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/form.hpp"

#include <algorithm>
#include <charconv>

namespace jeton::testing {

namespace {

std::optional<std::string> decoded(std::string_view text)
{
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i != text.size(); ++i) {
        if (text[i] == '+') {
            plain.push_back(' ');
        } else if (text[i] == '%') {
            unsigned byte = 0;
            auto const digits = text.substr(i + 1, 2);
            auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
            if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2)
                return std::nullopt;
            plain.push_back(static_cast<char>(byte));
            i += 2;
        } else {
            plain.push_back(text[i]);
        }
    }
    return plain;
}

}  // namespace

std::optional<form_fields> parse_form(std::string_view text)
{
    form_fields fields;
    while (!text.empty()) {
        auto const end = std::min(text.find('&'), text.size());
        auto const pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        auto const equals = std::min(pair.find('='), pair.size());
        auto name = decoded(pair.substr(0, equals));
        auto value = decoded(pair.substr(std::min(equals + 1, pair.size())));
        if (!name || !value || find_field(fields, *name) != nullptr)
            return std::nullopt;
        fields.emplace_back(std::move(*name), std::move(*value));
    }
    return fields;
}

std::string const* find_field(form_fields const& fields, std::string_view name)
{
    auto const found = std::find_if(fields.begin(), fields.end(), [&](auto const& f) { return f.first == name; });
    return found == fields.end() ? nullptr : &found->second;
}

}  // namespace jeton::testing
