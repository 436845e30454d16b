// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/h2_budget.hpp"

#include <jeton/base/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jeton::http {

/// What a peer may make us do without getting anywhere.
struct h2_flood_limits {
    h2_rate resets{1000, 33};  ///< RST_STREAM (CVE-2023-44487)
    h2_rate others{10000,
                   330};    ///< every other frame that carries nothing of an answer (CVE-2019-9511 and those after it)
    int continuations = 8;  ///< CONTINUATION frames in one header block, empty ones included (CVE-2024-28182)
    std::size_t header_block = 80 * 1024;  ///< bytes of one header block, compressed
};

/// Stands before nghttp2 and looks at the header of each frame that comes from a server, for what nghttp2 lets pass: bytes
/// that are no HTTP/2, floods, header blocks without end, and server push, which was never asked for.
///
/// Pure; the verdict does not depend on how the bytes are cut.
class h2_frame_guard {
public:
    enum class verdict : std::uint8_t {
        good,
        not_h2,        ///< the first frame is no SETTINGS (RFC 9113 §3.4)
        pushed,        ///< PUSH_PROMISE (§8.4)
        flooded,       ///< more frames without progress than anybody needs (§10.5)
        endless_head,  ///< a header block that is too large, or cut into too many pieces (§10.5)
    };
    struct answer {
        verdict what = verdict::good;
        std::size_t good = 0;  ///< bytes that stand before the header that was found fault with; all of them otherwise
    };

    explicit h2_frame_guard(h2_flood_limits const& limits) noexcept
        : limits_(limits), resets_(limits.resets), others_(limits.others)
    {}

    /// After any verdict but `good` it is not asked again.
    answer look(std::string_view bytes, time_point now) noexcept;

    /// One that it cannot see: a DATA frame of nothing but padding. \returns whether it was still allowed
    bool spend(time_point now) noexcept { return others_.spend(now); }

    /// Something got on: so many frames that come with it are none too many.
    void grant(int frames) noexcept { others_.grant(frames); }

    /// A request was answered. RFC 9113 §8.1: a server that did not need all of it may send a reset behind the answer.
    void on_answered(int frames) noexcept
    {
        grant(frames);
        resets_.grant(1);
    }

private:
    verdict judge(time_point now) noexcept;

    h2_flood_limits limits_;
    h2_budget resets_;
    h2_budget others_;
    std::array<unsigned char, 9> header_{};
    std::size_t have_ = 0;  // bytes of the header
    std::size_t left_ = 0;  // bytes of the payload still to come
    bool greeted_ = false;  // the first SETTINGS have come
    int continuations_ = 0;
    std::size_t block_ = 0;  // bytes of the current header block
};

}  // namespace jeton::http
