// SPDX-License-Identifier: BSL-1.0
#include "oauth2/sansio/token_response.hpp"

#include "base/untrusted_text.hpp"
#include "http/sansio/retry_after.hpp"
#include "oauth2/sansio/base64.hpp"
#include "oauth2/sansio/flat_json.hpp"

#include <jeton/oauth2/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace jeton::oauth2 {

namespace {

using namespace std::chrono_literals;

constexpr char const* withheld = "(withheld: it may quote a secret)";
constexpr std::size_t longest_excerpt = 256;
constexpr std::size_t longest_code = 256;
constexpr std::size_t longest_text = 1024;

// RFC 6750 §2.1. Stricter than §5.1's VSCHAR: what goes into a header must be no more than this.
bool is_b64token(std::string_view text) noexcept
{
    while (text.ends_with('='))
        text.remove_suffix(1);
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
               || std::string_view("-._~+/").find(c) != std::string_view::npos;
    });
}

// App. A.7: what an error code consists of.
bool is_nqschar(std::string_view text) noexcept
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 0x20 && c <= 0x21) || (c >= 0x23 && c <= 0x5b) || (c >= 0x5d && c <= 0x7e);
    });
}

bool is_visible(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool has_word(std::string_view list, std::string_view word) noexcept
{
    while (!list.empty()) {
        auto const end = std::min(list.find(' '), list.size());
        if (list.substr(0, end) == word)
            return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

// RFC 9111 §5.2: a list of directives, in one field or several.
bool forbids_storing(http::headers const& fields) noexcept
{
    for (auto const f : fields) {
        if (!http::same_field_name(f.name, "Cache-Control"))
            continue;
        std::string_view list = f.value;
        while (!list.empty()) {
            auto const end = std::min(list.find(','), list.size());
            auto directive = list.substr(0, end);
            while (!directive.empty() && (directive.front() == ' ' || directive.front() == '\t'))
                directive.remove_prefix(1);
            while (!directive.empty() && (directive.back() == ' ' || directive.back() == '\t'))
                directive.remove_suffix(1);
            if (http::same_field_name(directive, "no-store"))
                return true;
            list.remove_prefix(std::min(end + 1, list.size()));
        }
    }
    return false;
}

bool there(json_member const& m) noexcept { return m.kind != json_kind::absent && m.kind != json_kind::null; }

duration clamped(double seconds) noexcept
{
    double const limit = std::chrono::duration<double>(longest_lifetime).count();
    return seconds >= limit ? longest_lifetime : std::chrono::seconds(static_cast<long long>(seconds));
}

// A9: nothing if it is no whole number of seconds.
std::optional<duration> lifetime_of(json_member const& m)
{
    switch (m.kind) {
    case json_kind::integer: return m.negative && m.magnitude != 0 ? std::nullopt : std::optional(clamped(m.number));
    case json_kind::real:
        if (!std::isfinite(m.number) || m.number < 0 || m.number != std::floor(m.number))
            return {};
        return clamped(m.number);
    case json_kind::string: {
        auto const text = m.text.reveal();
        if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
            return {};
        std::uint64_t n = 0;
        auto const read = std::from_chars(text.data(), text.data() + text.size(), n);
        return read.ec == std::errc{} ? clamped(static_cast<double>(n)) : longest_lifetime;
    }
    default: return {};
    }
}

// RFC 7519 §4.1.4, unverified: it only says when to ask for another one.
std::optional<wall_time> expiry_of_jwt(std::string_view access)
{
    auto const first = access.find('.');
    auto const second = first == std::string_view::npos ? first : access.find('.', first + 1);
    if (second == std::string_view::npos || access.find('.', second + 1) != std::string_view::npos)
        return {};
    auto const payload = decode_base64url(access.substr(first + 1, second - first - 1));
    if (!payload)
        return {};
    std::array<json_member, 1> exp;
    exp[0].name = "exp";
    if (read_object(payload->reveal(), exp) != nullptr
        || (exp[0].kind != json_kind::integer && exp[0].kind != json_kind::real))
        return {};
    double const last = std::chrono::duration<double>(wall_time::max().time_since_epoch()).count();
    auto const seconds = exp[0].number;
    if (!std::isfinite(seconds) || seconds < 0)
        return {};
    if (seconds >= last - 1)
        return wall_time::max();
    return wall_time(std::chrono::seconds(static_cast<long long>(seconds)));
}

// One answer on its way to being understood.
class reader {
public:
    reader(token_answer const& answer, token_endpoint const& rules, std::string const& name, moment sent, wall_time now,
           std::span<std::string_view const> secrets)
        : answer_(answer), rules_(rules), name_(name), sent_(sent), now_(now), secrets_(secrets)
    {
        static constexpr std::array<std::string_view, member_count> names{
            "access_token",      "token_type", "expires_in", "scope",   "refresh_token", "error",
            "error_description", "error_uri",  "code",       "message", "error.code",    "error.message"};
        for (std::size_t i = 0; i != member_count; ++i)
            members_[i].name = names[i];
    }

    result<token_ptr> read()
    {
        if (answer_.status >= 300 && answer_.status < 400)
            return redirected();
        unreadable_ = answer_.body.size() > longest_answer_body ? "it is longer than 64 KiB"
                                                                : read_object(answer_.body, members_);
        if (answer_.status != 200 && answer_.status != 201)
            return answer_.status >= 200 && answer_.status < 300
                       ? no_token(errc::bad_response, "it has another status than 200")
                       : refused();
        if (unreadable_)
            return no_token(errc::bad_response, unreadable_);
        if (there(at(error)))
            return refused();  // A13
        return granted();
    }

private:
    enum member : std::size_t {
        access_token,
        token_type,
        expires_in,
        scope,
        refresh_token,
        error,
        error_description,
        error_uri,
        code,
        message,
        error_code,
        error_message,
        member_count
    };

    json_member const& at(member m) const { return members_[m]; }

    std::string_view text(member m) const
    {
        return at(m).kind == json_kind::string ? at(m).text.reveal() : std::string_view();
    }

    bool quotes_a_secret(std::string_view peer) const
    {
        // "eyJ" is how every JWT begins.
        return peer.find("eyJ") != std::string_view::npos || std::any_of(secrets_.begin(), secrets_.end(), [&](auto s) {
                   return !s.empty() && peer.find(s) != std::string_view::npos;
               });
    }

    std::string quoted(std::string_view peer, std::size_t longest) const
    {
        return quotes_a_secret(peer) ? withheld : untrusted_text(peer, longest);
    }

    diagnostics about(std::string what) const
    {
        diagnostics d;
        d.ours = "token endpoint " + name_ + " answered " + std::to_string(answer_.status) + std::move(what);
        d.http_status = static_cast<std::uint16_t>(answer_.status);
        return d;
    }

    failure no_token(errc why, std::string_view ours) const
    {
        auto d = about(", but no token response: ");
        d.ours += ours;
        // Unless it is a page for people, it holds a token for all we know.
        auto const first = answer_.body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
        if (first != std::string_view::npos && answer_.body[first] == '<')
            d.peer_text = excerpt();
        return {make_error_code(why), phase::token, delivery::answered, std::move(d)};
    }

    // Of a body that could not be understood, so nobody knows where in it a secret would be.
    std::string excerpt() const
    {
        for (auto const marker : {"access_token", "refresh_token", "client_secret"})
            if (answer_.body.find(marker) != std::string_view::npos)
                return withheld;
        return quoted(answer_.body, longest_excerpt);
    }

    // A18: neither followed, nor shown with what may be a secret in its query.
    failure redirected() const
    {
        auto d = about(": a redirect, which is not followed, since the secret would travel along");
        if (auto const to = answer_.headers.find("Location"))
            d.peer_text = quoted(to->substr(0, to->find_first_of("?#")), longest_excerpt);
        return {make_error_code(errc::redirect), phase::token, delivery::answered, std::move(d)};
    }

    // A12, A14.
    failure refused() const
    {
        // RFC 6749 has `error`; others have {"code","message"}, some of them within `error`.
        auto const verbatim = there(at(error)) && at(error).kind == json_kind::string ? text(error)
                              : at(error_code).kind == json_kind::string              ? text(error_code)
                                                                                      : text(code);
        auto const said = at(error_description).kind == json_kind::string ? text(error_description)
                          : at(error_message).kind == json_kind::string   ? text(error_message)
                                                                          : text(message);
        auto const status = answer_.status;
        auto why = !unreadable_ && is_nqschar(verbatim) ? errc_of(verbatim) : errc::refused;
        if (status == 408 || status == 425 || status == 429 || status == 503)
            why = errc::temporarily_unavailable;
        else if (status >= 500)
            why = errc::server_error;

        auto d = about(why == errc::refused ? "" : " (" + make_error_code(why).message() + ")");
        if (!unreadable_) {
            d.peer_code = quoted(verbatim, longest_code);
            std::string all(said);
            if (auto const more = text(error_uri); !more.empty())
                all.append(all.empty() ? "see " : "; see ").append(more);
            d.peer_text = quoted(all, longest_text);
        }
        if (d.peer_code.empty() && d.peer_text.empty())
            d.peer_text = excerpt();
        if (status == 429 || status == 503)
            if (auto const field = answer_.headers.find("Retry-After"))
                d.retry_after = http::parse_retry_after(*field, now_);
        return {make_error_code(why), phase::token, delivery::answered, std::move(d)};
    }

    result<token_ptr> granted()
    {
        auto const access = text(access_token);
        if (access.empty())
            return no_token(errc::bad_response, "there is no access_token in it");
        if (access.size() > rules_.longest_token)
            return no_token(errc::bad_response,
                            "its access_token is " + std::to_string(access.size()) + " bytes long, which is too long");
        if (!is_b64token(access))
            return no_token(errc::bad_response, "its access_token has characters that cannot stand in a header");
        if (!http::same_field_name(text(token_type), "Bearer"))
            return no_token(errc::bad_token_type, "its token_type is not Bearer");

        auto const expiry = expiry_of_jwt(access);
        auto lifetime = rules_.assumed_lifetime;
        if (there(at(expires_in))) {
            auto const said = lifetime_of(at(expires_in));
            if (!said)
                return no_token(errc::bad_expires_in, "its expires_in is no whole number of seconds");
            lifetime = *said;
        } else if (expiry) {
            lifetime =
                *expiry <= sent_.wall ? duration::zero() : std::min(longest_lifetime, duration(*expiry - sent_.wall));
        }

        // A11.
        if (there(at(scope)) && (at(scope).kind != json_kind::string || !is_visible(text(scope))))
            return no_token(errc::bad_response, "its scope is no text");
        std::string const scopes(there(at(scope)) ? text(scope) : std::string_view(rules_.scope));
        for (auto const& needed : rules_.required_scopes)
            if (!has_word(scopes, needed)) {
                auto d = about(", but did not grant the scope '" + needed + "'");
                d.peer_text = "granted: " + quoted(scopes, longest_excerpt);
                return failure(errc::scope_not_granted, phase::token, delivery::answered, std::move(d));
            }

        auto t = std::make_shared<token>(secret(access), sent_, lifetime);
        t->scope = scopes;
        t->jwt_expiry = expiry;
        t->endpoint = name_;
        t->may_be_cached = !forbids_storing(answer_.headers);
        if (rules_.refresh != refresh_use::never && at(refresh_token).kind == json_kind::string)
            t->refresh = std::move(members_[refresh_token].text);
        return token_ptr(std::move(t));
    }

    token_answer const& answer_;
    token_endpoint const& rules_;
    std::string const& name_;
    moment sent_;
    wall_time now_;
    std::span<std::string_view const> secrets_;
    std::array<json_member, member_count> members_{};
    char const* unreadable_ = nullptr;
};

}  // namespace

result<token_ptr> read_token_answer(token_answer const& answer, token_endpoint const& rules, std::string const& name,
                                    moment sent, wall_time now, std::span<std::string_view const> secrets)
{
    return reader(answer, rules, name, sent, now, secrets).read();
}

}  // namespace jeton::oauth2
