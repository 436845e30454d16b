// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/secret.hpp>
#include <jeton/base/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace jeton::testing {

/// What an authorization server knows of the tokens it has granted. Access tokens are JWTs (RFC 7519), signed with HS256
/// over a key of the issuer's; refresh tokens mean nothing to anybody else. The same key and calls give the same tokens.
class token_issuer {
public:
    /// Whom a token is for, and what it is good for.
    struct purpose {
        std::string client{};
        std::string audience{};
        std::string scope{};  ///< empty: not in the token
    };

    struct grant {
        std::string access{};
        std::string refresh{};  ///< empty: none was asked for
        purpose what_for{};
        std::chrono::seconds expires_in{};
    };

    enum class verdict { valid, unknown, expired, revoked };

    /// \param name  `iss` of its tokens
    /// \param size  characters that a token has at least
    token_issuer(std::string name, secret key, std::size_t size);

    grant issue(purpose what_for, duration lifetime, bool refreshable, moment now);

    /// Grants anew for the same purpose. A refresh token works once (RFC 9700 §4.14.2); nothing comes of an unknown one.
    std::optional<grant> refresh(std::string_view refresh_token, duration lifetime, moment now);

    /// Looks at nothing but what is known of the very same text.
    verdict check(std::string_view access, moment now) const;

    /// An access or a refresh token. \returns whether it was known.
    bool revoke(std::string_view token);
    void revoke_all();

    std::uint64_t issued() const noexcept { return issued_; }

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>()(s); }
    };
    template <class T>
    using by_text = std::unordered_map<std::string, T, text_hash, std::equal_to<>>;

    struct life {
        time_point ends{};
        bool revoked = false;
    };

    std::string sign(std::string_view text) const;
    std::string make_access(purpose const& what_for, duration lifetime, moment now) const;
    void forget_expired(moment now);

    std::string name_;
    secret key_;
    std::size_t size_;
    std::uint64_t issued_ = 0;
    by_text<life> access_{};
    by_text<purpose> refresh_{};
};

}  // namespace jeton::testing
