// SPDX-License-Identifier: BSL-1.0
#include "oauth2/sansio/token_request.hpp"

#include "http/request_access.hpp"
#include "oauth2/sansio/base64.hpp"

#include <jeton/http/url.hpp>
#include <jeton/oauth2/error.hpp>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton::oauth2 {

namespace {

using namespace std::chrono_literals;

[[noreturn]] void refuse(errc code, std::string ours)
{
    throw error(failure(code, phase::configure, delivery::not_sent, std::move(ours)));
}

// App. A.1, A.2: VSCHAR is what both ids and secrets consist of.
bool is_vschar(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// §3.3: scope-token.
bool is_scope_token(std::string_view text) noexcept
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c == 0x21 || (c >= 0x23 && c <= 0x5b) || (c >= 0x5d && c <= 0x7e);
    });
}

bool is_scope(std::string_view text) noexcept
{
    for (;;) {
        auto const end = text.find(' ');
        if (!is_scope_token(text.substr(0, end)))
            return false;
        if (end == std::string_view::npos)
            return true;
        text.remove_prefix(end + 1);
    }
}

// RFC 3629, without surrogates and overlong forms: what a JSON string may consist of.
bool is_utf8(std::string_view text) noexcept
{
    for (std::size_t i = 0; i < text.size();) {
        auto const at = [&](std::size_t k) {
            return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u;
        };
        unsigned const a = at(0);
        std::size_t const n = a < 0x80                 ? 1
                              : a >= 0xc2 && a <= 0xdf ? 2
                              : a >= 0xe0 && a <= 0xef ? 3
                              : a >= 0xf0 && a <= 0xf4 ? 4
                                                       : 0;
        if (n == 0)
            return false;
        for (std::size_t k = 1; k < n; ++k)
            if ((at(k) & 0xc0) != 0x80)
                return false;
        if ((a == 0xe0 && at(1) < 0xa0) || (a == 0xed && at(1) > 0x9f) || (a == 0xf0 && at(1) < 0x90)
            || (a == 0xf4 && at(1) > 0x8f))
            return false;
        i += n;
    }
    return true;
}

// What jeton sets itself, or is a field of `token_endpoint`.
bool is_ours(std::string_view name) noexcept
{
    static constexpr std::string_view names[] = {"grant_type", "client_id", "client_secret", "refresh_token", "scope"};
    return std::find(std::begin(names), std::end(names), name) != std::end(names)
           || name.starts_with("client_assertion");
}

void append_json_string(std::string& to, std::string_view text)
{
    static constexpr char digits[] = "0123456789abcdef";
    to += '"';
    for (char const c : text) {
        if (c == '"' || c == '\\') {
            to += '\\';
            to += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            to.append("\\u00");
            to += digits[c >> 4];
            to += digits[c & 15];
        } else {
            to += c;
        }
    }
    to += '"';
}

}  // namespace

struct token_request::parameter {
    std::string_view name;
    std::string_view value;
};

class token_request::parameter_list : public std::vector<parameter> {
public:
    // §3.2: a parameter without a value is as good as none.
    void add(std::string_view name, std::string_view value)
    {
        if (!value.empty())
            push_back({name, value});
    }
};

token_request::token_request(token_endpoint endpoint) : endpoint_(std::move(endpoint))
{
    auto const& e = endpoint_;
    auto const where = http::url::parse(e.url);
    if (!where)
        // Not quoted: what makes it unusable may be a password in it.
        refuse(errc::bad_endpoint, "the token endpoint's URL cannot be used: " + where.error().code().message());
    name_ = where->without_query();
    if (!where->origin().secure && !(e.plain_http_on_loopback && where->origin().loopback()))
        refuse(errc::bad_endpoint, name_ + " is not https: the client's secret would travel in the clear");
    if (e.assumed_lifetime <= 0s || e.assumed_lifetime > 24h)
        refuse(errc::bad_endpoint, "assumed_lifetime is not within 0 to 24 h");
    if (e.longest_token == 0)
        refuse(errc::bad_endpoint, "longest_token is 0");

    if (!e.scope.empty() && !is_scope(e.scope))
        refuse(errc::bad_parameter, "the scope is no list of scope tokens with single spaces between");
    for (auto const& s : e.required_scopes)
        if (!is_scope_token(s))
            refuse(errc::bad_parameter, "a required scope is no scope token");

    std::vector<std::string_view> seen;
    auto const claim = [&seen](std::string_view name) {
        if (std::find(seen.begin(), seen.end(), name) != seen.end())
            refuse(errc::bad_parameter, "the parameter '" + std::string(name) + "' is there twice");
        seen.push_back(name);
    };
    for (auto const& [name, value] : e.parameters) {
        if (name.empty() || !is_vschar(name) || !is_utf8(value))
            refuse(errc::bad_parameter, "a parameter has no name, or is no UTF-8");
        if (is_ours(name))
            refuse(errc::bad_parameter, "the parameter '" + name + "' is not the caller's to set here");
        claim(name);
    }
    // What is in the query must not be in the body again (§3.2), and secrets not in the query at all (§2.3.1).
    std::string_view query = where->query();
    std::vector<std::string> in_query;
    while (!query.empty()) {
        auto const end = std::min(query.find('&'), query.size());
        in_query.emplace_back(query.substr(0, std::min(query.find('='), end)));
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    for (auto const& name : in_query) {
        if (is_ours(name))
            refuse(errc::bad_parameter, "the parameter '" + name + "' is in the query of the token endpoint");
        claim(name);
    }
}

result<void> token_request::check(client_identity const& who) const
{
    auto const bad = [this](char const* what) {
        return failure(errc::bad_client, phase::configure, delivery::not_sent,
                       std::string(what) + " (for " + name_ + ")");
    };
    if (!is_vschar(who.id))
        return bad("the client id has characters that cannot be sent");
    if (!is_vschar(who.key.reveal()))
        return bad("the client secret has characters that cannot be sent");
    if (endpoint_.auth == client_auth::none)
        return {};
    if (who.id.empty())
        return bad("there is no client id");
    if (who.key.empty())
        return bad("there is no client secret");
    if (endpoint_.auth == client_auth::client_secret_basic_raw && who.id.find(':') != std::string::npos)
        return bad("a client id with a colon cannot be sent as it is");
    return {};
}

void token_request::authenticate(parameter_list& into, client_identity const& who) const
{
    if (endpoint_.auth == client_auth::client_secret_post || endpoint_.auth == client_auth::none)
        into.add("client_id", who.id);
    if (endpoint_.auth == client_auth::client_secret_post)
        into.add("client_secret", who.key.reveal());
}

result<http::request> token_request::client_credentials(client_identity const& who) const
{
    if (auto const fit = check(who); !fit)
        return fit.error();
    parameter_list all;
    all.add("grant_type", "client_credentials");
    authenticate(all, who);
    all.add("scope", endpoint_.scope);
    for (auto const& [name, value] : endpoint_.parameters)
        all.add(name, value);
    return finish(all, &who);
}

result<http::request> token_request::refresh(secret const& refresh_token, client_identity const& who) const
{
    // No scope: the server then grants what it granted before, and never more (§6).
    parameter_list all;
    all.add("grant_type", "refresh_token");
    all.add("refresh_token", refresh_token.reveal());
    if (endpoint_.refresh != refresh_use::with_client)
        return finish(all, nullptr);
    if (auto const fit = check(who); !fit)
        return fit.error();
    authenticate(all, who);
    for (auto const& [name, value] : endpoint_.parameters)
        all.add(name, value);
    return finish(all, &who);
}

bool token_request::uses_basic() const noexcept
{
    return endpoint_.auth == client_auth::client_secret_basic || endpoint_.auth == client_auth::client_secret_basic_raw;
}

// The room must be there.
void token_request::append_basic(std::string& to, client_identity const& who) const
{
    std::string pair;
    pair.reserve(3 * (who.id.size() + who.key.size()) + 1);
    // §2.3.1: each is form-encoded before the two are joined, which is what keeps a colon in the id apart.
    auto const append = [this, &pair](std::string_view part) {
        if (endpoint_.auth == client_auth::client_secret_basic)
            http::append_form_encoded(pair, part);
        else
            pair.append(part);
    };
    append(who.id);
    pair += ':';
    append(who.key.reveal());
    append_base64(to, pair);
    wipe(pair);
}

std::vector<secret> token_request::unquotable(client_identity const& who, secret const* refresh_token) const
{
    std::vector<secret> all;
    auto const add = [&all](secret const& s) {
        if (s.empty())
            return;
        all.push_back(s.duplicate());
        std::string form;
        form.reserve(3 * s.size());
        http::append_form_encoded(form, s.reveal());
        std::string json;
        json.reserve(6 * s.size() + 2);
        append_json_string(json, s.reveal());
        json.pop_back();
        json.erase(0, 1);
        if (form != s.reveal())
            all.push_back(secret(std::move(form)));
        if (json != s.reveal())
            all.push_back(secret(std::move(json)));
        wipe(form);
        wipe(json);
    };
    add(who.key);
    if (refresh_token != nullptr)
        add(*refresh_token);
    if (uses_basic() && !who.key.empty()) {
        std::string pair;
        pair.reserve(6 * (who.id.size() + who.key.size()) + 8);
        append_basic(pair, who);
        // Whoever quotes it may leave out the padding.
        while (pair.ends_with('='))
            pair.pop_back();
        all.push_back(secret(std::move(pair)));
    }
    return all;
}

http::request token_request::finish(parameter_list const& parameters, client_identity const* who) const
{
    // Room for the worst case, so that no copy is left behind in memory that was outgrown.
    std::size_t room = 2;
    for (auto const& [name, value] : parameters)
        room += 6 * (name.size() + value.size() + 1);
    std::string text;
    text.reserve(room);

    bool const json = endpoint_.body == body_kind::json;
    for (auto const& [name, value] : parameters) {
        if (json) {
            text += text.empty() ? '{' : ',';
            append_json_string(text, name);
            text += ':';
            append_json_string(text, value);
        } else {
            if (!text.empty())
                text += '&';
            http::append_form_encoded(text, name);
            text += '=';
            http::append_form_encoded(text, value);
        }
    }
    if (json)
        text += '}';

    http::request r("POST", endpoint_.url);
    r.secret_body(secret(std::move(text)), json ? "application/json" : "application/x-www-form-urlencoded");
    r.header("Accept", "application/json").anonymous();

    if (who && uses_basic()) {
        std::string line;
        line.reserve(6 * (who->id.size() + who->key.size()) + 64);
        line = "Authorization: Basic ";
        append_basic(line, *who);
        line += "\r\n";
        http::request_access::authorize(r, std::make_shared<secret const>(std::move(line)));
    }
    return r;
}

}  // namespace jeton::oauth2
