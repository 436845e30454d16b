// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>
#include <jeton/http/headers.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace jeton::http {

/// How long each phase of a request took; zero for one that it did not go through (a reused connection
/// has no `resolve`). `token` includes waiting for another caller's refresh.
struct phase_times {
    duration token{}, queue{}, resolve{}, connect{}, tls{}, write{}, first_byte{}, body{};
};

/// How the answer came about.
struct exchange_info {
    std::string_view protocol = "http/1.1";  ///< ALPN identifier
    bool reused = false;                     ///< over a connection that had carried a request before
    int attempts = 1;                        ///< how often the request was sent, this time included
    phase_times phases{};                    ///< of the last attempt, except `token`: of all
};

/// A whole answer. Head and body lie in one block; views into it are valid as long as the response.
class response {
public:
    response(response&&) noexcept;
    response& operator=(response&&) noexcept;
    ~response();

    int status() const noexcept;  ///< 200 to 599
    http::headers headers() const noexcept;
    http::headers trailers() const noexcept;  ///< never merged into the headers (RFC 9110 §6.5)
    std::string_view text() const noexcept;   ///< the body, as it came

    /// The first field with that name.
    std::optional<std::string_view> header(std::string_view name) const noexcept { return headers().find(name); }

    exchange_info const& info() const noexcept { return info_; }
    bool reused() const noexcept { return info_.reused; }
    int attempts() const noexcept { return info_.attempts; }
    std::string_view protocol() const noexcept { return info_.protocol; }
    phase_times const& phases() const noexcept { return info_.phases; }

private:
    friend class response_builder;
    friend struct response_access;
    struct block;
    explicit response(block* owned) noexcept : block_(owned) {}

    block* block_;
    exchange_info info_{};
};

}  // namespace jeton::http
