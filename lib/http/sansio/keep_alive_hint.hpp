// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace jeton::http {

/// What a server says about the life of a connection, in the field `Keep-Alive` (RFC 2068 §19.7.1.1, and in use ever
/// since): a hint, not a promise.
struct keep_alive_hint {
    std::optional<std::uint32_t> timeout{};  ///< seconds that it keeps an idle connection
    std::optional<std::uint32_t> max{};      ///< how many more requests it takes on this one

    friend bool operator==(keep_alive_hint const&, keep_alive_hint const&) = default;
};

/// "timeout=5, max=100". What is no number is passed over, and so are other parameters; what is enormous is cut to the
/// largest there is.
keep_alive_hint parse_keep_alive(std::string_view value) noexcept;

}  // namespace jeton::http
