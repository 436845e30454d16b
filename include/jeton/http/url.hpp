// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace jeton::http {

/// Scheme, host and port: what a connection, and a token, belongs to (RFC 6454 §4). Compares canonically.
struct origin {
    bool secure = true;  ///< https; otherwise http
    std::string host{};  ///< lower case; an IPv6 address without its brackets
    std::uint16_t port = 443;

    std::string to_string() const;   ///< "https://api.example:8443"; the port only where it is not the default
    std::string authority() const;   ///< "api.example:8443", "[::1]": what goes into Host (RFC 9110 §7.2)
    bool loopback() const noexcept;  ///< "localhost", 127.0.0.0/8 or ::1

    friend bool operator==(origin const&, origin const&) = default;
};

/// An absolute http or https URL, taken apart once. What two parsers could read differently is refused: userinfo,
/// fragment, backslashes, control and non-ASCII characters, an empty host, percent-encoding in the host, port 0.
/// Names are lower-cased; the path keeps its percent-encoding; dot segments are removed (RFC 3986 §5.2.4).
class url {
public:
    /// \returns `errc::bad_url` (phase `configure`, `not_sent`); the text is shown without its query.
    static result<url> parse(std::string_view text);

    http::origin const& origin() const noexcept { return origin_; }
    std::string const& path() const noexcept { return path_; }    ///< begins with '/'
    std::string const& query() const noexcept { return query_; }  ///< without '?'; empty if none
    std::string target() const;                                   ///< path and query, as in a request line
    std::string to_string() const;                                ///< whole
    std::string without_query() const;                            ///< safe to log

    friend bool operator==(url const&, url const&) = default;

private:
    http::origin origin_{};
    std::string path_{"/"};
    std::string query_{};
};

/// Percent-encodes everything but RFC 3986 §2.3 unreserved characters: right for a path segment and a query component.
std::string percent_encode(std::string_view text);

/// application/x-www-form-urlencoded (WHATWG URL §5.2; RFC 6749 App. B): a blank becomes '+', `*-._` and alphanumerics stay.
void append_form_encoded(std::string& to, std::string_view text);

}  // namespace jeton::http
