// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>
#include <jeton/http/url.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton {

/// Knows where an API lies, and makes of what a caller writes the origin and target that a request goes to.
///
/// A relative path is appended to the base ("/balance" and "balance" on "https://api.example/v1" are "/v1/balance") and
/// cannot leave it; an absolute URL may lead to any trusted origin, or anywhere for a request without a token.
class api_address {
public:
    /// \param base_url      a query of it is put before that of each request
    /// \param also_trusted  origins, as URLs without path and query
    /// \param variables     `{NAME}` -> value
    /// \returns failures of code `http::errc::bad_url`, `plain_http` or `bad_target` (phase `configure`).
    static result<api_address> make(std::string const& base_url, std::vector<std::string> const& also_trusted,
                                    std::vector<std::pair<std::string, std::string>> variables,
                                    bool plain_http_on_loopback);

    struct place {
        std::shared_ptr<http::origin const> origin{};  ///< if trusted, one that lives as long as the address
        bool trusted = false;
        std::string target{};
    };

    /// Says a variable that is not in the list; nothing if it knows none of that name.
    using lookup = std::function<std::optional<result<std::string>>(std::string_view name)>;

    /// \param given       a path, or an absolute URL; see http::request
    /// \param anywhere    other origins are allowed: the request carries no token
    /// \returns `http::errc::bad_target`, `http::errc::bad_url` or `oauth2::errc::foreign_origin` (phase `configure`,
    ///   `not_sent`), or the failure of `more`.
    result<place> resolve(std::string_view given, bool anywhere, lookup const& more) const;

    /// Where the base lies.
    struct base {
        std::shared_ptr<http::origin const> const& origin;
        std::string_view path;  ///< "" or "/v1"; lives as long as the origin
    };

    /// What `given` stands behind as it is, seen at a glance; nothing if that takes `resolve`.
    std::optional<base> base_for(std::string_view given) const noexcept;

    /// Whether it is no path but a URL, of whatever kind.
    static bool is_absolute(std::string_view given) noexcept;

    /// The base's first.
    std::vector<http::origin> trusted() const;
    http::origin const& base_origin() const noexcept { return *trusted_.front(); }

private:
    api_address() = default;
    result<place> resolve_absolute(std::string_view given, bool anywhere, lookup const& more) const;
    result<void> fill_in(std::string& to, std::string_view path, lookup const& more) const;

    std::vector<std::shared_ptr<http::origin const>> trusted_{};
    std::string_view
        path_{};  // of the base, kept with its origin; without the slash at its end, so that a path can be appended: "" or "/v1"
    std::string query_{};  // without '?'
    std::vector<std::pair<std::string, std::string>> variables_{};
};

}  // namespace jeton
