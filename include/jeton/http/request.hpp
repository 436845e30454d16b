// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>
#include <jeton/base/secret.hpp>
#include <jeton/http/url.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace jeton::http {

/// One request: method, where to, fields, body, and how long it may take.
///
/// Made by a factory and refined by chained calls:
///
///     request::post("/orders", body).query("dry", "1").header("X-Id", id).deadline(2s).replayable()
///
/// A mistake (a line break in a value, say) does not throw: it is remembered and comes back from `send` as a failure
/// of phase `configure`, and nothing is sent. Copies are cheap: the body is shared. Not an aggregate, on purpose: GCC 12
/// destroys a braced aggregate twice when it is made inside a co_await expression.
///
/// The target is either an absolute URL, or a path that a `client` appends to its API base. It is taken as already
/// percent-encoded, except that `{NAME}` in a path is filled in from the client's path variables, encoded.
class request {
public:
    static request get(std::string_view target) { return {"GET", target}; }
    static request head(std::string_view target) { return {"HEAD", target}; }
    static request del(std::string_view target) { return {"DELETE", target}; }
    static request post(std::string_view target, std::string body)
    {
        return request("POST", target).body(std::move(body));
    }
    static request put(std::string_view target, std::string body)
    {
        return request("PUT", target).body(std::move(body));
    }
    static request patch(std::string_view target, std::string body)
    {
        return request("PATCH", target).body(std::move(body));
    }

    /// Any method that is a token (RFC 9110 §9.1), except CONNECT.
    request(std::string_view method, std::string_view target);

    /// Appends `name=value` to the query, percent-encoded.
    request& query(std::string_view name, std::string_view value) &;
    request&& query(std::string_view name, std::string_view value) && { return std::move(query(name, value)); }

    /// Adds a field. `Host`, `Content-Length`, `Transfer-Encoding`, `Connection`, `TE`, `Upgrade`, `Expect` and the like are
    /// jeton's own and refused (`errc::bad_field`). `Idempotency-Key` makes the request replayable.
    request& header(std::string_view name, std::string_view value) &;
    request&& header(std::string_view name, std::string_view value) && { return std::move(header(name, value)); }

    /// Replaces the body. `content_type` empty: leaves the Content-Type to `header()`.
    request& body(std::string bytes, std::string_view content_type = "application/json") &;
    request&& body(std::string bytes, std::string_view content_type = "application/json") &&
    {
        return std::move(body(std::move(bytes), content_type));
    }

    /// A body that is a secret: wiped when the last copy of the request dies, and so is everything that its exchange
    /// leaves in buffers of jeton's.
    request& secret_body(secret bytes, std::string_view content_type) &;

    /// How long it may take in all, resends included, from the call of `send`. Default: the client's `total` limit.
    /// Zero or less: has passed already.
    request& deadline(duration within) &;
    request&& deadline(duration within) && { return std::move(deadline(within)); }

    /// Until when it may take, on the client's clock. The earlier of the two forms counts.
    request& deadline(time_point until) &;

    /// Says that the server may see this request twice without harm, although its method does not (RFC 9110 §9.2.2).
    request& replayable(bool yes = true) &;
    request&& replayable() && { return std::move(replayable(true)); }

    /// Sends without a token and therefore also to other origins than the client's. Default: with.
    request& anonymous(bool yes = true) &;
    request&& anonymous() && { return std::move(anonymous(true)); }

    std::string_view method() const noexcept;
    std::string const& target() const noexcept;  ///< as given, with the query
    std::string const& fields() const noexcept;  ///< "Name: value\r\n" each
    bool has_header(std::string_view name) const noexcept;
    std::string_view body() const noexcept;
    bool has_body() const noexcept;  ///< an empty body is one, too
    bool has_secret_body() const noexcept;
    std::optional<duration> within() const noexcept;
    std::optional<time_point> until() const noexcept;
    bool wants_token() const noexcept;

    /// Whether jeton may send it twice by itself: GET, HEAD, PUT, DELETE, OPTIONS, TRACE (RFC 9110 §9.2.2), or the caller said so.
    bool repeatable() const noexcept;

    /// The first mistake made while building it; null if none.
    failure const* mistake() const noexcept;

private:
    friend struct request_access;  // what decorators tell the transport below them: lib/http/request_access.hpp
    struct parts;                  // shared by copies until one of them is changed
    parts& own();
    void set_content_type(parts& p, std::string_view content_type);

    std::shared_ptr<parts> parts_;
    std::optional<time_point> until_{};
    std::shared_ptr<http::origin const> origin_{};
    std::string_view base_path_{};  // before the target; lives as long as the origin
    secret const* authorization_ = nullptr;
    std::shared_ptr<void const> authorized_by_{};
    std::optional<time_point> dialled_after_{};
    int attempt_ = 1;
    bool first_ = false;
    std::size_t longest_answer_ = SIZE_MAX;
};

}  // namespace jeton::http
