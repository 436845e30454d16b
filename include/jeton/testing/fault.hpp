// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton::testing {

/// Why a stream or a connection ends, as HTTP/2 says it (RFC 9113 §7). Any other number may be cast to it.
enum class h2_error : std::uint32_t {
    no_error,
    protocol_error,
    internal_error,
    flow_control_error,
    settings_timeout,
    stream_closed,
    frame_size_error,
    refused_stream,
    cancel,
    compression_error,
    connect_error,
    enhance_your_calm,
    inadequate_security,
    http_1_1_required,
};

/// One thing that a `sandbox` does wrong, to order.
///
/// Built by chained calls that combine freely, in three groups: which requests it is for, what is answered, and how the
/// answer travels:
///
///     sandbox.on_token_request(fault().status(503).header("Retry-After", "2").times(3));
///     sandbox.on_api_request(fault().only("POST").delay(50ms).half_a_body());
///
/// As long as neither `status` nor `raw` replaces the answer, the request is carried out as usual before the answer is
/// spoilt: that is the case in which a client must not send an order twice. An empty fault does nothing but count.
///
/// Over HTTP/2, what becomes of the connection becomes of all requests on it; `delay` and `hang` concern the one stream.
/// What only HTTP/2 has strikes only requests that come over it: others go by uncounted. `raw` and `surplus` reach the
/// connection as they are, frame headers included.
class fault {
public:
    /// How much of the answer leaves.
    enum class part : std::uint8_t { nothing, head, half, whole };

    /// What becomes of the connection afterwards.
    enum class ending : std::uint8_t {
        keep_open,             ///< as usual
        close,                 ///< close_notify, FIN; not announced by `Connection: close`
        close_without_notify,  ///< FIN only, as an attacker who cuts an answer short would do (RFC 9112 §9.8)
        reset,                 ///< RST
        hang,                  ///< open and silent until the client gives up; over HTTP/2, the stream only
        stall,  ///< as `hang`, but over HTTP/2 too the whole connection: no frame for any stream, no answer to PING
    };

    fault() = default;

    // Which requests. Default: the next one, whatever it is.

    /// The next `n` that match.
    fault& times(std::uint64_t n) { return count_ = n, *this; }

    /// All that match, until it is cleared.
    fault& until_cleared() { return count_ = forever, *this; }

    /// Lets the first `n` that match go by unharmed.
    fault& after(std::uint64_t n) { return spared_ = n, *this; }

    /// Only requests to that provider: "alluvial", "datacrunch" or "restoration".
    fault& at(std::string_view provider) { return provider_ = provider, *this; }

    /// Only requests with that method and, unless empty, that path below the provider's base URL, without query.
    fault& only(std::string_view method, std::string_view path = {}) { return method_ = method, path_ = path, *this; }

    /// Only requests over that protocol: "h2" or "http/1.1".
    fault& over(std::string_view protocol) { return protocol_ = protocol, *this; }

    // What is answered.

    /// This status and body, instead of carrying out the request.
    fault& status(int code, std::string body = {}) { return status_ = code, body_ = std::move(body), *this; }

    /// 401 with `WWW-Authenticate: Bearer error="invalid_token"`, whatever the token.
    fault& refuse_token();

    /// One more field in the head of the answer. Not checked: a line break in it reaches the wire. (Over HTTP/2, what
    /// follows the line break is a field of its own.)
    fault& header(std::string_view name, std::string_view value);

    /// These bytes and nothing else, head included, instead of carrying out the request.
    fault& raw(std::string bytes) { return raw_ = std::move(bytes), *this; }

    /// A member of the token answer gets this JSON text as its value (`"3600"` with its quotes is a string), or is added.
    /// The text is not checked. What the sandbox itself takes for the token's lifetime stays as it is.
    fault& member(std::string_view name, std::string_view json);

    /// Takes a member out of the token answer.
    fault& without_member(std::string_view name);

    fault& expires_in(std::string_view json) { return member("expires_in", json); }
    fault& without_expires_in() { return without_member("expires_in"); }

    /// This text as the access token, in quotes but otherwise as it is.
    fault& token(std::string_view text);

    // How it travels.

    /// The answer begins that much later. An HTTP/1.1 connection serves nothing else meanwhile.
    fault& delay(duration by) { return delay_ = by, *this; }

    fault& send(part how_much) { return part_ = how_much, *this; }
    fault& then(ending what) { return ending_ = what, *this; }

    /// More bytes than the answer has, in the same write.
    fault& surplus(std::string bytes) { return surplus_ = std::move(bytes), *this; }

    /// No answer at all; the connection stays open.
    fault& hang() { return send(part::nothing).then(ending::hang); }

    /// RST instead of an answer, in the middle of it, or right after it.
    fault& reset(part after = part::nothing) { return send(after).then(ending::reset); }

    /// Half of the body, and then an orderly close. Combine with `then()` for a worse one.
    fault& half_a_body() { return send(part::half).then(ending::close); }

    /// Orderly close after the answer, not announced in it.
    fault& close_after() { return send(part::whole).then(ending::close); }

    /// The connection goes silent instead of answering: a peer that is dead, seen from outside.
    fault& stall() { return send(part::nothing).then(ending::stall); }

    // What only HTTP/2 has.

    /// RST_STREAM instead of an answer, or after its head or half of its body (after the whole there is no stream any
    /// more). The request was carried out; other streams go on (RFC 9113 §6.4).
    fault& reset_stream(h2_error code = h2_error::internal_error, part after = part::nothing)
    {
        return reset_stream_ = code, send(after).over("h2");
    }

    /// REFUSED_STREAM: the request is not carried out, and may be sent again (§8.7).
    fault& refuse_stream() { return refuse(h2_error::refused_stream); }

    /// HTTP_1_1_REQUIRED: the request is not carried out, and may be sent again over HTTP/1.1 (§7).
    fault& require_http_1_1() { return refuse(h2_error::http_1_1_required); }

    /// Which stream a GOAWAY names as the last one.
    enum class last_stream : std::uint8_t {
        this_one,        ///< that of the request
        the_one_before,  ///< so that the request itself is not carried out and gets no answer
        none,            ///< 0
        any,             ///< 2^31-1: the warning that another GOAWAY follows; streams may still be opened
    };

    /// GOAWAY as soon as the request is there, before its answer and its `delay` (§6.8): with `after(n)`, after n requests.
    /// Whatever is above the last stream is not carried out and gets no answer; what is not is answered, and then the
    /// connection is closed. `then()` closes it earlier.
    fault& go_away(h2_error code = h2_error::no_error, last_stream last = last_stream::this_one)
    {
        return go_away_ = departure{code, last}, over("h2");
    }

    /// SETTINGS_MAX_CONCURRENT_STREAMS of the connection becomes `n`, which may be 0, as soon as the request is there
    /// (§5.1.2). For `on_connection`: it is `n` from the beginning. What a client opens beyond it before it has
    /// acknowledged the SETTINGS is refused; what it opens after that is an error of the connection.
    fault& max_streams(std::uint32_t n) { return max_streams_ = n, over("h2"); }

    /// For `on_connection`: it takes no more than 65,535 bytes of all request bodies together, since it never sends a
    /// WINDOW_UPDATE (§6.9).
    fault& no_window_updates() { return no_window_updates_ = true, over("h2"); }

private:
    friend struct fault_access;  // what the sandbox reads: lib/testing/sansio/fault_access.hpp

    static constexpr std::uint64_t forever = UINT64_MAX;

    struct departure {
        h2_error code = h2_error::no_error;
        last_stream last = last_stream::this_one;
    };

    fault& refuse(h2_error code) { return unprocessed_ = true, reset_stream(code); }

    std::uint64_t count_ = 1;
    std::uint64_t spared_ = 0;
    std::string provider_{};
    std::string method_{};
    std::string path_{};
    std::string protocol_{};

    std::optional<int> status_{};
    std::string body_{};
    std::string fields_{};
    std::optional<std::string> raw_{};
    std::vector<std::pair<std::string, std::optional<std::string>>> members_{};

    duration delay_{};
    part part_ = part::whole;
    ending ending_ = ending::keep_open;
    std::string surplus_{};

    std::optional<h2_error> reset_stream_{};
    std::optional<departure> go_away_{};
    std::optional<std::uint32_t> max_streams_{};
    bool unprocessed_ = false;
    bool no_window_updates_ = false;
};

}  // namespace jeton::testing
