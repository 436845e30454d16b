// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/request_parser.hpp"

#include <charconv>
#include <utility>

namespace jeton::testing {

namespace {

using outcome = request_parser::outcome;

outcome bad(int status, std::string_view why) { return {outcome::kind::bad, 0, status, why}; }

std::string_view trimmed(std::string_view text)
{
    auto const blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

}  // namespace

outcome request_parser::parse(std::string_view received, server_request& into)
{
    auto const end = received.find("\r\n\r\n", looked_at_);
    if (end == std::string_view::npos) {
        looked_at_ = received.size() < 3 ? 0 : received.size() - 3;
        return received.size() > longest_head ? bad(431, "the head is too long") : outcome{};
    }
    if (end > longest_head)
        return bad(431, "the head is too long");

    // The request line (RFC 9112 §3): exactly one blank between its parts.
    auto const head = received.substr(0, end + 2);
    auto const line = head.substr(0, head.find("\r\n"));
    auto const first = line.find(' ');
    auto const second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos)
        return bad(400, "no request line");
    into.method = line.substr(0, first);
    into.target = line.substr(first + 1, second - first - 1);
    auto const version = line.substr(second + 1);
    if (!http::is_token(into.method))
        return bad(400, "the method is no token");
    if (!is_origin_form(into.target))
        return bad(400, "the target is no path");
    if (version != "HTTP/1.1")
        return bad(version.starts_with("HTTP/") ? 505 : 400, "not HTTP/1.1");
    into.split_target();

    // The fields (RFC 9112 §5). No folding, no blank before the colon, nothing doubled that must not be.
    into.text = received.data();
    into.field_count = 0;
    into.host = into.authorization = into.content_type = {};
    into.keep_alive = true;
    std::string_view length;
    bool has_host = false, has_length = false, has_authorization = false, has_type = false;
    for (auto at = line.size() + 2; at != head.size();) {
        auto const stop = head.find("\r\n", at);
        auto const colon = head.find(':', at);
        if (colon == std::string_view::npos || colon > stop || !http::is_token(head.substr(at, colon - at)))
            return bad(400, "a field has no proper name");
        auto const name = head.substr(at, colon - at);
        auto const value = trimmed(head.substr(colon + 1, stop - colon - 1));
        if (!value.empty() && !http::is_field_value(value))
            return bad(400, "a field has characters that do not belong there");
        if (into.field_count == server_request::most_fields)
            return bad(431, "too many fields");
        auto& position = into.positions[into.field_count++];
        position.name = static_cast<std::uint32_t>(at);
        position.name_size = static_cast<std::uint16_t>(name.size());
        auto const value_at = value.empty() ? colon + 1 : static_cast<std::size_t>(value.data() - received.data());
        position.value = static_cast<std::uint32_t>(value_at);
        position.value_size = static_cast<std::uint32_t>(value.size());
        at = stop + 2;

        auto const once = [&](bool& flag) { return !std::exchange(flag, true); };
        switch (name.size()) {
        case 4:
            if (http::same_field_name(name, "host")) {
                if (!once(has_host))
                    return bad(400, "two Host fields");
                into.host = value;
            }
            break;
        case 10:
            if (http::same_field_name(name, "connection") && http::same_field_name(value, "close"))
                into.keep_alive = false;
            break;
        case 12:
            if (http::same_field_name(name, "content-type")) {
                if (!once(has_type))
                    return bad(400, "two Content-Type fields");
                into.content_type = value;
            }
            break;
        case 13:
            if (http::same_field_name(name, "authorization")) {
                if (!once(has_authorization))
                    return bad(400, "two Authorization fields");
                into.authorization = value;
            }
            break;
        case 14:
            if (http::same_field_name(name, "content-length")) {
                if (!once(has_length))
                    return bad(400, "two Content-Length fields");
                length = value;
            }
            break;
        case 17:
            if (http::same_field_name(name, "transfer-encoding"))
                return bad(501, "transfer codings are not understood");
            break;
        default: break;
        }
    }
    if (into.host.empty())
        return bad(400, "no Host");  // RFC 9112 §3.2

    std::size_t body = 0;
    if (has_length) {
        auto const [stop, error] = std::from_chars(length.data(), length.data() + length.size(), body);
        if (error == std::errc::result_out_of_range)
            return bad(413, "the body is too long");
        if (length.empty() || error != std::errc() || stop != length.data() + length.size())
            return bad(400, "Content-Length is no number");
        if (body > longest_body)
            return bad(413, "the body is too long");
    }
    auto const whole = head.size() + 2 + body;
    if (received.size() < whole) {
        looked_at_ = end;
        return {};
    }
    into.body = received.substr(head.size() + 2, body);
    looked_at_ = 0;
    return {outcome::kind::whole, whole, 0, {}};
}

}  // namespace jeton::testing
