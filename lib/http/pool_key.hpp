// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/url.hpp>

#include <cstddef>

namespace jeton::http {

/// All that makes two connections of one `http::client` unequal. What it was configured with (verification, limits) holds for all
/// of its connections alike and is no part of it; a setting that a request could change would have to be.
struct pool_key {
    origin to{};

    friend bool operator==(pool_key const&, pool_key const&) = default;
};

struct pool_key_hash {
    std::size_t operator()(pool_key const& key) const noexcept;
};

}  // namespace jeton::http
