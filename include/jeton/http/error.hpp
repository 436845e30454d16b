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

    // One request over HTTP/2 (RFC 9113). The connection lives on.
    malformed_answer,   ///< §8.1.1
    stream_refused,     ///< §8.7: the server did not look at the request
    stream_reset,       ///< §6.4: the server gave the request up; `diag().peer_code` says with which error code
    http_1_1_required,  ///< §7: the server wants it over HTTP/1.1

    // An HTTP/2 connection as a whole (RFC 9113 §5.4.1). All of its requests fail.
    not_h2,               ///< the server agreed on HTTP/2 and speaks something else (§3.4)
    h2_protocol,          ///< the server broke the rules
    h2_flow_control,      ///< §6.9
    h2_compression,       ///< §4.3
    h2_frame_size,        ///< §4.2
    h2_flood,             ///< §10.5: more frames without progress than anybody needs
    h2_settings_timeout,  ///< §6.5.3: our SETTINGS were not acknowledged
    h2_went_away,         ///< §6.8: the server ended the connection for an error; `diag().peer_code` says which
    not_responding,       ///< §6.7: the server did not answer a PING
};

std::error_code make_error_code(errc e) noexcept;

}  // namespace jeton::http

template <>
struct std::is_error_code_enum<jeton::http::errc> : std::true_type {};
