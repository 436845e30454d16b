// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/headers.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton::http {

/// One way to authenticate that a server offers or demands (RFC 9110 §11.3).
struct challenge {
    std::string scheme{};   ///< lower case
    std::string token68{};  ///< empty if it has parameters, or nothing
    std::vector<std::pair<std::string, std::string>>
        parameters{};  ///< names in lower case, values unquoted; as they came

    /// The value of a parameter; null if there is none.
    std::string const* parameter(std::string_view lower_case_name) const noexcept;
};

/// The challenges in all fields of that name, in order. Empty if there are none, if any of them is malformed, or if there are more
/// than a server could mean (32 challenges, 64 parameters each, 16 KiB): the answer then counts as a bare 401.
std::vector<challenge> parse_challenges(headers const& of, std::string_view field_name = "WWW-Authenticate");

/// The same for one field value. Appends; false if it is malformed.
bool parse_challenges(std::string_view value, std::vector<challenge>& to);

/// `error` of the first Bearer challenge that has one, e.g. "invalid_token" (RFC 6750 §3); empty if none has.
std::string_view bearer_error(std::vector<challenge> const& offered) noexcept;

}  // namespace jeton::http
