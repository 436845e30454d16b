// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/secret.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace jeton::oauth2 {

/// What a member of a JSON object turned out to be.
enum class json_kind : unsigned char { absent, null, boolean, integer, real, string, composite };

/// A member that somebody is interested in, and what was found there.
struct json_member {
    std::string_view name{};  ///< of the object itself; "a.b": of the object that is its member `a`
    json_kind kind = json_kind::absent;
    secret text{};                ///< of a string
    std::uint64_t magnitude = 0;  ///< of an integer
    bool negative = false;
    double number = 0;  ///< of an integer or a real; infinite if it is out of range
};

/// Reads an object (RFC 8259) and fills in the members that are wanted; all others are looked over. Strict: no comments, no
/// trailing text, valid UTF-8, at most 32 levels, no name twice in the outermost object. A byte order mark is tolerated.
///
/// \returns why it cannot be read, as a static text that quotes nothing; null if it was.
char const* read_object(std::string_view json, std::span<json_member> wanted);

}  // namespace jeton::oauth2
