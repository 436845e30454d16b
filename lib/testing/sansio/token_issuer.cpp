// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/token_issuer.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace jeton::testing {

namespace {

// RFC 7515 §2: base64url without padding.
std::string base64url(std::string_view bytes)
{
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    auto const size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<unsigned char const*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    while (text.ends_with('='))
        text.pop_back();
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

std::int64_t seconds_since_epoch(wall_time t)
{
    return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

}  // namespace

token_issuer::token_issuer(std::string name, secret key, std::size_t size)
    : name_(std::move(name)), key_(std::move(key)), size_(size)
{}

std::string token_issuer::sign(std::string_view text) const
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    auto const key = key_.reveal();
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<unsigned char const*>(text.data()),
         text.size(), mac.data(), &size);
    return base64url({reinterpret_cast<char const*>(mac.data()), size});
}

std::string token_issuer::make_access(purpose const& what_for, duration lifetime, moment now) const
{
    auto const id = std::to_string(issued_);
    boost::json::object claims;
    claims["iss"] = name_;
    claims["sub"] = what_for.client;
    claims["aud"] = what_for.audience;
    claims["iat"] = seconds_since_epoch(now.wall);
    claims["exp"] = seconds_since_epoch(saturating_add(now.wall, lifetime));
    claims["jti"] = sign("jti " + id);
    if (!what_for.scope.empty())
        claims["scope"] = what_for.scope;

    // Real tokens are as long as they are because of what their issuers put in; this one carries it as one claim.
    auto const text = base64url(R"({"alg":"HS256","typ":"JWT"})") + '.';
    constexpr std::size_t signature = 1 + 43, wrapping = 10;
    auto const bare = boost::json::serialize(claims).size();
    auto const wanted = size_ > text.size() + signature ? (size_ - text.size() - signature + 1) * 3 / 4 + 1 : 0;
    if (wanted > bare) {
        std::string extra;
        for (int i = 0; extra.size() + bare + wrapping < wanted; ++i)
            extra.append(sign("ext " + id + ' ' + std::to_string(i)));
        extra.resize(wanted > bare + wrapping ? wanted - bare - wrapping : 1);
        claims["ext"] = extra;
    }
    auto const unsigned_token = text + base64url(boost::json::serialize(claims));
    return unsigned_token + '.' + sign(unsigned_token);
}

token_issuer::grant token_issuer::issue(purpose what_for, duration lifetime, bool refreshable, moment now)
{
    forget_expired(now);
    ++issued_;
    grant g;
    g.access = make_access(what_for, lifetime, now);
    g.expires_in = std::chrono::floor<std::chrono::seconds>(lifetime);
    access_[g.access] = {saturating_add(now.boot, lifetime), false};
    if (refreshable) {
        g.refresh = "rt." + sign("refresh " + std::to_string(issued_));
        refresh_[g.refresh] = what_for;
    }
    g.what_for = std::move(what_for);
    return g;
}

std::optional<token_issuer::grant> token_issuer::refresh(std::string_view refresh_token, duration lifetime, moment now)
{
    auto const found = refresh_.find(refresh_token);
    if (found == refresh_.end())
        return std::nullopt;
    auto what_for = std::move(found->second);
    refresh_.erase(found);
    return issue(std::move(what_for), lifetime, true, now);
}

token_issuer::verdict token_issuer::check(std::string_view access, moment now) const
{
    auto const found = access_.find(access);
    if (found == access_.end())
        return verdict::unknown;
    if (found->second.revoked)
        return verdict::revoked;
    return now.boot < found->second.ends ? verdict::valid : verdict::expired;
}

bool token_issuer::revoke(std::string_view token)
{
    if (auto const refreshing = refresh_.find(token); refreshing != refresh_.end()) {
        refresh_.erase(refreshing);
        return true;
    }
    auto const found = access_.find(token);
    if (found == access_.end())
        return false;
    found->second.revoked = true;
    return true;
}

void token_issuer::revoke_all()
{
    for (auto& [text, known] : access_)
        known.revoked = true;
    refresh_.clear();
}

// An expired token is told apart from an unknown one for a while only: a run of days must not fill the memory.
void token_issuer::forget_expired(moment now)
{
    constexpr std::size_t many = 1024;
    if (access_.size() > many)
        std::erase_if(access_, [&](auto const& entry) { return entry.second.ends <= now.boot; });
}

}  // namespace jeton::testing
