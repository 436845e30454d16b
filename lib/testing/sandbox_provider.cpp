// SPDX-License-Identifier: BSL-1.0
#include "testing/sandbox_provider.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <openssl/rand.h>

#include <array>
#include <charconv>
#include <stdexcept>

namespace jeton::testing {

namespace {

std::string random_text(std::size_t bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, 64> raw{};
    if (bytes > raw.size() || RAND_bytes(raw.data(), static_cast<int>(bytes)) != 1)
        throw std::runtime_error("no random bytes to be had");
    std::string text;
    for (std::size_t i = 0; i != bytes; ++i)
        text.append({digits[raw[i] >> 4], digits[raw[i] & 15]});
    wipe(raw.data(), raw.size());
    return text;
}

}  // namespace

played_client::played_client() : id_("sandbox-" + random_text(6)), key_(random_text(24)) {}

oauth2::client_identity played_client::identity() const
{
    std::lock_guard const lock(mutex_);
    return {.id = id_, .key = key_.duplicate()};
}

void played_client::rotate()
{
    std::lock_guard const lock(mutex_);
    key_ = secret(random_text(24));
}

bool played_client::knows(std::string_view id, std::string_view text) const
{
    std::lock_guard const lock(mutex_);
    return id == id_ && secret(text) == key_;
}

played_provider::played_provider(std::string name, std::string const& origin, std::string prefix,
                                 std::string token_path, std::size_t token_size)
    : name_(std::move(name)),
      prefix_(std::move(prefix)),
      base_url_(origin + prefix_),
      token_path_(std::move(token_path)),
      issuer_(base_url_ + '/', secret(random_text(32)), token_size)
{}

void played_provider::answer_token_request(played_exchange& x)
{
    if (x.request.method != "POST")
        return not_allowed(x.reply, "POST");
    // RFC 6749 §5.1: nobody may keep a token answer.
    x.reply.fields.append("Cache-Control: no-store\r\nPragma: no-cache\r\n");
    grant(x);
}

void played_provider::answer_api_request(played_exchange& x)
{
    constexpr std::string_view scheme = "Bearer ";
    auto const sent = x.request.authorization;
    if (sent.size() <= scheme.size() || !http::same_field_name(sent.substr(0, scheme.size()), scheme)) {
        x.reply.fields.append("WWW-Authenticate: Bearer realm=\"").append(name_).append("\"\r\n");
        return refuse(x.reply, 401, "no bearer token");
    }
    using enum token_issuer::verdict;
    switch (issuer_.check(sent.substr(scheme.size()), x.now)) {
    case valid: return resource(x);
    case expired:
        x.reply.fields.append("WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"expired\"\r\n");
        return refuse(x.reply, 401, "the token has expired");
    case revoked:
        x.reply.fields.append("WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"revoked\"\r\n");
        return refuse(x.reply, 401, "the token has been revoked");
    case unknown:
        x.reply.fields.append("WWW-Authenticate: Bearer error=\"invalid_token\"\r\n");
        return refuse(x.reply, 401, "the token is not one of ours");
    }
}

void played_provider::give(played_exchange& x, token_issuer::grant const& g) const
{
    auto const quoted = [](std::string const& text) { return boost::json::serialize(boost::json::string(text)); };
    auto& members = x.reply.members;
    members.emplace_back("access_token", quoted(g.access));
    members.emplace_back("token_type", R"("Bearer")");
    members.emplace_back("expires_in", std::to_string(g.expires_in.count()));
    if (!g.refresh.empty())
        members.emplace_back("refresh_token", quoted(g.refresh));
    if (!g.what_for.scope.empty())
        members.emplace_back("scope", quoted(g.what_for.scope));
    x.reply.status = 200;
}

void played_provider::not_allowed(server_reply& r, std::string_view allowed)
{
    r.fields.append("Allow: ").append(allowed).append("\r\n");
    r.json(405, R"({"message":"method not allowed"})");
}

std::optional<form_fields> parse_flat_json(std::string_view text)
{
    boost::json::error_code error;
    auto const value = boost::json::parse({text.data(), text.size()}, error);
    if (error || !value.is_object())
        return std::nullopt;
    form_fields fields;
    for (auto const& [name, member] : value.get_object()) {
        if (!member.is_string())
            return std::nullopt;
        auto const& s = member.get_string();
        fields.emplace_back(std::string(name.data(), name.size()), std::string(s.data(), s.size()));
    }
    return fields;
}

bool is_media_type(std::string_view content_type, std::string_view type)
{
    auto const bare = content_type.substr(0, content_type.find(';'));
    return http::same_field_name(bare.substr(0, bare.find_last_not_of(" \t") + 1), type);
}

std::optional<std::size_t> number_in(form_fields const& query, std::string_view name, std::size_t otherwise,
                                     std::size_t least, std::size_t most)
{
    auto const* text = find_field(query, name);
    if (text == nullptr)
        return otherwise;
    std::size_t n = 0;
    auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
    if (error != std::errc() || end != text->data() + text->size() || n < least || n > most)
        return std::nullopt;
    return n;
}

}  // namespace jeton::testing
