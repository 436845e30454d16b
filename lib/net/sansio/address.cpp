// SPDX-License-Identifier: BSL-1.0
#include "net/sansio/address.hpp"

#include <algorithm>
#include <optional>

namespace jeton::net {

namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool hex_digit(char c) noexcept { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_ipv4(std::string_view text) noexcept
{
    for (int part = 0; part != 4; ++part) {
        if (part != 0) {
            if (text.empty() || text.front() != '.')
                return false;
            text.remove_prefix(1);
        }
        std::size_t length = 0;
        int value = 0;
        while (length < text.size() && length < 4 && digit(text[length]))
            value = value * 10 + (text[length++] - '0');
        // A leading zero is octal to some and decimal to others: neither (RFC 3986 §3.2.2).
        if (length == 0 || length > 3 || value > 255 || (length > 1 && text.front() == '0'))
            return false;
        text.remove_prefix(length);
    }
    return text.empty();
}

/// RFC 4291 §2.2.
bool is_ipv6(std::string_view text) noexcept
{
    int groups = 0;
    bool compressed = false;
    if (text.starts_with(':') && !text.starts_with("::"))
        return false;
    while (!text.empty()) {
        if (text.starts_with("::")) {
            if (compressed)
                return false;
            compressed = true;
            text.remove_prefix(2);
            continue;
        }
        if (text.front() == ':') {
            text.remove_prefix(1);
            if (text.empty())
                return false;
        }
        std::size_t length = 0;
        while (length < text.size() && hex_digit(text[length]))
            ++length;
        if (length < text.size() && text[length] == '.') {
            groups += 2;
            if (!is_ipv4(text))
                return false;
            break;
        }
        if (length == 0 || length > 4 || (length < text.size() && text[length] != ':'))
            return false;
        ++groups;
        text.remove_prefix(length);
    }
    return compressed ? groups < 8 : groups == 8;
}

bool number(std::string_view label) noexcept
{
    if (label.starts_with("0x") || label.starts_with("0X"))
        return std::all_of(label.begin() + 2, label.end(), hex_digit);
    return std::all_of(label.begin(), label.end(), digit);
}

/// RFC 1123 §2.1; the underscore stands in names that people do use. What is not ASCII was to be turned into an A-label
/// before (RFC 5890 §2.3.2.1).
bool is_name(std::string_view text) noexcept
{
    if (text.ends_with('.'))
        text.remove_suffix(1);
    if (text.empty() || text.size() > 253)
        return false;
    for (;;) {
        auto const dot = text.find('.');
        auto const label = text.substr(0, dot);
        auto const fits = [](char c) {
            return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        };
        if (label.empty() || label.size() > 63 || !std::all_of(label.begin(), label.end(), fits))
            return false;
        if (dot == text.npos)
            return !number(label);
        text.remove_prefix(dot + 1);
    }
}

std::string_view without_zone(std::string_view address) noexcept { return address.substr(0, address.find('%')); }

}  // namespace

host_kind kind_of(std::string_view host) noexcept
{
    if (is_ipv4(host))
        return host_kind::ipv4;
    if (auto const address = without_zone(host); address.size() > 1 && is_ipv6(address)) {
        // The zone is the name of an interface, or its number.
        auto const zone = host.substr(address.size());
        auto const printable = [](char c) { return c > ' ' && c < '\x7f' && c != '/' && c != '%'; };
        return zone.empty() || (zone.size() > 1 && std::all_of(zone.begin() + 1, zone.end(), printable))
                   ? host_kind::ipv6
                   : host_kind::invalid;
    }
    return is_name(host) ? host_kind::name : host_kind::invalid;
}

std::string reference_identity(std::string_view host)
{
    switch (kind_of(host)) {
    case host_kind::invalid: return {};
    case host_kind::name:
        if (host.ends_with('.'))
            host.remove_suffix(1);
        return std::string(host);
    case host_kind::ipv4: return std::string(host);
    case host_kind::ipv6: return std::string(without_zone(host));
    }
    return {};
}

}  // namespace jeton::net
