// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/headers.hpp>
#include <jeton/testing/fault.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton::testing {

/// A request as a server sees it. Views into the connection's buffer.
struct server_request {
    static constexpr std::size_t most_fields = 64;

    std::uint64_t connection = 0;
    std::uint32_t stream = 0;  ///< 0: HTTP/1.1
    std::string_view method{};
    std::string_view target{};
    std::string_view path{};   ///< of the target
    std::string_view query{};  ///< of the target, without '?'
    std::string_view body{};
    std::string_view host{};
    std::string_view authorization{};  ///< empty: none
    std::string_view content_type{};   ///< empty: none
    bool keep_alive = true;

    std::string_view protocol() const noexcept { return stream == 0 ? "http/1.1" : "h2"; }

    /// Divides `target` into path and query.
    void split_target() noexcept;

    http::headers fields() const noexcept { return {text, {positions.data(), field_count}}; }

    char const* text = nullptr;
    std::array<http::field_position, most_fields> positions{};
    std::size_t field_count = 0;
};

/// What a server answers, and how. Kept by the connection and used again, so that a reply costs no allocation.
struct server_reply {
    int status = 200;
    std::string fields{};  ///< "Name: value\r\n" each, besides those that every answer has
    std::string body{};
    std::string_view content_type = "application/json";

    /// Members of a token answer with their JSON text; if there are any, they become the body.
    std::vector<std::pair<std::string, std::string>> members{};

    bool raw = false;       ///< `body` is all that is sent
    bool bodiless = false;  ///< to HEAD: as if there were a body, but without it (RFC 9110 §9.3.2)
    bool to_token_request = false;
    std::size_t token_request_of = 0;  ///< index of the provider
    duration delay{};
    fault::part part = fault::part::whole;
    fault::ending ending = fault::ending::keep_open;
    std::string surplus{};

    // HTTP/2 only.
    struct departure {
        h2_error code = h2_error::no_error;
        fault::last_stream last = fault::last_stream::this_one;
    };
    std::optional<h2_error> reset_stream{};  ///< after `part`
    std::optional<departure> go_away{};
    std::optional<std::uint32_t> max_streams{};
    bool no_window_updates = false;  ///< of a connection

    void clear();

    /// Whether an answer with that status has a body at all (RFC 9110 §6.4.1).
    bool may_have_body() const noexcept { return status >= 200 && status != 204 && status != 304; }

    /// A JSON text with that status.
    void json(int code, std::string_view text);

    /// Makes the body of the members.
    void compose();
};

/// RFC 9112 §3.2.1, §3.2; RFC 9113 §8.3.1: origin-form, visible ASCII, without a fragment.
bool is_origin_form(std::string_view target) noexcept;

std::string_view reason_phrase(int status) noexcept;

/// The bytes of `r` as far as its `part` goes, surplus included. `date` is the value of the Date field.
void write_reply(std::string& to, server_reply const& r, std::string_view date);

}  // namespace jeton::testing
