// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <system_error>

namespace jeton::http {

/// What can go wrong in HTTP itself.
enum class errc {
    // The request, as the caller made it. Nothing was sent.
    bad_url = 1,  ///< not an absolute https URL that jeton can use unambiguously (RFC 3986)
    plain_http,   ///< http:// where only https is allowed (RFC 6750 §5.3)
    bad_method,   ///< not a token (RFC 9110 §9.1)
    bad_target,   ///< characters that do not belong into a request target (RFC 9112 §3.2)
    bad_field,    ///< a field name or value that would break the message (RFC 9110 §5.5), or one that jeton owns

    // The pool.
    queue_full,       ///< too many callers wait for a connection already
    connection_lost,  ///< the connection died before an answer began

    // The answer broke the protocol (RFC 9112). The connection is closed.
    bad_status_line,        ///< §4
    bad_header,             ///< §5
    bad_content_length,     ///< §6.3: not a number, too large, or several that differ
    ambiguous_length,       ///< §6.3: Content-Length together with Transfer-Encoding
    bad_transfer_encoding,  ///< §6.1: anything but one final `chunked`, or any at all from HTTP/1.0
    bad_chunk,              ///< §7.1
    unexpected_upgrade,     ///< 101 that nobody asked for (RFC 9110 §15.2.2)
    incomplete,             ///< §8: the connection ended before the answer did

    // Limits of ours.
    header_too_large,  ///< the status line, the header or trailer section, or its number of fields
    body_too_large,    ///< the body, or its chunk extensions
    too_many_interim,  ///< more 1xx answers than anybody needs (RFC 9110 §15.2)

    // The body, to a caller who asks for it as JSON (client/json.hpp).
    not_json,       ///< Content-Type says that it is something else (RFC 9110 §8.3)
    bad_json,       ///< it breaks RFC 8259, or a member name occurs twice in an object (§4)
    json_too_deep,  ///< nested deeper than the caller allows
    json_number,    ///< a number that would lose digits (§6)
};

std::error_code make_error_code(errc e) noexcept;

}  // namespace jeton::http

template <>
struct std::is_error_code_enum<jeton::http::errc> : std::true_type {};
