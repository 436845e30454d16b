// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/h2_frames.hpp"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton::testing {

/// What a client makes of a server's frames, without being strict: tests look at what came.
class h2_listener {
public:
    struct answer {
        std::string status{};
        std::vector<std::pair<std::string, std::string>> fields{};
        std::string body{};
        bool ended = false;
        std::optional<std::uint32_t> reset{};

        bool over() const noexcept { return ended || reset.has_value(); }
        std::string field(std::string_view name) const
        {
            for (auto const& [n, value] : fields)
                if (n == name)
                    return value;
            return {};
        }
    };
    struct farewell {
        std::uint32_t last = 0;
        std::uint32_t code = 0;
    };

    h2_listener() { nghttp2_hd_inflate_new(&table_); }
    ~h2_listener() { nghttp2_hd_inflate_del(table_); }
    h2_listener(h2_listener const&) = delete;
    h2_listener& operator=(h2_listener const&) = delete;

    void hear(std::string_view bytes)
    {
        pending_.append(bytes);
        for (auto const& f : h2::frames_of(pending_)) {
            pending_.erase(0, 9 + f.payload.size());
            frames.push_back(f);
            hear(f);
        }
    }

    std::vector<h2::seen_frame> frames{};  ///< all of them
    std::map<std::uint32_t, answer> answers{};
    std::vector<farewell> farewells{};
    std::vector<std::uint32_t> stream_limits{};  ///< as SETTINGS announced them
    std::vector<std::string> pongs{};
    int settings_acknowledged = 0;
    int windows_given = 0;
    std::map<std::uint32_t, std::uint64_t> window{};  ///< given beyond the first 65,535 bytes, by stream; 0: for all
    int settings_to_acknowledge = 0;                  ///< reset by whoever acknowledges them

    std::string const& incomplete() const noexcept { return pending_; }  ///< no whole frame yet

private:
    void hear(h2::seen_frame const& f)
    {
        switch (f.kind) {
        case h2::headers:
            decode(f.payload, answers[f.stream]);
            answers[f.stream].ended = (f.flags & h2::end_stream) != 0;
            break;
        case h2::data:
            answers[f.stream].body += f.payload;
            answers[f.stream].ended = (f.flags & h2::end_stream) != 0;
            break;
        case h2::rst_stream: answers[f.stream].reset = f.number(); break;
        case h2::goaway: farewells.push_back({f.number(), f.number(4)}); break;
        case h2::window_update:
            ++windows_given;
            window[f.stream] += f.number();
            break;
        case h2::ping:
            if ((f.flags & h2::ack) != 0)
                pongs.push_back(f.payload);
            break;
        case h2::settings:
            if ((f.flags & h2::ack) != 0) {
                ++settings_acknowledged;
                break;
            }
            ++settings_to_acknowledge;
            for (std::size_t at = 0; at + 6 <= f.payload.size(); at += 6)
                if (f.payload[at + 1] == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
                    stream_limits.push_back(f.number(at + 2));
            break;
        default: break;
        }
    }

    void decode(std::string_view block, answer& into)
    {
        while (true) {
            nghttp2_nv field{};
            int flags = 0;
            auto const n = nghttp2_hd_inflate_hd2(table_, &field, &flags,
                                                  reinterpret_cast<std::uint8_t const*>(block.data()), block.size(), 1);
            if (n < 0)
                return;
            block.remove_prefix(static_cast<std::size_t>(n));
            if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
                std::string name(reinterpret_cast<char const*>(field.name), field.namelen);
                std::string value(reinterpret_cast<char const*>(field.value), field.valuelen);
                if (name == ":status")
                    into.status = value;
                else
                    into.fields.emplace_back(std::move(name), std::move(value));
            }
            if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
                nghttp2_hd_inflate_end_headers(table_);
                return;
            }
        }
    }

    nghttp2_hd_inflater* table_ = nullptr;
    std::string pending_{};
};

}  // namespace jeton::testing
