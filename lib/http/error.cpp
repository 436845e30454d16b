// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/error.hpp>

#include "base/error_table.hpp"

namespace jeton::http {

namespace {

using row = error_row;

constexpr row rows[] = {
    row(errc::bad_url, "bad_url", "not a URL that can be used"),
    row(errc::plain_http, "plain_http", "http where only https is allowed"),
    row(errc::bad_method, "bad_method", "not a method"),
    row(errc::bad_target, "bad_target", "not a request target"),
    row(errc::bad_field, "bad_field", "not a field that may be sent"),
    row(errc::queue_full, "queue_full", "too many requests wait for a connection", cond::overloaded),
    row(errc::connection_lost, "connection_lost", "the connection was lost before an answer began", cond::transient),
    row(errc::bad_status_line, "bad_status_line", "malformed status line", cond::malformed),
    row(errc::bad_header, "bad_header", "malformed header", cond::malformed),
    row(errc::bad_content_length, "bad_content_length", "malformed Content-Length", cond::malformed),
    row(errc::ambiguous_length, "ambiguous_length", "both Content-Length and Transfer-Encoding", cond::malformed),
    row(errc::bad_transfer_encoding, "bad_transfer_encoding", "unusable Transfer-Encoding", cond::malformed),
    row(errc::bad_chunk, "bad_chunk", "malformed chunk", cond::malformed),
    row(errc::unexpected_upgrade, "unexpected_upgrade", "unexpected switch of protocols", cond::malformed),
    row(errc::incomplete, "incomplete", "the answer is incomplete", cond::malformed),
    row(errc::header_too_large, "header_too_large", "the header is too large", cond::malformed),
    row(errc::body_too_large, "body_too_large", "the body is too large", cond::malformed),
    row(errc::too_many_interim, "too_many_interim", "too many interim answers", cond::malformed),
    row(errc::not_json, "not_json", "the body is not said to be JSON", cond::malformed),
    row(errc::bad_json, "bad_json", "malformed JSON", cond::malformed),
    row(errc::json_too_deep, "json_too_deep", "the JSON is nested too deeply", cond::malformed),
    row(errc::json_number, "json_number", "a number in the JSON cannot be held with all its digits", cond::malformed),
    row(errc::malformed_answer, "malformed_answer", "malformed HTTP/2 answer", cond::malformed),
    row(errc::stream_refused, "stream_refused", "the server did not look at the request", cond::transient),
    row(errc::stream_reset, "stream_reset", "the server gave the request up", cond::transient),
    row(errc::http_1_1_required, "http_1_1_required", "the server wants HTTP/1.1", cond::transient),
    row(errc::not_h2, "not_h2", "not HTTP/2, although agreed upon", cond::malformed),
    row(errc::h2_protocol, "h2_protocol", "HTTP/2 protocol error", cond::malformed),
    row(errc::h2_flow_control, "h2_flow_control", "HTTP/2 flow control error", cond::malformed),
    row(errc::h2_compression, "h2_compression", "HTTP/2 compression error", cond::malformed),
    row(errc::h2_frame_size, "h2_frame_size", "HTTP/2 frame of a wrong size", cond::malformed),
    row(errc::h2_flood, "h2_flood", "HTTP/2 frames without progress", cond::malformed),
    row(errc::h2_settings_timeout, "h2_settings_timeout", "HTTP/2 settings not acknowledged", cond::timeout,
        cond::transient),
    row(errc::h2_went_away, "h2_went_away", "the server ended the connection", cond::transient),
    row(errc::not_responding, "not_responding", "the server does not respond", cond::timeout, cond::transient),
};

}  // namespace

std::error_code make_error_code(errc e) noexcept
{
    static error_table const category("jeton.http", rows);
    return {static_cast<int>(e), category};
}

}  // namespace jeton::http
