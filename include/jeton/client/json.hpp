// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The body of an answer as a Boost.JSON value. Opt-in: the one public header with Boost behind it, which `jeton.hpp` does
/// not include; link `jeton::json`.

#include <jeton/base/result.hpp>
#include <jeton/http/response.hpp>

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>

namespace jeton {

/// What becomes of a number that would lose digits (RFC 8259 §6): an integer that does not fit into 64 bits, or a number
/// with a fraction or an exponent that a double, printed with as many digits, does not give back. Up to 15 digits, within
/// a double's range, it always does. No choice touches strings: "0.10" is a string and stays one.
enum class json_numbers : std::uint8_t {
    exact,    ///< it is refused
    as_text,  ///< it becomes a string, as it was written
    rounded,  ///< it becomes the nearest double; one beyond a double's range is refused
};

struct json_limits {
    /// How deep arrays and objects may lie within each other; 0: not at all. More than 1000 counts as 1000, since the
    /// depth is paid for on the stack.
    std::size_t depth = 32;

    /// Of the body, in bytes. Reading it can take thirty times as much memory at worst.
    std::size_t size = 16U << 20;

    json_numbers numbers = json_numbers::exact;
};

/// Reads the body of `answer`, whatever its status, as JSON (RFC 8259) in UTF-8. The value owns what it holds; the response
/// can go. From any thread.
///
/// Content-Type has to be `application/json` or `application/...+json`, or be missing. Strict: no byte order mark, no
/// comments, nothing behind the value, and no member name twice in one object, of which readers would pick different ones.
/// Integers come as `int64`, or as `uint64` if they are too large for it; all other numbers as `double`.
///
/// \returns a failure of phase `body`, `answered`, that equals `cond::malformed`:
///   - `http::errc::not_json`        by its Content-Type, which is in `diag().peer_text`;
///   - `http::errc::bad_json`        an empty body, one cut short, or whatever else breaks the rules above;
///   - `http::errc::json_too_deep`, `http::errc::body_too_large`  a limit;
///   - `http::errc::json_number`     a number that would lose digits.
///   Nothing of the body is quoted, since it may be anybody's data.
/// \throws nothing but `std::bad_alloc`.
result<boost::json::value> json(http::response const& answer, json_limits limits = {});

}  // namespace jeton
