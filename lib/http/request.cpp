// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/request.hpp>

#include <jeton/http/error.hpp>
#include <jeton/http/headers.hpp>

#include "base/untrusted_text.hpp"
#include "http/request_parts.hpp"
#include "http/sansio/h1_characters.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace jeton::http {

namespace {

// pchar, '/', '?' and the brackets that some put into a query (RFC 3986 §3.3, §3.4); '%' is looked at apart.
constexpr bool is_target_character(char c) noexcept
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c))
        return true;
    return c != '\0' && std::string_view("-._~!$&'()*+,;=:@/?[]").find(c) != std::string_view::npos;
}

bool is_absolute(std::string_view target) noexcept
{
    auto const scheme = target.substr(0, target.find("://"));
    return scheme.size() < target.size() && (same_field_name(scheme, "https") || same_field_name(scheme, "http"));
}

// A path (with a query) or an absolute URL. Names in braces stand for what a client fills in later.
bool is_target(std::string_view text) noexcept
{
    // "//host" would be a path to some and a host to others.
    if (!is_absolute(text) && (!text.starts_with('/') || text.starts_with("//")))
        return false;
    bool in_query = false;
    bool in_braces = false;
    for (std::size_t i = 0; i != text.size(); ++i) {
        char const c = text[i];
        if (in_braces) {
            if (c == '}')
                in_braces = false;
            else if (!is_token_character(c))
                return false;
        } else if (c == '{' && !in_query) {
            in_braces = true;
            if (text.substr(i + 1, 1) == "}")
                return false;
        } else if (c == '%') {
            if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
                return false;
        } else if (!is_target_character(c)) {
            return false;
        } else if (c == '?') {
            in_query = true;
        }
    }
    return !in_braces;
}

// What decides where a message ends, where it goes, or what the connection does: only jeton knows (RFC 9110 §7.6.1, §10.1.1).
bool is_ours(std::string_view name) noexcept
{
    static constexpr std::string_view names[] = {
        "host",    "content-length", "transfer-encoding", "connection",     "keep-alive",          "te", "trailer",
        "upgrade", "expect",         "proxy-connection",  "http2-settings", "proxy-authorization",
    };
    return std::any_of(std::begin(names), std::end(names), [&](auto n) { return same_field_name(name, n); });
}

void note(std::optional<failure>& mistake, errc code, std::string what)
{
    if (!mistake)
        mistake.emplace(code, phase::configure, delivery::not_sent, std::move(what));
}

}  // namespace

request::request(std::string_view method, std::string_view target) : parts_(std::make_shared<parts>())
{
    parts_->method = method;
    parts_->target = target;
    if (!is_token(method) || method == "CONNECT")
        note(parts_->mistake, errc::bad_method,
             "\"" + untrusted_text(method, 40) + "\" is not a method that can be sent");
    if (!is_target(target))
        note(parts_->mistake, errc::bad_target,
             "\"" + untrusted_text(target.substr(0, target.find('?')), 200)
                 + "\" is neither a path nor an https URL, or holds characters that must be percent-encoded");
}

request::parts& request::own()
{
    if (parts_.use_count() == 1) {
        // The last other copy may have died in another thread just now. Counting up and down once more orders its reads
        // before our writes, which reading the count does not.
        auto const ordered = parts_;
        return *parts_;
    }
    parts_ = std::make_shared<parts>(*parts_);
    return *parts_;
}

request& request::query(std::string_view name, std::string_view value) &
{
    auto& p = own();
    p.target += p.target.find('?') == std::string::npos ? '?' : '&';
    p.target += percent_encode(name);
    p.target += '=';
    p.target += percent_encode(value);
    return *this;
}

request& request::header(std::string_view name, std::string_view value) &
{
    auto& p = own();
    // The value may be a secret: it is never shown.
    if (!is_token(name) || !is_field_value(value)) {
        note(p.mistake, errc::bad_field,
             "field \"" + untrusted_text(name, 100) + "\" has a name or a value that cannot stand in a header");
        return *this;
    }
    if (is_ours(name)) {
        note(p.mistake, errc::bad_field, "field \"" + std::string(name.substr(0, 100)) + "\" is set by jeton only");
        return *this;
    }
    if (same_field_name(name, "Idempotency-Key"))
        p.replayable = true;
    if (same_field_name(name, "Content-Type"))
        p.fields.erase(0, std::exchange(p.type_size, 0));
    p.fields.append(name).append(": ").append(value).append("\r\n");
    return *this;
}

// The Content-Type of a body stands first among the fields, until the caller sets one of his own.
request& request::body(std::string bytes, std::string_view content_type) &
{
    auto& p = own();
    p.secret_body.reset();
    p.body = std::make_shared<std::string const>(std::move(bytes));
    set_content_type(p, content_type);
    return *this;
}

request& request::secret_body(secret bytes, std::string_view content_type) &
{
    auto& p = own();
    p.body.reset();
    p.secret_body = std::make_shared<secret const>(std::move(bytes));
    set_content_type(p, content_type);
    return *this;
}

void request::set_content_type(parts& p, std::string_view content_type)
{
    p.fields.erase(0, std::exchange(p.type_size, 0));
    if (content_type.empty() || has_header("Content-Type"))
        return;
    if (!is_field_value(content_type)) {
        note(p.mistake, errc::bad_field, "the content type of the body cannot stand in a header");
        return;
    }
    auto const line = std::string("Content-Type: ").append(content_type).append("\r\n");
    p.fields.insert(0, line);
    p.type_size = line.size();
}

request& request::deadline(duration within) &
{
    own().within = within;
    return *this;
}

request& request::deadline(time_point until) &
{
    until_ = until;
    return *this;
}

request& request::replayable(bool yes) &
{
    own().replayable = yes;
    return *this;
}

request& request::anonymous(bool yes) &
{
    own().anonymous = yes;
    return *this;
}

std::string_view request::method() const noexcept { return parts_->method; }
std::string const& request::target() const noexcept { return parts_->target; }
std::string const& request::fields() const noexcept { return parts_->fields; }

bool request::has_header(std::string_view name) const noexcept
{
    std::string_view fields = parts_->fields;
    while (!fields.empty()) {
        if (same_field_name(fields.substr(0, fields.find(':')), name))
            return true;
        fields.remove_prefix(fields.find("\r\n") + 2);
    }
    return false;
}

std::string_view request::body() const noexcept
{
    if (parts_->secret_body)
        return parts_->secret_body->reveal();
    return parts_->body ? std::string_view(*parts_->body) : std::string_view();
}

bool request::has_body() const noexcept { return parts_->body || parts_->secret_body; }
bool request::has_secret_body() const noexcept { return parts_->secret_body != nullptr; }
std::optional<duration> request::within() const noexcept { return parts_->within; }
std::optional<time_point> request::until() const noexcept { return until_; }
bool request::wants_token() const noexcept { return !parts_->anonymous; }

bool request::repeatable() const noexcept
{
    static constexpr std::string_view idempotent[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    return parts_->replayable
           || std::find(std::begin(idempotent), std::end(idempotent), parts_->method) != std::end(idempotent);
}

failure const* request::mistake() const noexcept { return parts_->mistake ? &*parts_->mistake : nullptr; }

}  // namespace jeton::http
