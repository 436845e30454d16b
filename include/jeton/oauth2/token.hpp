// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/secret.hpp>
#include <jeton/base/time.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace jeton::oauth2 {

/// An access token as the server granted it (RFC 6749 §5.1). Immutable once it is shared.
class token {
public:
    /// \param access    1*VSCHAR that can stand in a header (b64token, RFC 6750 §2.1); the parser of token answers sees to it
    /// \param sent      when the token request was sent: its age counts from there
    /// \param lifetime  what the server granted, clamped by then
    token(secret access, moment sent, duration lifetime);

    std::string_view access() const noexcept;  ///< the token itself; do not log it

    /// "Authorization: Bearer ...\r\n", ready for the wire.
    std::shared_ptr<secret const> const& authorization() const noexcept { return authorization_; }

    moment sent() const noexcept { return sent_; }
    duration lifetime() const noexcept { return lifetime_; }

    /// Time left by whichever clock says less (negative: that long ago). A wall clock that was set back does not prolong it.
    duration left(moment now) const noexcept;

    std::string scope{};           ///< as granted, space-separated; may be narrower than asked for (§3.3)
    secret refresh{};              ///< empty: the server gave none (§6)
    std::uint64_t generation = 0;  ///< counts the tokens of one source, from 1; 0: not given out by a cache
    std::string fingerprint{};     ///< keyed hash, the same for the same token within this process; safe to log
    std::optional<wall_time> jwt_expiry{};  ///< `exp` of a JWT (RFC 7519 §4.1.4), unverified; absent if it is none
    std::string endpoint{};                 ///< who granted it, without the query; empty: unknown
    bool may_be_cached = false;             ///< the answer lacked `Cache-Control: no-store` (RFC 6749 §5.1)

    /// The same token, which shares the secret, as the n-th of its source.
    std::shared_ptr<token const> numbered(std::uint64_t nth) const;

private:
    token(token const& other, std::uint64_t nth);

    std::shared_ptr<secret const> authorization_;
    moment sent_;
    duration lifetime_;
};

/// Tokens are immutable and shared: a hundred waiters hold one copy of the secret.
using token_ptr = std::shared_ptr<token const>;

/// What the caller needs of the token it is about to be given.
///
/// Not an aggregate, on purpose: GCC 12 destroys a braced aggregate twice when it is made
/// inside a co_await expression, and a call argument always is.
class token_demand {
public:
    /// Any token the source still considers usable.
    token_demand() = default;

    /// A token that stays valid for `remaining` more, e.g. the length of an upload.
    static token_demand lasting(duration remaining)
    {
        token_demand d;
        d.remaining_ = remaining;
        return d;
    }

    /// A token other than `refused`, which a resource server answered with 401.
    /// Ten callers who report the same refused token still cause one fetch.
    static token_demand instead_of(token_ptr refused)
    {
        token_demand d;
        d.refused_ = std::move(refused);
        return d;
    }

    /// Until when the caller can wait. Default: as long as the source takes.
    token_demand by(time_point deadline) &&
    {
        deadline_ = deadline;
        return std::move(*this);
    }

    duration remaining() const noexcept { return remaining_; }
    token_ptr const& refused() const noexcept { return refused_; }
    std::optional<time_point> deadline() const noexcept { return deadline_; }

private:
    duration remaining_{0};
    token_ptr refused_{};
    std::optional<time_point> deadline_{};
};

}  // namespace jeton::oauth2
