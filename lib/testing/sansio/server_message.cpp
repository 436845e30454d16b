// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/server_message.hpp"

#include <algorithm>
#include <charconv>

namespace jeton::testing {

namespace {

void append_number(std::string& to, std::size_t n)
{
    char digits[20];
    auto const [end, error] = std::to_chars(digits, digits + sizeof digits, n);
    to.append(digits, end);
}

}  // namespace

void server_reply::clear()
{
    status = 200;
    fields.clear();
    body.clear();
    content_type = "application/json";
    members.clear();
    raw = bodiless = to_token_request = false;
    delay = {};
    part = fault::part::whole;
    ending = fault::ending::keep_open;
    surplus.clear();
    reset_stream.reset();
    go_away.reset();
    max_streams.reset();
    no_window_updates = false;
}

void server_reply::json(int code, std::string_view text)
{
    status = code;
    body = text;
    content_type = "application/json";
}

void server_reply::compose()
{
    if (members.empty())
        return;
    body = "{";
    for (auto const& [name, value] : members)
        body.append(body.size() > 1 ? ",\"" : "\"").append(name).append("\":").append(value);
    body.push_back('}');
}

void server_request::split_target() noexcept
{
    auto const mark = target.find('?');
    path = target.substr(0, mark);
    query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

bool is_origin_form(std::string_view target) noexcept
{
    return target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) {
               return c > ' ' && c < 0x7f && c != '#' && c != '\\';
           });
}

std::string_view reason_phrase(int status) noexcept
{
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";  // RFC 9112 §4: the phrase may be empty
    }
}

void write_reply(std::string& to, server_reply const& r, std::string_view date)
{
    if (r.part == fault::part::nothing)
        return;

    auto const begin = to.size();
    std::size_t head = 0;
    if (r.raw) {
        to.append(r.body);
    } else {
        bool const without_body = !r.may_have_body();
        to.append("HTTP/1.1 ");
        append_number(to, static_cast<std::size_t>(r.status));
        to.append(" ").append(reason_phrase(r.status)).append("\r\nDate: ").append(date).append("\r\n");
        if (!without_body) {
            if (!r.body.empty())
                to.append("Content-Type: ").append(r.content_type).append("\r\n");
            to.append("Content-Length: ");
            append_number(to, r.body.size());
            to.append("\r\n");
        }
        to.append(r.fields).append("\r\n");
        head = to.size() - begin;
        if (!without_body && !r.bodiless)
            to.append(r.body);
    }

    if (r.part == fault::part::head && !r.raw)
        to.resize(begin + head);
    else if (r.part != fault::part::whole) {
        auto const size = to.size() - begin;
        // Half of what follows the head, or of all there is if nothing does.
        to.resize(begin + (size > head ? head + (size - head) / 2 : size / 2));
    }
    to.append(r.surplus);
}

}  // namespace jeton::testing
