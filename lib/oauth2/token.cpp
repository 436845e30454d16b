// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/token.hpp>

#include "base/fingerprint.hpp"

#include <algorithm>

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
