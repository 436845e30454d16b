// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/json.hpp>

#include <jeton/http/error.hpp>
#include <jeton/http/headers.hpp>

#include "base/untrusted_text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace jeton {

namespace {

namespace tree = boost::json;
using parse_error = tree::error_code;

constexpr std::size_t deepest = 1000;

/// Why there is no value: both parts of a failure that depend on the body.
struct complaint {
    http::errc code;
    std::string_view what;
};

/// Media types compare without regard to case (RFC 9110 §8.3.1), as field names do.
bool same(std::string_view a, std::string_view b) noexcept { return http::same_field_name(a, b); }

/// Type and subtype, without parameters. JSON has none that mean anything (RFC 8259 §11).
std::string_view media_type(std::string_view content_type) noexcept
{
    auto type = content_type.substr(0, content_type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
        type.remove_suffix(1);
    return type;
}

/// application/json, or a type that says by its suffix that it is JSON (RFC 6839 §3.1).
bool is_json(std::string_view type) noexcept
{
    constexpr std::string_view kind = "application/";
    constexpr std::string_view suffix = "+json";
    if (!same(type.substr(0, kind.size()), kind))
        return false;
    type.remove_prefix(kind.size());
    return same(type, "json")
           || (type.size() > suffix.size() && same(type.substr(type.size() - suffix.size()), suffix));
}

/// The digits of a number that count, without the zeros at either end; none: it is zero.
std::string significant_digits(std::string_view number)
{
    std::string digits;
    for (char const c : number.substr(0, number.find_first_of("eE")))
        if (c >= '0' && c <= '9' && (c != '0' || !digits.empty()))
            digits += c;
    digits.resize(digits.find_last_not_of('0') + 1);  // npos + 1 is 0
    return digits;
}

/// Whether `d`, the double nearest to `number`, is still that number: printed with as many digits it shows the same ones.
bool keeps_digits(double d, std::string_view number)
{
    constexpr std::size_t most = 767;  // significant digits that a double can have
    auto const digits = significant_digits(number);
    if (digits.empty())
        return true;
    if (digits.size() > most)
        return false;
    std::array<char, most + 16> printed;
    auto const end = std::to_chars(printed.data(), printed.data() + printed.size(), d, std::chars_format::scientific,
                                   static_cast<int>(digits.size()) - 1);
    return significant_digits({printed.data(), end.ptr}) == digits;
}

/// Builds the value from what Boost.JSON's parser tells. The strings of numbers come through here as they were written,
/// which is why this is not left to `boost::json::parse`.
class builder {
public:
    static constexpr std::size_t max_object_size = tree::object::max_size();
    static constexpr std::size_t max_array_size = tree::array::max_size();
    static constexpr std::size_t max_key_size = tree::string::max_size();
    static constexpr std::size_t max_string_size = tree::string::max_size();

    explicit builder(json_numbers numbers) : numbers_(numbers) { stack_.reset(); }

    std::optional<complaint> const& why() const noexcept { return why_; }
    std::size_t members() const noexcept { return members_; }
    tree::value release() { return stack_.release(); }

    bool on_document_begin(parse_error&) { return true; }
    bool on_document_end(parse_error&) { return true; }
    bool on_object_begin(parse_error&) { return true; }
    bool on_object_end(std::size_t n, parse_error&)
    {
        members_ += n;
        return stack_.push_object(n), true;
    }
    bool on_array_begin(parse_error&) { return true; }
    bool on_array_end(std::size_t n, parse_error&) { return stack_.push_array(n), true; }

    bool on_key_part(tree::string_view s, std::size_t, parse_error&) { return stack_.push_chars(s), true; }
    bool on_key(tree::string_view s, std::size_t, parse_error&) { return stack_.push_key(s), true; }
    bool on_string_part(tree::string_view s, std::size_t, parse_error&) { return stack_.push_chars(s), true; }
    bool on_string(tree::string_view s, std::size_t, parse_error&) { return stack_.push_string(s), true; }

    bool on_number_part(tree::string_view s, parse_error&) { return number_.append(s.data(), s.size()), true; }
    bool on_int64(std::int64_t i, tree::string_view, parse_error&)
    {
        number_.clear();
        return stack_.push_int64(i), true;
    }
    bool on_uint64(std::uint64_t u, tree::string_view, parse_error&)
    {
        number_.clear();
        return stack_.push_uint64(u), true;
    }
    bool on_double(double approximate, tree::string_view s, parse_error& e)
    {
        number_.append(s.data(), s.size());
        auto const text = std::exchange(number_, {});
        return real(approximate, text, e);
    }

    bool on_bool(bool b, parse_error&) { return stack_.push_bool(b), true; }
    bool on_null(parse_error&) { return stack_.push_null(), true; }
    bool on_comment_part(tree::string_view, parse_error&) { return true; }
    bool on_comment(tree::string_view, parse_error&) { return true; }

private:
    bool refuse(std::string_view what, parse_error& e)
    {
        why_ = complaint{http::errc::json_number, what};
        e = tree::error::not_exact;
        return false;
    }

    // Read again, since Boost.JSON's own doubles are off by a last digit now and then.
    bool real(double approximate, std::string_view text, parse_error& e)
    {
        double nearest = 0;
        bool const in_range = std::from_chars(text.data(), text.data() + text.size(), nearest).ec == std::errc();
        bool const integer = text.find_first_of(".eE") == std::string_view::npos;
        if (!integer && in_range && keeps_digits(nearest, text))
            return stack_.push_double(nearest), true;

        switch (numbers_) {
        case json_numbers::as_text: return stack_.push_string({text.data(), text.size()}), true;
        case json_numbers::rounded:
            if (!in_range && std::abs(approximate) > 1)
                return refuse("it holds a number that is too large for a double", e);
            return stack_.push_double(in_range ? nearest : std::copysign(0.0, approximate)), true;
        case json_numbers::exact: break;
        }
        return refuse(integer ? "it holds an integer that does not fit into 64 bits"
                              : "it holds a number that a double cannot hold with all its digits",
                      e);
    }

    json_numbers numbers_;
    tree::value_stack stack_{};
    std::string number_{};
    std::size_t members_ = 0;
    std::optional<complaint> why_{};
};

std::size_t members_in(tree::value const& v)
{
    std::size_t n = 0;
    if (auto const* const object = v.if_object()) {
        n = object->size();
        for (auto const& member : *object)
            n += members_in(member.value());
    } else if (auto const* const array = v.if_array()) {
        for (auto const& element : *array)
            n += members_in(element);
    }
    return n;
}

complaint explain(parse_error e)
{
    if (e == tree::error::too_deep)
        return {http::errc::json_too_deep, "it is nested too deeply"};
    if (e == tree::error::exponent_overflow)
        return {http::errc::json_number, "it holds a number with an exponent beyond all bounds"};
    if (e == tree::error::incomplete)
        return {http::errc::bad_json, "it ends too early"};
    return {http::errc::bad_json, "it is no valid JSON"};
}

/// The value of `text`, or why there is none.
std::variant<tree::value, complaint> read(std::string_view text, json_limits const& limits)
{
    if (text.empty())
        return complaint{http::errc::bad_json, "it is empty"};
    if (text.size() > limits.size)
        return complaint{http::errc::body_too_large, "it is larger than the caller allows"};
    if (text.starts_with("\xEF\xBB\xBF"))
        return complaint{http::errc::bad_json, "it begins with a byte order mark"};

    tree::parse_options options;
    options.max_depth = std::min(limits.depth, deepest);
    tree::basic_parser<builder> parser(options, limits.numbers);
    parse_error e;
    auto const used = parser.write_some(false, text.data(), text.size(), e);
    if (parser.handler().why())
        return *parser.handler().why();
    if (e)
        return explain(e);
    if (text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
        return complaint{http::errc::bad_json, "there is more behind the JSON"};

    // An object keeps the last of several members with one name: if any were dropped, fewer are left than were read.
    auto value = parser.handler().release();
    if (members_in(value) != parser.handler().members())
        return complaint{http::errc::bad_json, "a member name occurs twice in an object"};
    return value;
}

failure refused(http::response const& answer, complaint why, std::string peer_text = {})
{
    diagnostics diag;
    diag.ours = "the answer with status " + std::to_string(answer.status()) + " has a body of "
                + std::to_string(answer.text().size()) + " bytes that cannot be used as JSON: " + std::string(why.what);
    diag.peer_text = std::move(peer_text);
    diag.http_status = static_cast<std::uint16_t>(answer.status());
    return failure(why.code, phase::body, delivery::answered, std::move(diag));
}

}  // namespace

result<boost::json::value> json(http::response const& answer, json_limits limits)
{
    for (auto const field : answer.headers()) {
        if (!same(field.name, "Content-Type"))
            continue;
        auto const type = media_type(field.value);
        if (!is_json(type))
            return refused(answer,
                           {http::errc::not_json, same(type, "text/html") ? "by its Content-Type it is an HTML page"
                                                                          : "by its Content-Type it is something else"},
                           untrusted_text(field.value, 256));
    }
    auto outcome = read(answer.text(), limits);
    if (auto const* const why = std::get_if<complaint>(&outcome))
        return refused(answer, *why);
    return std::move(*std::get_if<tree::value>(&outcome));
}

}  // namespace jeton
