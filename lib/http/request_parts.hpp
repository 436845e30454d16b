// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/request.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace jeton::http {

/// What a request consists of. Bodies are behind pointers of their own, so that a changed copy does not copy them.
struct request::parts {
    parts() = default;
    parts(parts const&) = default;
    parts& operator=(parts const&) = delete;
    ~parts() { wipe(fields); }  // an API key may be among them

    std::string method{};
    std::string target{};
    std::string fields{};
    std::size_t type_size = 0;  ///< bytes at the beginning of `fields` that are the Content-Type of `body()`
    std::shared_ptr<std::string const> body{};
    std::shared_ptr<secret const> secret_body{};
    std::optional<duration> within{};
    bool replayable = false;
    bool anonymous = false;
    std::optional<failure> mistake{};
};

}  // namespace jeton::http
