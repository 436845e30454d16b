// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include "exit_code.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>

namespace jeton::tool {

namespace json = boost::json;

namespace {

std::int64_t microseconds(duration d) { return std::chrono::duration_cast<std::chrono::microseconds>(d).count(); }

std::string lower(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

// Length of the well-formed UTF-8 sequence (RFC 3629 §4) at the start of `text`; 0 if there is none.
std::size_t sequence(std::string_view text)
{
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const follows = [&](std::size_t i, unsigned low, unsigned high) {
        return i < text.size() && at(i) >= low && at(i) <= high;
    };
    unsigned const first = at(0);
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return follows(1, 0x80, 0xBF) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        unsigned const low = first == 0xE0 ? 0xA0 : 0x80;
        unsigned const high = first == 0xED ? 0x9F : 0xBF;
        return follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        unsigned const low = first == 0xF0 ? 0x90 : 0x80;
        unsigned const high = first == 0xF4 ? 0x8F : 0xBF;
        return follows(1, low, high) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

}  // namespace

std::string valid_utf8(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (auto const n = sequence(text)) {
            out.append(text.substr(0, n));
            text.remove_prefix(n);
        } else {
            out.append("\xEF\xBF\xBD");
            text.remove_prefix(1);
        }
    }
    return out;
}

json::object to_json(http::response const& answer)
{
    json::object fields;
    for (auto const& [name, value] : answer.headers()) {
        auto& field = fields[lower(name)];
        if (field.is_string())
            field.as_string().append(", " + valid_utf8(value));
        else
            field = valid_utf8(value);
    }
    auto const& took = answer.phases();
    json::object phases{{"token", microseconds(took.token)},
                        {"queue", microseconds(took.queue)},
                        {"resolve", microseconds(took.resolve)},
                        {"connect", microseconds(took.connect)},
                        {"tls", microseconds(took.tls)},
                        {"write", microseconds(took.write)},
                        {"first_byte", microseconds(took.first_byte)},
                        {"body", microseconds(took.body)}};
    return {{"status", answer.status()},     {"headers", std::move(fields)},  {"body", valid_utf8(answer.text())},
            {"reused", answer.reused()},     {"attempts", answer.attempts()}, {"protocol", answer.protocol()},
            {"phases_us", std::move(phases)}};
}

json::object to_json(failure const& why)
{
    auto const& said = why.diag();
    auto const text_or_null = [](std::string_view text) { return text.empty() ? json::value() : json::value(text); };
    json::object error{{"code", error_name(why.code())},
                       {"condition", text_or_null(condition_of(why.code()))},
                       {"phase", to_string(why.phase())},
                       {"delivery", to_string(why.delivery())},
                       {"ours", said.ours},
                       {"peer_code", text_or_null(said.peer_code)},
                       {"http_status", said.http_status ? json::value(*said.http_status) : json::value()}};
    return {{"error", std::move(error)}};
}

std::string explain(failure const& why)
{
    std::string out = why.to_string();
    auto const& said = why.diag();
    if (!said.peer_code.empty())
        out += "\n  server's code: " + said.peer_code;
    if (!said.peer_text.empty())
        out += "\n  server's text: " + said.peer_text;
    return out;
}

std::string readable(duration d)
{
    char out[32];
    auto const us = static_cast<double>(d.count()) / 1e3;
    if (us < 1000)
        std::snprintf(out, sizeof out, "%.0f us", us);
    else if (us < 1e6)
        std::snprintf(out, sizeof out, "%.1f ms", us / 1e3);
    else
        std::snprintf(out, sizeof out, "%.2f s", us / 1e6);
    return out;
}

}  // namespace jeton::tool
