// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/h1_characters.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace jeton::http {

/// Whether a field must not come after the body: it would have had to be known before (RFC 9110 §6.5.1).
inline bool belongs_into_head(std::string_view name) noexcept
{
    static constexpr std::string_view words[] = {
        "transfer-encoding",
        "content-length",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "host",
        "authorization",
        "www-authenticate",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "set-cookie",
        "cookie",
        "content-encoding",
        "content-type",
        "content-range",
        "location",
        "retry-after",
        "cache-control",
        "expect",
    };
    return std::any_of(std::begin(words), std::end(words), [&](auto word) { return is_word(name, word); });
}

}  // namespace jeton::http
