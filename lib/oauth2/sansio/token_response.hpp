// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>
#include <jeton/http/headers.hpp>
#include <jeton/oauth2/token.hpp>
#include <jeton/oauth2/token_endpoint.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace jeton::oauth2 {

/// What a token endpoint answered, as it came.
struct token_answer {
    int status = 0;
    http::headers headers{};
    std::string_view body{};
};

/// Tokens do not live longer than this, whatever the server says: a wrong unit, or "forever", is found out within a day.
inline constexpr duration longest_lifetime = std::chrono::hours(24);

/// An answer longer than this is no token response.
inline constexpr std::size_t longest_answer_body = 64 * 1024;

/// Makes of an answer a token (RFC 6749 §5.1) or a failure (§5.2) of phase `token`, `answered`.
///
/// \param name     of the endpoint, for messages
/// \param sent     when the request was sent: the token's age counts from there
/// \param now      for a Retry-After that is a date
/// \param secrets  `token_request::unquotable`: an answer that quotes one of them is not quoted
result<token_ptr> read_token_answer(token_answer const& answer, token_endpoint const& rules, std::string const& name,
                                    moment sent, wall_time now, std::span<std::string_view const> secrets);

}  // namespace jeton::oauth2
