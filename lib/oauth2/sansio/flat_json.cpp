// SPDX-License-Identifier: BSL-1.0
#include "oauth2/sansio/flat_json.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <limits>
#include <string>
#include <unordered_set>

namespace jeton::oauth2 {

namespace {

namespace json = boost::json;
using parse_error = json::error_code;

// Hears what Boost.JSON's parser has to tell; the strings of members that are not wanted go nowhere.
class listener {
public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    explicit listener(std::span<json_member> wanted) : wanted_(wanted) {}

    char const* complaint() const noexcept { return complaint_; }

    bool on_document_begin(parse_error&) { return true; }
    bool on_document_end(parse_error&) { return true; }

    bool on_object_begin(parse_error& e) { return open(true, e); }
    bool on_object_end(std::size_t, parse_error&) { return close(); }
    bool on_array_begin(parse_error& e) { return open(false, e); }
    bool on_array_end(std::size_t, parse_error&) { return close(); }

    bool on_key_part(json::string_view s, std::size_t, parse_error&)
    {
        if (depth_ <= 2)
            key_.append(s.data(), s.size());
        return true;
    }

    bool on_key(json::string_view s, std::size_t n, parse_error& e)
    {
        if (depth_ > 2)
            return true;
        on_key_part(s, n, e);
        if (depth_ == 1) {
            if (!names_.insert(key_).second)
                return refuse("a member name occurs twice", e);
            outer_ = key_;
            now_ = outer_.find('.') == std::string::npos ? find(outer_) : nullptr;
        } else if (within_object_) {
            now_ = find(outer_ + '.' + key_);
        }
        key_.clear();
        return true;
    }

    bool on_string_part(json::string_view s, std::size_t, parse_error& e)
    {
        if (!began(e))
            return false;
        if (auto* m = wanted())
            m->text.append({s.data(), s.size()});
        return true;
    }
    bool on_string(json::string_view s, std::size_t n, parse_error& e)
    {
        if (!on_string_part(s, n, e))
            return false;
        return done(json_kind::string);
    }

    bool on_number_part(json::string_view, parse_error& e) { return began(e); }
    bool on_int64(std::int64_t i, json::string_view, parse_error& e)
    {
        return began(e) && number(i < 0 ? 0 - static_cast<std::uint64_t>(i) : static_cast<std::uint64_t>(i), i < 0);
    }
    bool on_uint64(std::uint64_t u, json::string_view, parse_error& e) { return began(e) && number(u, false); }
    bool on_double(double d, json::string_view, parse_error& e)
    {
        if (!began(e))
            return false;
        if (auto* m = wanted())
            m->number = d;
        return done(json_kind::real);
    }
    bool on_bool(bool, parse_error& e) { return began(e) && done(json_kind::boolean); }
    bool on_null(parse_error& e) { return began(e) && done(json_kind::null); }
    bool on_comment_part(json::string_view, parse_error&) { return true; }
    bool on_comment(json::string_view, parse_error&) { return true; }

private:
    bool refuse(char const* why, parse_error& e)
    {
        complaint_ = why;
        e = json::error::syntax;
        return false;
    }

    // A value begins that is neither object nor array.
    bool began(parse_error& e) { return depth_ != 0 || refuse("it is no JSON object", e); }

    bool open(bool object, parse_error& e)
    {
        if (depth_ == 0 && !object)
            return refuse("it is no JSON object", e);
        if (auto* m = wanted())
            m->kind = json_kind::composite;
        if (depth_ == 1)
            within_object_ = object;
        now_ = nullptr;
        ++depth_;
        return true;
    }

    bool close()
    {
        --depth_;
        now_ = nullptr;
        return true;
    }

    bool number(std::uint64_t magnitude, bool negative)
    {
        if (auto* m = wanted()) {
            m->magnitude = magnitude;
            m->negative = negative;
            m->number = negative ? -static_cast<double>(magnitude) : static_cast<double>(magnitude);
        }
        return done(json_kind::integer);
    }

    bool done(json_kind kind)
    {
        if (auto* m = wanted())
            m->kind = kind;
        now_ = nullptr;
        return true;
    }

    json_member* wanted() const noexcept { return now_; }

    json_member* find(std::string_view path) const noexcept
    {
        for (auto& m : wanted_)
            if (m.name == path && m.kind == json_kind::absent)
                return &m;
        return nullptr;
    }

    std::span<json_member> wanted_;
    std::unordered_set<std::string> names_{};
    std::string key_{};
    std::string outer_{};
    json_member* now_ = nullptr;
    int depth_ = 0;
    bool within_object_ = false;
    char const* complaint_ = nullptr;
};

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

char const* read_object(std::string_view text, std::span<json_member> wanted)
{
    if (text.starts_with("\xEF\xBB\xBF"))
        text.remove_prefix(3);
    json::parse_options options;
    options.max_depth = 32;
    json::basic_parser<listener> parser(options, wanted);
    parse_error e;
    auto const used = parser.write_some(false, text.data(), text.size(), e);
    if (auto const* complaint = parser.handler().complaint())
        return complaint;
    if (e == json::error::too_deep)
        return "it is nested too deeply";
    if (e)
        return "it is no valid JSON";
    for (char const c : text.substr(used))
        if (!is_blank(c))
            return "there is more behind the JSON object";
    return nullptr;
}

}  // namespace jeton::oauth2
