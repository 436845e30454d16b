// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/request.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace jeton::http {

/// What the decorators of a transport tell the ones below them about a request, besides what its maker said.
struct request_access {
    /// Where it goes. Set once the target is known to be path and query on that origin.
    static void resolve(request& r, std::shared_ptr<origin const> to, std::string target);

    /// As above, where the target is `base_path`, which lives as long as `to`, and behind it what the maker said.
    static void resolve_behind(request& r, std::shared_ptr<origin const> to, std::string_view base_path)
    {
        r.origin_ = std::move(to);
        r.base_path_ = base_path;
    }
    static std::string_view base_path_of(request const& r) { return r.base_path_; }
    static std::shared_ptr<origin const> const& origin_of(request const& r) { return r.origin_; }

    /// The whole field, line break included, ready for the wire: "Authorization: Bearer ...\r\n".
    /// It lives as long as `by`, which comes back as it was given.
    static void authorize(request& r, secret const* line, std::shared_ptr<void const> by)
    {
        r.authorization_ = line;
        r.authorized_by_ = std::move(by);
    }
    static void authorize(request& r, std::shared_ptr<secret const> line)
    {
        auto const* const text = line.get();
        authorize(r, text, std::move(line));
    }
    static secret const* authorization_of(request const& r) { return r.authorization_; }
    static std::shared_ptr<void const> const& authorized_by(request const& r) { return r.authorized_by_; }

    /// Only a connection dialled after that moment will do: the resend of what died with an older one.
    static void only_dialled_after(request& r, time_point t) { r.dialled_after_ = t; }
    static std::optional<time_point> dialled_after(request const& r) { return r.dialled_after_; }

    /// Others wait for what it brings, as for a token: it does not wait behind them for a connection.
    static void put_first(request& r) { r.first_ = true; }
    static bool goes_first(request const& r) { return r.first_; }

    /// Bytes of body that the answer may have, where that is less than the client allows.
    static void limit_answer(request& r, std::size_t bytes) { r.longest_answer_ = bytes; }
    static std::size_t longest_answer(request const& r) { return r.longest_answer_; }

    static void count_attempt(request& r, int attempt) { r.attempt_ = attempt; }
    static int attempt_of(request const& r) { return r.attempt_; }
};

}  // namespace jeton::http
