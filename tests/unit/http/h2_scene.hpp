// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/h2_session.hpp"

#include "support/h2_frames.hpp"

#include <jeton/http/error.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::testing {

/// One request, and what became of it.
struct h2_asked final : http::h2_session::stream {
    std::string story{};  ///< its events, one behind the other
    std::string body{};
    std::string head{};
    std::error_code code{};
    std::string why{};
    std::string peer_code{};
    bool unprocessed = false;
    bool failed = false;
    bool done = false;
    std::optional<std::uint64_t> length{};
};

/// A session, the peer's end of its bytes, and time.
struct h2_scene {
    using session = http::h2_session;
    using kind = session::event::kind;

    explicit h2_scene(std::string_view greeting = h2::greeting(), http::h2_limits const& how = {}) : limits(how)
    {
        flush();
        feed(greeting);
        flush();
        sent.clear();
    }

    h2_asked* ask(std::string_view method = "GET", std::string_view body = {}, std::vector<http::h2_field> more = {},
                  std::size_t longest = 16 * 1024 * 1024)
    {
        std::vector<http::h2_field> all{
            {":method", method}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "/x"}};
        all.insert(all.end(), more.begin(), more.end());
        auto* const one = asked.emplace_back(std::make_unique<h2_asked>()).get();
        submitted = it.submit(*one, all, body, method == "HEAD", longest, now);
        return one;
    }

    /// Asks and sends; the peer has the request.
    h2_asked* send(std::string_view method = "GET", std::string_view body = {})
    {
        auto* const one = ask(method, body);
        flush();
        return one;
    }

    void feed(std::string_view bytes)
    {
        while (!bytes.empty()) {
            auto const piece = bytes.substr(0, cut);
            bytes.remove_prefix(piece.size());
            hear(it.feed(piece, now));
            if (cut != std::string_view::npos)
                flush();
        }
        flush();
    }

    void flush()
    {
        for (int i = 0; i != 1000 && it.has_something_to_write(); ++i) {
            http::wire_buffer out;
            hear(it.write(out, 64 * 1024, now));
            if (out.empty())
                break;
            sent.append(out.view());
        }
    }

    void pass(duration by)
    {
        now += by;
        hear(it.on_time(now));
        flush();
    }

    void hear(std::span<session::event const> events)
    {
        for (auto const& e : events) {
            auto* const of = static_cast<h2_asked*>(e.of);
            switch (e.what) {
            case kind::head:
                of->story += "head " + std::to_string(e.status) + fields_of(e) + "; ";
                of->length = e.length;
                break;
            case kind::data:
                if (of->body.empty())
                    of->story += "data; ";
                of->body += e.piece;
                if (reading)
                    it.consumed(*of, e.piece.size());
                break;
            case kind::trailers: of->story += "trailers" + fields_of(e) + "; "; break;
            case kind::end:
                of->story += "end; ";
                of->done = true;
                break;
            case kind::failed:
                of->story += "failed " + e.code.message() + "; ";
                of->code = e.code;
                of->why = e.why;
                of->peer_code = e.peer_code != nullptr ? e.peer_code : "";
                of->unprocessed = e.unprocessed;
                of->failed = true;
                break;
            case kind::slots: ++slots_told; break;
            case kind::draining:
                ++drains_told;
                drain_code = e.code;
                break;
            case kind::dead:
                ++deaths_told;
                dead_code = e.code;
                break;
            }
        }
    }

    static std::string fields_of(session::event const& e)
    {
        std::string all;
        for (auto const& f : http::headers(e.text.data(), e.fields))
            all.append(" ").append(f.name).append("=").append(f.value);
        return all;
    }

    std::vector<h2::seen_frame> frames() const { return h2::frames_of(sent); }
    std::vector<h2::seen_frame> frames(unsigned type) const
    {
        auto all = frames();
        std::erase_if(all, [&](auto const& f) { return f.kind != type; });
        return all;
    }

    std::vector<std::unique_ptr<h2_asked>> asked{};
    http::h2_limits limits;
    time_point now = time_point(std::chrono::hours(1));
    session it{limits, now};
    std::string sent{};
    std::size_t cut = std::string_view::npos;
    bool reading = true;
    bool submitted = false;
    int slots_told = 0;
    int drains_told = 0;
    int deaths_told = 0;
    std::error_code drain_code{};
    std::error_code dead_code{};
};

}  // namespace jeton::testing
