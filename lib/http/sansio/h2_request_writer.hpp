// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/h2_session.hpp"

#include <jeton/http/request.hpp>

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::http {

/// The fields of a request as HTTP/2 wants them (RFC 9113 §8.3.1), made again for each request in the same memory.
class h2_request_writer {
public:
    /// `what` is without a mistake, and resolved: its target is a path with a query. `origin_head` is of `h1_origin_head`.
    /// \returns views into both, and into this; valid until the next call
    /// \throws std::bad_alloc
    std::vector<h2_field> const& fields(request const& what, std::string_view origin_head, bool secure);

private:
    std::vector<h2_field> all_{};
    std::string path_{};
    std::array<char, std::numeric_limits<std::size_t>::digits10 + 1> digits_{};
};

}  // namespace jeton::http
