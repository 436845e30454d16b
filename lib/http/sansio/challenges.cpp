// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/challenges.hpp"

#include "http/sansio/h1_characters.hpp"

#include <algorithm>
#include <cstddef>

namespace jeton::http {

namespace {

constexpr std::size_t most_challenges = 32;
constexpr std::size_t most_parameters = 64;
constexpr std::size_t most_bytes = 16 * 1024;

constexpr bool is_token68_character(char c) noexcept
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c != '\0' && std::string_view("-._~+/").find(c) != std::string_view::npos);
}

std::string lower(std::string_view text)
{
    std::string s(text);
    for (char& c : s)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c | 0x20);
    return s;
}

/// Reads a list in which a comma may separate two challenges as well as two parameters of one (RFC 9110 §11.6.1): only what
/// follows tells, `name =` or a scheme.
class reader {
public:
    reader(std::string_view text, std::vector<challenge>& to) : rest_(text), to_(to) {}

    bool read()
    {
        bool open = false;  // whether a challenge that may have parameters came before
        for (;;) {
            while (!rest_.empty() && (is_blank(rest_.front()) || rest_.front() == ','))
                rest_.remove_prefix(1);
            if (rest_.empty())
                return true;
            auto const word = token();
            if (word.empty())
                return false;
            auto const blanks = skip_blanks();
            if (rest_.starts_with('=')) {
                if (!open || !parameter(word))
                    return false;
            } else {
                if (to_.size() == most_challenges)
                    return false;
                to_.emplace_back().scheme = lower(word);
                open = true;
                if (!at_separator()) {
                    if (!blanks)
                        return false;
                    if (token68())
                        open = false;
                    else if (!parameter(token()))
                        return false;
                }
            }
            skip_blanks();
            if (!at_separator())
                return false;
        }
    }

private:
    bool at_separator() const noexcept { return rest_.empty() || rest_.front() == ','; }

    bool skip_blanks() noexcept
    {
        auto const before = rest_.size();
        while (!rest_.empty() && is_blank(rest_.front()))
            rest_.remove_prefix(1);
        return rest_.size() != before;
    }

    std::string_view take(std::size_t n) noexcept
    {
        auto const taken = rest_.substr(0, n);
        rest_.remove_prefix(n);
        return taken;
    }

    std::string_view token() noexcept
    {
        auto const* const end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
        return take(static_cast<std::size_t>(end - rest_.begin()));
    }

    // Takes nothing if there is none.
    bool token68()
    {
        auto const* end = std::find_if_not(rest_.begin(), rest_.end(), is_token68_character);
        if (end == rest_.begin())
            return false;
        end = std::find_if_not(end, rest_.end(), [](char c) { return c == '='; });
        auto const* const behind = std::find_if_not(end, rest_.end(), is_blank);
        if (behind != rest_.end() && *behind != ',')
            return false;
        to_.back().token68 = take(static_cast<std::size_t>(end - rest_.begin()));
        return true;
    }

    // The name has been read; blanks around the '=' are bad but allowed (RFC 9110 §11.2).
    bool parameter(std::string_view name)
    {
        skip_blanks();
        if (name.empty() || !rest_.starts_with('='))
            return false;
        rest_.remove_prefix(1);
        skip_blanks();
        std::string value;
        if (rest_.starts_with('"')) {
            if (!quoted(value))
                return false;
        } else {
            value = token();
            if (value.empty())
                return false;
        }
        auto& c = to_.back();
        auto key = lower(name);
        // Each name once in a challenge (RFC 9110 §11.2): two could be read two ways.
        if (c.parameters.size() == most_parameters || c.parameter(key))
            return false;
        c.parameters.emplace_back(std::move(key), std::move(value));
        return true;
    }

    bool quoted(std::string& value)
    {
        rest_.remove_prefix(1);
        while (!rest_.empty()) {
            auto c = take(1).front();
            if (c == '"')
                return true;
            if (c == '\\') {
                if (rest_.empty())
                    return false;
                c = take(1).front();
            }
            if (!is_field_character(c))
                return false;
            value += c;
        }
        return false;
    }

    std::string_view rest_;
    std::vector<challenge>& to_;
};

}  // namespace

std::string const* challenge::parameter(std::string_view lower_case_name) const noexcept
{
    for (auto const& [name, value] : parameters)
        if (name == lower_case_name)
            return &value;
    return nullptr;
}

bool parse_challenges(std::string_view value, std::vector<challenge>& to)
{
    return value.size() <= most_bytes && reader(value, to).read();
}

std::vector<challenge> parse_challenges(headers const& of, std::string_view field_name)
{
    std::vector<challenge> all;
    std::size_t bytes = 0;
    for (auto const& f : of) {
        if (!same_field_name(f.name, field_name))
            continue;
        bytes += f.value.size();
        if (bytes > most_bytes || !parse_challenges(f.value, all))
            return {};
    }
    return all;
}

std::string_view bearer_error(std::vector<challenge> const& offered) noexcept
{
    for (auto const& c : offered)
        if (c.scheme == "bearer")
            if (auto const* const error = c.parameter("error"))
                return *error;
    return {};
}

}  // namespace jeton::http
