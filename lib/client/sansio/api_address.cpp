// SPDX-License-Identifier: BSL-1.0
#include "client/sansio/api_address.hpp"

#include <jeton/http/error.hpp>
#include <jeton/oauth2/error.hpp>

#include <algorithm>
#include <array>

namespace jeton {

namespace {

failure refuse(std::error_code code, std::string ours)
{
    return {code, phase::configure, delivery::not_sent, std::move(ours)};
}

failure bad_target(std::string ours) { return refuse(make_error_code(http::errc::bad_target), std::move(ours)); }

bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

int hex_value(char c) noexcept
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// The character that `text` begins with, percent-decoded, and how many it takes.
struct decoded {
    char value;
    std::size_t size;
};

decoded first_of(std::string_view text) noexcept
{
    if (text.size() >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0)
        return {static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2])), 3};
    return {text[0], 1};
}

// Whether a server, even one that decodes before it splits, or takes '\' for '/' or cuts at ';', could find a "." or
// ".." segment in `path` and climb out of the API with it. Encoding does not help: "%2e%2e" means the same (RFC 3986
// §6.2.2.3).
bool has_dot_segment(std::string_view path) noexcept
{
    std::size_t dots = 0;
    bool only_dots = true;
    auto const climbs = [&] { return only_dots && (dots == 1 || dots == 2); };
    while (!path.empty()) {
        auto const [c, size] = first_of(path);
        path.remove_prefix(size);
        if (c == '/' || c == '\\') {
            if (climbs())
                return true;
            dots = 0;
            only_dots = true;
        } else if (c == ';' && climbs()) {
            return true;
        } else if (c == '.') {
            ++dots;
        } else {
            only_dots = false;
        }
    }
    return climbs();
}

// pchar, "/" and "?" (RFC 3986 §3.3, §3.4), and the brackets that some put into a query, as http::request has it.
bool is_target_text(std::string_view text) noexcept
{
    for (std::size_t i = 0; i != text.size(); ++i) {
        char const c = text[i];
        if (c == '%') {
            if (first_of(text.substr(i)).size != 3)
                return false;
        } else if (!is_alpha(c) && !is_digit(c)
                   && std::string_view("-._~!$&'()*+,;=:@/?[]").find(c) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

// Letters, digits and what separates words and segments: most paths have nothing else, and nothing that could be wrong.
constexpr std::array<bool, 256> harmless = [] {
    std::array<bool, 256> table{};
    for (unsigned char c = 'a'; c <= 'z'; ++c)
        table[c] = table[c - 'a' + 'A'] = true;
    for (char c : std::string_view("0123456789/-_"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

bool is_plain_path(std::string_view text) noexcept
{
    return text.starts_with('/') && !text.starts_with("//")
           && std::all_of(text.begin(), text.end(), [](char c) { return harmless[static_cast<unsigned char>(c)]; });
}

bool is_variable_name(std::string_view name) noexcept
{
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return is_alpha(c) || is_digit(c) || c == '_' || c == '-';
    });
}

// Why `value` cannot stand in a path; empty if it can.
std::string_view objection(std::string_view value) noexcept
{
    if (value.empty())
        return "is empty";
    if (has_dot_segment(value))
        return "could lead out of its place in the path";
    return {};
}

result<http::url> parse_https(std::string const& text, bool plain_http_on_loopback)
{
    auto parsed = http::url::parse(text);
    if (!parsed)
        return parsed;
    auto const& origin = parsed->origin();
    if (!origin.secure && !(plain_http_on_loopback && origin.loopback()))
        return refuse(make_error_code(http::errc::plain_http),
                      parsed->without_query() + ": a token travels over https only (RFC 6750 §5.3)");
    return parsed;
}

}  // namespace

bool api_address::is_absolute(std::string_view given) noexcept
{
    // scheme "://" (RFC 3986 §3.1)
    auto const colon = given.find("://");
    if (colon == std::string_view::npos || colon == 0 || !is_alpha(given[0]))
        return false;
    auto const scheme = given.substr(0, colon);
    return std::all_of(scheme.begin(), scheme.end(),
                       [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

result<api_address> api_address::make(std::string const& base_url, std::vector<std::string> const& also_trusted,
                                      std::vector<std::pair<std::string, std::string>> variables,
                                      bool plain_http_on_loopback)
{
    api_address made;
    auto const base = parse_https(base_url, plain_http_on_loopback);
    if (!base)
        return base.error();
    struct origin_and_path {
        http::origin origin;
        std::string path;
    };
    auto const root =
        std::make_shared<origin_and_path const>(origin_and_path{base->origin(), std::string(base->path())});
    made.trusted_.emplace_back(root, &root->origin);
    made.path_ = root->path;
    while (made.path_.ends_with('/'))
        made.path_.remove_suffix(1);
    made.query_ = base->query();

    for (auto const& text : also_trusted) {
        auto const url = parse_https(text, plain_http_on_loopback);
        if (!url)
            return url.error();
        if (url->target() != "/")
            return refuse(make_error_code(http::errc::bad_url),
                          url->without_query() + ": a trusted origin has no path; tokens belong to whole origins");
        made.trusted_.push_back(std::make_shared<http::origin const>(url->origin()));
    }

    for (auto const& [name, value] : variables) {
        if (!is_variable_name(name))
            return bad_target("the name of a path variable consists of letters, digits, '_' and '-'");
        if (auto const why = objection(value); !why.empty())
            return bad_target("the path variable " + name + ' ' + std::string(why));
    }
    made.variables_ = std::move(variables);
    return made;
}

auto api_address::base_for(std::string_view given) const noexcept -> std::optional<base>
{
    if (!query_.empty() || !is_plain_path(given))
        return {};
    return base{trusted_.front(), path_};
}

auto api_address::resolve(std::string_view given, bool anywhere, lookup const& more) const -> result<place>
{
    place there;
    there.origin = trusted_.front();
    there.trusted = true;
    auto const query_at = std::min(given.find('?'), given.size());
    auto const path = given.substr(0, query_at);
    auto const query = given.substr(std::min(query_at + 1, given.size()));
    if (is_absolute(path))
        return resolve_absolute(given, anywhere, more);
    if (path.starts_with("//"))
        return bad_target(
            "the path begins with \"//\", which may mean a path or a host; write one '/' or the whole URL");

    auto& target = there.target;
    target.reserve(path_.size() + given.size() + query_.size() + 2);
    target = path_;
    auto const own_part = target.size();
    if (!path.empty() && path.front() != '/')
        target += '/';
    if (auto const filled = fill_in(target, path, more); !filled)
        return filled.error();
    if (has_dot_segment(std::string_view(target).substr(own_part)))
        return bad_target("the path has a \".\" or \"..\" segment, which could lead out of the API");
    if (target.empty())
        target = "/";

    if (!query_.empty() || query_at != given.size()) {
        target += '?';
        target += query_;
        if (!query_.empty() && !query.empty())
            target += '&';
        target += query;
    }
    if (!is_target_text(std::string_view(target).substr(own_part)))
        return bad_target("the path or query has characters that must be percent-encoded, or a '#'");
    return there;
}

auto api_address::resolve_absolute(std::string_view given, bool anywhere, lookup const& more) const -> result<place>
{
    // Variables are for the path: one in the host would let data choose where the token goes.
    auto const authority_at = given.find("://") + 3;
    auto const path_at = std::min(given.find_first_of("/?#", authority_at), given.size());
    auto const path_end = std::min(given.find_first_of("?#", path_at), given.size());
    std::string text(given.substr(0, path_at));
    if (auto const filled = fill_in(text, given.substr(path_at, path_end - path_at), more); !filled)
        return filled.error();
    text += given.substr(path_end);

    auto const parsed = http::url::parse(text);
    if (!parsed)
        return parsed.error();
    place there;
    there.target = parsed->target();
    auto const known =
        std::find_if(trusted_.begin(), trusted_.end(), [&](auto const& o) { return *o == parsed->origin(); });
    there.trusted = known != trusted_.end();
    if (there.trusted)
        there.origin = *known;
    else if (anywhere)
        there.origin = std::make_shared<http::origin const>(parsed->origin());
    else
        return refuse(make_error_code(oauth2::errc::foreign_origin),
                      "the token is not for " + parsed->origin().to_string() + " but for " + base_origin().to_string());
    return there;
}

std::vector<http::origin> api_address::trusted() const
{
    std::vector<http::origin> all;
    for (auto const& o : trusted_)
        all.push_back(*o);
    return all;
}

// Appends `path` with its variables replaced.
result<void> api_address::fill_in(std::string& to, std::string_view path, lookup const& more) const
{
    for (;;) {
        auto const open = path.find('{');
        to += path.substr(0, open);
        if (open == std::string_view::npos)
            return {};
        path.remove_prefix(open + 1);
        auto const close = path.find('}');
        auto const name = path.substr(0, close);
        if (close == std::string_view::npos || !is_variable_name(name))
            return bad_target("a '{' in the path begins no variable; as a character it is written %7B");
        path.remove_prefix(close + 1);

        auto const known =
            std::find_if(variables_.begin(), variables_.end(), [&](auto const& v) { return v.first == name; });
        if (known != variables_.end()) {
            to += http::percent_encode(known->second);
            continue;
        }
        auto const found = more ? more(name) : std::nullopt;
        if (!found)
            return bad_target("the path variable {" + std::string(name) + "} is not known");
        if (!*found)
            return found->error();
        if (auto const why = objection(**found); !why.empty())
            return bad_target("the path variable {" + std::string(name) + "} " + std::string(why));
        to += http::percent_encode(**found);
    }
}

}  // namespace jeton
