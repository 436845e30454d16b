// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/response.hpp>

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace jeton::tool {

/// An answer as `call --json` prints it.
boost::json::object to_json(http::response const& answer);

/// A failure as `--json` prints it: {"error": {...}}.
boost::json::object to_json(failure const& why);

/// A failure for a person: what happened, then what the server had to say.
std::string explain(failure const& why);

/// Text that can stand in JSON: invalid UTF-8 becomes U+FFFD.
std::string valid_utf8(std::string_view text);

/// "12.3 ms", "870 us"
std::string readable(duration d);

}  // namespace jeton::tool
