// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/token.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace jeton::oauth2 {

namespace {

constexpr std::string_view before = "Authorization: Bearer ";
constexpr std::string_view after = "\r\n";

std::shared_ptr<secret const> authorization_line(std::string_view access)
{
    std::string line;
    line.reserve(before.size() + access.size() + after.size());
    line.append(before).append(access).append(after);
    return std::make_shared<secret const>(std::move(line));
}

// Keyed, so that whoever has the logs cannot try out tokens; the key dies with the process.
std::string fingerprint_of(std::string_view access)
{
    static auto const key = [] {
        std::array<unsigned char, 32> k{};
        RAND_bytes(k.data(), static_cast<int>(k.size()));
        return k;
    }();
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<unsigned char const*>(access.data()),
         access.size(), hash.data(), &size);
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i != 8; ++i) {
        text += digits[hash[i] >> 4];
        text += digits[hash[i] & 15];
    }
    return text;
}

// How far apart two points are; the far ends of a clock are told apart without overflow.
template <class Clock>
duration apart(std::chrono::time_point<Clock, duration> later,
               std::chrono::time_point<Clock, duration> earlier) noexcept
{
    duration::rep out{};
    if (__builtin_sub_overflow(later.time_since_epoch().count(), earlier.time_since_epoch().count(), &out))
        return later > earlier ? duration::max() : duration::min();
    return duration(out);
}

}  // namespace

token::token(secret access, moment sent, duration lifetime)
    : fingerprint(fingerprint_of(access.reveal())),
      authorization_(authorization_line(access.reveal())),
      sent_(sent),
      lifetime_(lifetime)
{}

token::token(token const& other, std::uint64_t nth)
    : scope(other.scope),
      refresh(other.refresh.duplicate()),
      generation(nth),
      fingerprint(other.fingerprint),
      jwt_expiry(other.jwt_expiry),
      endpoint(other.endpoint),
      may_be_cached(other.may_be_cached),
      authorization_(other.authorization_),
      sent_(other.sent_),
      lifetime_(other.lifetime_)
{}

std::shared_ptr<token const> token::numbered(std::uint64_t nth) const
{
    return std::shared_ptr<token const>(new token(*this, nth));
}

std::string_view token::access() const noexcept
{
    auto line = authorization_->reveal();
    line.remove_prefix(before.size());
    line.remove_suffix(after.size());
    return line;
}

duration token::left(moment now) const noexcept
{
    // The larger age is the right one: the boot clock knows nothing of a wall clock that was wrong when the token came,
    // and a wall clock that was set back must not make the token younger (A21).
    auto const age = std::max(apart(now.boot, sent_.boot), apart(now.wall, sent_.wall));
    duration::rep out{};
    if (__builtin_sub_overflow(lifetime_.count(), age.count(), &out))
        return age > duration::zero() ? duration::min() : duration::max();
    return duration(out);
}

}  // namespace jeton::oauth2
