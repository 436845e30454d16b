// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h1_response_decoder.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>

#include "http/sansio/h1_characters.hpp"
#include "http/sansio/trailer_rule.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace jeton::http {

namespace {

using step = h1_response_decoder::step;

// '#' stands for a digit (RFC 9112 §4). The blank before a missing reason is not optional.
constexpr std::string_view status_line_begin = "HTTP/1.# ### ";
constexpr std::size_t minor_at = 7;
constexpr std::size_t status_at = 9;

// Whether it is that of HTTP/1.1: seen at a glance, since nearly all are. At least so many bytes are there.
bool is_usual_begin(char const* text) noexcept
{
    constexpr std::string_view usual = "HTTP/1.1 ";
    return std::memcmp(text, usual.data(), usual.size()) == 0 && is_digit(text[status_at])
           && is_digit(text[status_at + 1]) && is_digit(text[status_at + 2]) && text[status_at + 3] == ' ';
}

constexpr char const* bad_line = "the status line is not that of HTTP/1.x";

// field_position has 32 bits for an offset.
constexpr std::size_t largest_section = 0x3fff'ffff;

std::string_view name_of(char const* text, field_position const& f) noexcept { return {text + f.name, f.name_size}; }
std::string_view value_of(char const* text, field_position const& f) noexcept { return {text + f.value, f.value_size}; }

}  // namespace

void h1_response_decoder::begin(request_kind asked) noexcept
{
    asked_ = asked;
    begun_ = false;
    limits_.head = std::min(limits_.head, largest_section);
    limits_.status_line = std::min(limits_.status_line, largest_section);
    left_ = content_ = 0;
    extensions_ = 0;
    interims_ = 0;
    interim_bytes_ = 0;
    code_ = {};
    why_ = nullptr;
    expect_answer();
}

void h1_response_decoder::begin(request_kind asked, answer_limits const& limits) noexcept
{
    limits_ = limits;
    begin(asked);
}

void h1_response_decoder::expect_answer() noexcept
{
    state_ = state::status_line;
    status_ = 0;
    scanned_ = 0;
}

void h1_response_decoder::expect_section(std::size_t at) noexcept
{
    in_line_ = in_line::start;
    section_ = line_ = scanned_ = at;
    fields_.clear();
}

auto h1_response_decoder::fail(std::error_code code, char const* why) -> step
{
    state_ = state::failed;
    code_ = code;
    why_ = why;
    step s;
    s.what = step::kind::failed;
    s.status = status_;
    s.code = code;
    s.why = why;
    return s;
}

auto h1_response_decoder::refuse(std::error_code code, char const* why) noexcept -> outcome
{
    code_ = code;
    why_ = why;
    return outcome::failed;
}

auto h1_response_decoder::feed(std::span<char> buffer) -> step
{
    begun_ = begun_ || !buffer.empty();
    step s;
    switch (state_) {
    case state::status_line:
    case state::fields: return read_head(buffer);
    case state::content: {
        auto const n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer.size()));
        if (n == 0)
            return s;
        s.what = step::kind::body;
        s.piece = {buffer.data(), n};
        s.consumed = n;
        content_taken(n);
        return s;
    }
    case state::until_close: return read_until_close(buffer);
    case state::trailer_fields: return read_trailers(buffer, 0);
    case state::done: s.what = step::kind::end; return s;
    case state::failed: return fail(code_, why_);
    default: return read_chunked(buffer);
    }
}

auto h1_response_decoder::on_eof(bool orderly) -> step
{
    if (state_ == state::failed)
        return fail(code_, why_);
    if (state_ != state::done) {
        if (!begun_)
            return fail(errc::connection_lost, "the connection ended before an answer began");
        if (state_ != state::until_close)
            return fail(errc::incomplete, "the connection ended before the answer did");
        // The end of the connection is the end of the body only if nobody can have cut it off (RFC 9112 §9.8).
        if (!orderly)
            return fail(net::errc::truncated, "the body ends with the connection, and that was cut off");
        state_ = state::done;
    }
    step s;
    s.what = step::kind::end;
    return s;
}

void h1_response_decoder::content_taken(std::size_t n) noexcept
{
    left_ -= n;
    if (left_ == 0)
        state_ = state::done;
}

auto h1_response_decoder::read_head(std::span<char> buffer) -> step
{
    auto got = outcome::complete;
    if (state_ == state::status_line) {
        got = read_status_line(buffer);
        if (got == outcome::complete) {
            state_ = state::fields;
            expect_section(scanned_);
        }
    }
    if (got == outcome::complete)
        got = read_fields(buffer);
    if (got == outcome::incomplete)
        return {};
    if (got == outcome::failed)
        return fail(code_, why_);

    step s;
    s.consumed = scanned_;
    s.status = status_;
    s.minor = minor_;
    if (status_ < 200) {
        ++interims_;
        interim_bytes_ += scanned_;
        if (interims_ > limits_.interim || interim_bytes_ > limits_.interim_bytes)
            return fail(errc::too_many_interim, "more 1xx answers came before the final one than allowed");
        s.what = step::kind::interim;
        expect_answer();
        return s;
    }
    s.what = step::kind::head;
    s.fields = fields_;
    if (!frame(buffer.data(), s))
        return fail(code_, why_);
    return s;
}

auto h1_response_decoder::read_status_line(std::span<char> buffer) -> outcome
{
    auto const* const text = buffer.data();
    auto const size = std::min(buffer.size(), limits_.status_line);
    auto const incomplete = [&] {
        return size == limits_.status_line ? refuse(errc::header_too_large, "the status line is longer than allowed")
                                           : outcome::incomplete;
    };

    if (scanned_ == 0 && size >= status_line_begin.size() && is_usual_begin(text))
        scanned_ = status_line_begin.size();
    // Byte for byte, so that a peer which speaks something else and then waits is found out at once.
    for (; scanned_ < status_line_begin.size(); ++scanned_) {
        if (scanned_ == size)
            return incomplete();
        auto const expected = status_line_begin[scanned_];
        if (expected == '#' ? !is_digit(text[scanned_]) : text[scanned_] != expected)
            return refuse(errc::bad_status_line, bad_line);
    }
    if (status_ == 0) {
        auto const digit = [&](std::size_t at) { return text[at] - '0'; };
        minor_ = digit(minor_at);
        status_ = 100 * digit(status_at) + 10 * digit(status_at + 1) + digit(status_at + 2);
        if (status_ < 100 || status_ > 599)
            return refuse(errc::bad_status_line, "the status is not between 100 and 599");
        if (status_ == 101)
            return refuse(errc::unexpected_upgrade, "the server switches protocols although nobody asked for it");
    }

    scanned_ = static_cast<std::size_t>(find_end_of_value(text + scanned_, text + size) - text);
    if (scanned_ == size)
        return incomplete();
    if (text[scanned_] != '\r')
        return refuse(errc::bad_status_line, "the status line holds a control character");
    if (scanned_ + 1 == size)
        return incomplete();
    if (text[scanned_ + 1] != '\n')
        return refuse(errc::bad_status_line, "the status line ends in CR without LF");
    scanned_ += 2;
    return outcome::complete;
}

auto h1_response_decoder::read_fields(std::span<char> buffer) -> outcome
{
    auto* const text = buffer.data();
    auto const* const end = text + std::min(buffer.size(), section_ + limits_.head);
    // Where the scan stands, kept in registers: a store through `text` would make the compiler read members again.
    auto const* line = text + line_;
    auto const* at = text + scanned_;
    auto const incomplete = [&] {
        line_ = static_cast<std::size_t>(line - text);
        scanned_ = static_cast<std::size_t>(at - text);
        return end == text + section_ + limits_.head
                   ? refuse(errc::header_too_large, "the fields are longer than allowed")
                   : outcome::incomplete;
    };

    for (;;) {
        if (in_line_ == in_line::start) {
            at = line;
            if (at == end)
                return incomplete();
            if (*at == '\r') {
                if (at + 1 == end)
                    return incomplete();
                if (at[1] != '\n')
                    return refuse(errc::bad_header, "CR without LF in the header");
                scanned_ = static_cast<std::size_t>(at + 2 - text);
                return outcome::complete;
            }
            folding_ = is_blank(*at);
            if (folding_) {
                if (fields_.empty())
                    return refuse(errc::bad_header, "a blank before the first field name");
                in_line_ = in_line::value;
            } else {
                if (fields_.size() == limits_.fields)
                    return refuse(errc::header_too_large, "more fields than allowed");
                in_line_ = in_line::name;
            }
        }

        if (in_line_ == in_line::name) {
            at = find_end_of_token(at, end);
            if (at == end)
                return incomplete();
            // No blank before the colon (RFC 9112 §5.1).
            if (*at != ':' || at == line)
                return refuse(errc::bad_header, "a field name is empty, or followed by anything but a colon");
            if (at - line > std::numeric_limits<std::uint16_t>::max())
                return refuse(errc::header_too_large, "a field name is longer than allowed");
            name_size_ = static_cast<std::uint32_t>(at - line);
            ++at;
            in_line_ = in_line::value;
        }

        at = find_end_of_value(at, end);
        if (at == end)
            return incomplete();
        if (*at != '\r')
            return refuse(errc::bad_header, "a field value holds a control character, or ends in LF without CR");
        if (at + 1 == end)
            return incomplete();
        if (at[1] != '\n')
            return refuse(errc::bad_header, "a field value holds CR without LF");

        auto const* from = folding_ ? line : line + name_size_ + 1;
        auto const* to = at;
        while (from != to && is_blank(*from))
            ++from;
        while (from != to && is_blank(to[-1]))
            --to;
        auto const value = static_cast<std::uint32_t>(from - text);
        auto const value_size = static_cast<std::uint32_t>(to - from);
        if (folding_)
            fold(text, value, value + value_size);
        else
            fields_.push_back(
                {static_cast<std::uint32_t>(line - text), value, value_size, static_cast<std::uint16_t>(name_size_)});
        line = at + 2;
        in_line_ = in_line::start;
    }
}

// RFC 9112 §5.2: a user agent replaces the fold by blanks. By one: the rest of the value moves up to the part before.
void h1_response_decoder::fold(char* text, std::uint32_t from, std::uint32_t to) noexcept
{
    auto& f = fields_.back();
    if (from == to)
        return;
    if (f.value_size == 0) {
        f.value = from;
        f.value_size = to - from;
        return;
    }
    auto* const behind = text + f.value + f.value_size;
    *behind = ' ';
    std::memmove(behind + 1, text + from, to - from);
    f.value_size += 1 + (to - from);
}

// RFC 9112 §6.3, where it leaves a choice the strict one. False: refused.
bool h1_response_decoder::frame(char const* text, step& head)
{
    close_ = kept_alive_ = has_length_ = false;
    length_ = 0;
    int codings = 0;
    bool chunked = true;
    bool good_length = true;
    for (auto const& f : fields_) {
        switch (f.name_size) {
        case 10:
            if (is_word(name_of(text, f), "connection"))
                read_connection(value_of(text, f));
            else if (is_word(name_of(text, f), "keep-alive"))
                hint_ = parse_keep_alive(value_of(text, f));
            break;
        case 14:
            if (is_word(name_of(text, f), "content-length"))
                good_length = read_content_length(value_of(text, f)) && good_length;
            break;
        case 17:
            if (is_word(name_of(text, f), "transfer-encoding")) {
                ++codings;
                chunked = is_word(value_of(text, f), "chunked");
            }
            break;
        default: break;
        }
    }

    auto wrong = outcome::complete;
    if (codings != 0 && has_length_)
        wrong = refuse(errc::ambiguous_length, "Content-Length and Transfer-Encoding in one answer");
    else if (codings != 0 && minor_ == 0)
        wrong = refuse(errc::bad_transfer_encoding, "Transfer-Encoding in an answer of HTTP/1.0");
    else if (codings > 1 || (codings == 1 && !chunked))
        wrong = refuse(errc::bad_transfer_encoding, "a Transfer-Encoding other than one `chunked`");
    else if (!good_length)
        wrong = refuse(errc::bad_content_length, "Content-Length is not one number below 2^63");

    // RFC 9112 §9.3. A peer that says close, even among nonsense, is believed.
    head.keep_alive = !close_ && (minor_ != 0 || kept_alive_);

    if (asked_ == request_kind::head || status_ == 204 || status_ == 304) {
        // Nothing that the fields say can give it a body; but who frames wrongly is not asked again.
        head.keep_alive = head.keep_alive && wrong == outcome::complete;
        head.framing = body_framing::none;
        state_ = state::done;
        return true;
    }
    if (wrong != outcome::complete)
        return false;
    if (codings != 0) {
        head.framing = body_framing::chunked;
        state_ = state::chunk_size;
        return true;
    }
    if (has_length_) {
        if (length_ > limits_.body)
            return refuse(errc::body_too_large, "Content-Length is larger than allowed"), false;
        head.framing = body_framing::length;
        head.length = left_ = length_;
        state_ = length_ == 0 ? state::done : state::content;
        return true;
    }
    head.framing = body_framing::until_close;
    head.keep_alive = false;
    state_ = state::until_close;
    return true;
}

// 1*DIGIT, or a list of equal ones, in one field or several (RFC 9112 §6.3).
bool h1_response_decoder::read_content_length(std::string_view value)
{
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    auto const had_one = has_length_;
    has_length_ = true;
    // One number that cannot be too large, as nearly all are.
    if (!had_one && !value.empty() && value.size() <= 18) {
        std::uint64_t n = 0;
        std::size_t digits = 0;
        for (; digits != value.size() && is_digit(value[digits]); ++digits)
            n = 10 * n + static_cast<std::uint64_t>(value[digits] - '0');
        if (digits == value.size()) {
            length_ = n;
            return true;
        }
    }
    for (bool first = !had_one;; first = false) {
        auto const comma = value.find(',');
        auto const digits = trimmed(value.substr(0, comma));
        if (digits.empty())
            return false;
        std::uint64_t n = 0;
        for (char const c : digits) {
            if (!is_digit(c))
                return false;
            auto const d = static_cast<std::uint64_t>(c - '0');
            if (n > (largest - d) / 10)
                return false;
            n = 10 * n + d;
        }
        if (!first && n != length_)
            return false;
        length_ = n;
        if (comma == std::string_view::npos)
            return true;
        value.remove_prefix(comma + 1);
    }
}

void h1_response_decoder::read_connection(std::string_view value) noexcept
{
    if (is_word(value, "keep-alive")) {
        kept_alive_ = true;
        return;
    }
    for (;;) {
        auto const comma = value.find(',');
        auto const option = trimmed(value.substr(0, comma));
        if (is_word(option, "close") || (!option.empty() && !is_token(option)))
            close_ = true;
        else if (is_word(option, "keep-alive"))
            kept_alive_ = true;
        if (comma == std::string_view::npos)
            return;
        value.remove_prefix(comma + 1);
    }
}

auto h1_response_decoder::read_until_close(std::span<char> buffer) -> step
{
    step s;
    if (buffer.empty())
        return s;
    auto const n = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), limits_.body - content_));
    if (n == 0)
        return fail(errc::body_too_large, "the body is larger than allowed");
    content_ += n;
    s.what = step::kind::body;
    s.piece = {buffer.data(), n};
    s.consumed = n;
    return s;
}

// RFC 9112 §7.1:  chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//
//     chunk_size -> chunk_digits -> [chunk_blank] -> [chunk_extension] -> chunk_size_lf -> chunk_data -> chunk_cr -> chunk_lf
//         ^                                                                    |  size 0                                |
//         +--------------------------------------------------------------------|----------------------------------------+
//                                                                              +-> trailer_fields
auto h1_response_decoder::read_chunked(std::span<char> buffer) -> step
{
    auto const* const text = buffer.data();
    auto const size = buffer.size();
    std::size_t at = 0;
    auto const extension_goes_on = [&](std::size_t by) { return (extensions_ += by) <= limits_.chunk_extensions; };

    while (at != size) {
        char const c = text[at];
        switch (state_) {
        case state::chunk_size:
            if (hex_value(c) < 0)
                return fail(errc::bad_chunk, "a chunk begins without its size");
            left_ = 0;
            digits_ = 0;
            state_ = state::chunk_digits;
            break;

        case state::chunk_digits:
            if (auto const digit = hex_value(c); digit >= 0) {
                if (++digits_ > 16)
                    return fail(errc::bad_chunk, "a chunk's size has more than 16 digits");
                left_ = left_ << 4 | static_cast<unsigned>(digit);
                ++at;
            } else if (c == '\r') {
                state_ = state::chunk_size_lf;
                ++at;
            } else if (is_blank(c) || c == ';') {
                state_ = state::chunk_blank;
            } else {
                return fail(errc::bad_chunk, "a chunk's size is not hexadecimal");
            }
            break;

        case state::chunk_blank:
            if (c == ';')
                state_ = state::chunk_extension;
            else if (!is_blank(c))
                return fail(errc::bad_chunk, "a chunk's size is followed by something that is no extension");
            if (!extension_goes_on(1))
                return fail(errc::body_too_large, "more chunk extensions than allowed");
            ++at;
            break;

        case state::chunk_extension: {
            // No further than the limit, so that it strikes at the same byte however the bytes are cut.
            auto const room = limits_.chunk_extensions - extensions_;
            auto const* const until = text + at + std::min(size - at, room);
            auto const* const stop = find_end_of_value(text + at, until);
            extensions_ += static_cast<std::size_t>(stop - (text + at));
            at = static_cast<std::size_t>(stop - text);
            if (at == size)
                break;
            if (is_field_character(text[at]))
                return fail(errc::body_too_large, "more chunk extensions than allowed");
            if (text[at] != '\r')
                return fail(errc::bad_chunk, "a chunk extension holds a control character");
            state_ = state::chunk_size_lf;
            ++at;
            break;
        }

        case state::chunk_size_lf:
            if (c != '\n')
                return fail(errc::bad_chunk, "a chunk's size ends in CR without LF");
            ++at;
            if (left_ == 0) {
                state_ = state::trailer_fields;
                expect_section(0);
                return read_trailers(buffer, at);
            }
            if (left_ > limits_.body - content_)
                return fail(errc::body_too_large, "the chunks are larger than allowed");
            content_ += left_;
            state_ = state::chunk_data;
            break;

        case state::chunk_data: {
            step s;
            auto const n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size - at));
            s.what = step::kind::body;
            s.piece = {text + at, n};
            s.consumed = at + n;
            left_ -= n;
            if (left_ == 0)
                state_ = state::chunk_cr;
            return s;
        }

        case state::chunk_cr:
            if (c != '\r')
                return fail(errc::bad_chunk, "a chunk is not followed by CR LF");
            state_ = state::chunk_lf;
            ++at;
            break;

        case state::chunk_lf:
            if (c != '\n')
                return fail(errc::bad_chunk, "a chunk is not followed by CR LF");
            state_ = state::chunk_size;
            ++at;
            break;

        default: return fail(errc::bad_chunk, "not reading chunks");
        }
    }
    step s;
    s.consumed = at;
    return s;
}

auto h1_response_decoder::read_trailers(std::span<char> buffer, std::size_t at) -> step
{
    step s;
    auto const section = buffer.subspan(at);
    auto const got = read_fields(section);
    if (got == outcome::failed)
        return fail(code_, why_);
    s.consumed = at;
    if (got == outcome::incomplete)
        return s;
    s.consumed += scanned_;
    state_ = state::done;
    std::erase_if(fields_, [&](auto const& f) { return belongs_into_head(name_of(section.data(), f)); });
    for (auto& f : fields_) {
        f.name += static_cast<std::uint32_t>(at);
        f.value += static_cast<std::uint32_t>(at);
    }
    s.what = fields_.empty() ? step::kind::end : step::kind::trailers;
    s.fields = fields_;
    return s;
}

}  // namespace jeton::http
