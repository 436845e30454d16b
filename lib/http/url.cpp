// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/url.hpp>

#include <jeton/http/error.hpp>

#include "base/untrusted_text.hpp"
#include "http/sansio/h1_characters.hpp"

#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <optional>

namespace jeton::http {

namespace {

namespace urls = boost::urls;

std::string_view std_view(urls::string_view text) noexcept { return {text.data(), text.size()}; }

constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_unreserved(char c) noexcept
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void append_escaped(std::string& to, char c)
{
    static constexpr char digits[] = "0123456789ABCDEF";
    auto const u = static_cast<unsigned char>(c);
    to += '%';
    to += digits[u >> 4];
    to += digits[u & 15];
}

std::string lower(std::string_view text)
{
    std::string s(text);
    for (char& c : s)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c | 0x20);
    return s;
}

/// What may be shown of a text that is no URL: no query, no fragment, no userinfo.
std::string shown(std::string_view text)
{
    text = text.substr(0, text.find_first_of("?#"));
    if (auto const at = text.rfind('@'); at != std::string_view::npos)
        return "...@" + untrusted_text(text.substr(at + 1), 200);
    return untrusted_text(text, 200);
}

// Some parsers take a name whose last label is a number for an IPv4 address (WHATWG URL §3.5), others look it up.
bool ends_in_number(std::string_view host) noexcept
{
    auto const label = host.substr(host.rfind('.') + 1);
    if (std::all_of(label.begin(), label.end(), is_digit))
        return true;
    return label.starts_with("0x")
           && std::all_of(label.begin() + 2, label.end(), [](char c) { return hex_value(c) >= 0; });
}

// Labels of letters, digits, '-' and '_', as they stand in a certificate and in DNS (RFC 1123 §2.1).
bool is_name(std::string_view host) noexcept
{
    if (host.size() > 253 || ends_in_number(host))
        return false;
    for (;;) {
        auto const dot = host.find('.');
        auto const label = host.substr(0, dot);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
            return false;
        if (!std::all_of(label.begin(), label.end(),
                         [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; }))
            return false;
        if (dot == std::string_view::npos)
            return true;
        host.remove_prefix(dot + 1);
    }
}

std::optional<std::string> canonical_host(urls::url_view const& u)
{
    switch (u.host_type()) {
    case urls::host_type::ipv4: return std::string(std_view(u.encoded_host()));
    case urls::host_type::ipv6: return std::string(u.host_ipv6_address().to_string());
    case urls::host_type::name: {
        auto host = lower(std_view(u.encoded_host()));
        if (is_name(host))
            return host;
        return std::nullopt;
    }
    default: return std::nullopt;
    }
}

// A dot that is percent-encoded is a dot to some (WHATWG URL §4.3) and an ordinary character to others.
bool has_disguised_dots(std::string_view path)
{
    for (;;) {
        auto const slash = path.find('/');
        auto const segment = path.substr(0, slash);
        auto text = lower(segment);
        for (auto at = text.find("%2e"); at != std::string::npos; at = text.find("%2e", at))
            text.replace(at, 3, ".");
        if (text != segment && (text == "." || text == ".."))
            return true;
        if (slash == std::string_view::npos)
            return false;
        path.remove_prefix(slash + 1);
    }
}

// RFC 3986 §5.2.4, for a path that begins with '/'.
std::string without_dot_segments(std::string_view path)
{
    std::string out;
    while (!path.empty()) {
        auto const next = path.find('/', 1);
        auto const segment = path.substr(1, next == std::string_view::npos ? next : next - 1);
        auto const last = next == std::string_view::npos;
        if (segment == "..")
            out.erase(std::min(out.rfind('/'), out.size()));
        if (segment != "." && segment != "..")
            (out += '/') += segment;
        else if (last)
            out += '/';
        path = last ? std::string_view() : path.substr(next);
    }
    return out.empty() ? "/" : out;
}

}  // namespace

std::string origin::to_string() const { return (secure ? "https://" : "http://") + authority(); }

std::string origin::authority() const
{
    auto text = host.find(':') == std::string::npos ? host : '[' + host + ']';
    if (port != (secure ? 443 : 80))
        (text += ':') += std::to_string(port);
    return text;
}

bool origin::loopback() const noexcept
{
    if (host == "localhost" || host == "::1")
        return true;
    auto const v4 = urls::parse_ipv4_address(host);
    return v4 && v4->is_loopback();
}

result<url> url::parse(std::string_view text)
{
    auto const refuse = [&](std::string_view why) {
        return failure(errc::bad_url, phase::configure, delivery::not_sent,
                       "URL \"" + shown(text) + "\" cannot be used: " + std::string(why));
    };
    if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == 0x7f || c == '\\'; }))
        return refuse("it holds a blank, a control or non-ASCII character, or a backslash");
    auto const parsed = urls::parse_uri(text);
    if (!parsed)
        return refuse("it is not an absolute URL (RFC 3986)");
    auto const& u = *parsed;

    url made;
    if (u.scheme_id() == urls::scheme::http)
        made.origin_.secure = false;
    else if (u.scheme_id() != urls::scheme::https)
        return refuse("its scheme is neither https nor http");
    if (!u.has_authority())
        return refuse("it names no host");
    // Boost.URL 1.81 ends a port at the first byte that is no digit, and begins the path there.
    auto const behind_scheme = text.substr(text.find("://") + 3);
    if (std_view(u.encoded_authority()) != behind_scheme.substr(0, behind_scheme.find_first_of("/?#")))
        return refuse("its host or port ends where none can");
    if (u.has_userinfo())
        return refuse("it holds a user name");
    if (u.has_fragment())
        return refuse("it holds a fragment");

    auto host = canonical_host(u);
    if (!host)
        return refuse("its host is neither a DNS name in ASCII nor an IP address in its usual form");
    made.origin_.host = std::move(*host);

    made.origin_.port = made.origin_.secure ? 443 : 80;
    if (u.has_port()) {
        auto const port = std_view(u.port());
        if (port.empty() || port.front() == '0' || port.size() > 5 || std::stoul(std::string(port)) > 65535)
            return refuse("its port is not a number from 1 to 65535");
        made.origin_.port = static_cast<std::uint16_t>(std::stoul(std::string(port)));
    }

    auto const path = std_view(u.encoded_path());
    if (has_disguised_dots(path))
        return refuse("its path holds a percent-encoded dot segment");
    made.path_ = without_dot_segments(path);
    made.query_ = std_view(u.encoded_query());
    return made;
}

std::string url::target() const { return query_.empty() ? path_ : path_ + '?' + query_; }
std::string url::to_string() const { return origin_.to_string() + target(); }
std::string url::without_query() const { return origin_.to_string() + path_; }

std::string percent_encode(std::string_view text)
{
    std::string encoded;
    encoded.reserve(text.size());
    for (char const c : text) {
        if (is_unreserved(c))
            encoded += c;
        else
            append_escaped(encoded, c);
    }
    return encoded;
}

void append_form_encoded(std::string& to, std::string_view text)
{
    for (char const c : text) {
        if (is_letter(c) || is_digit(c) || c == '*' || c == '-' || c == '.' || c == '_')
            to += c;
        else if (c == ' ')
            to += '+';
        else
            append_escaped(to, c);
    }
}

}  // namespace jeton::http
