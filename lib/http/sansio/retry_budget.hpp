// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <array>
#include <chrono>
#include <cstdint>

namespace jeton::http {

/// Keeps resends a small share of what is sent, so that a server in trouble is not hit harder by those who retry:
/// over the last ten seconds at most `floor + share * requests`.
class retry_budget {
public:
    retry_budget(double share, int floor) : share_(share), floor_(floor) {}

    /// A request goes out for the first time.
    void on_request(time_point now) { ++slice_at(now).requests; }

    /// Somebody wants to resend. If granted, it counts.
    bool grant(time_point now);

private:
    struct slice {
        std::int64_t second = -1;
        std::uint64_t requests = 0;
        std::uint64_t resends = 0;
    };
    static constexpr std::int64_t window = 10;

    slice& slice_at(time_point now);

    double share_;
    int floor_;
    std::array<slice, window> slices_{};
};

}  // namespace jeton::http
