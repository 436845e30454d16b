// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/request.hpp>
#include <jeton/http/url.hpp>

#include "http/wire_buffer.hpp"

#include <string>
#include <string_view>

namespace jeton::http {

/// What every request to an origin has in its head, made once: "Host: ...\r\nUser-Agent: ...\r\n".
/// \param user_agent  a field value (`is_field_value`), or empty: none is sent
std::string h1_origin_head(origin const& to, std::string_view user_agent);

/// Appends a whole request head to `out`, and the body if it is small: one write, one TLS record (RFC 9112 §3).
///
/// `what` is without a mistake, and resolved: its target is a path with a query. `origin_head` is of `h1_origin_head`.
/// \returns what is still to be written after `out`: the body if it is large, otherwise nothing. Lives as long as `what`.
std::string_view write_request(wire_buffer& out, request const& what, std::string_view origin_head);

}  // namespace jeton::http
