// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace jeton::tool {

/// Counts durations in buckets at most 1/64 wide, relative to their value, so that percentiles of
/// millions of requests cost a fixed amount of memory.
class latencies {
public:
    void add(duration d) noexcept
    {
        auto const us = static_cast<std::uint64_t>(d.count() < 0 ? 0 : d.count() / 1000);
        ++counts_[bucket(us)];
        ++total_;
    }

    void add(latencies const& others) noexcept
    {
        for (std::size_t i = 0; i != counts_.size(); ++i)
            counts_[i] += others.counts_[i];
        total_ += others.total_;
    }

    std::uint64_t total() const noexcept { return total_; }

    /// The upper end, in microseconds, of the bucket that holds the given share of all; 0 if there is nothing.
    std::uint64_t percentile_us(double share) const noexcept
    {
        auto const wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i != counts_.size(); ++i) {
            seen += counts_[i];
            if (seen > wanted || (seen == total_ && total_ != 0))
                return upper_end(i);
        }
        return 0;
    }

private:
    // Values below 64 have a bucket each; above, every power of two is cut into 64 parts.
    static constexpr std::size_t parts = 64;

    static std::size_t bucket(std::uint64_t us) noexcept
    {
        if (us < parts)
            return static_cast<std::size_t>(us);
        auto const power = static_cast<std::size_t>(std::bit_width(us)) - 7;
        auto const part = static_cast<std::size_t>(us >> power) - parts;
        return std::min(parts + power * parts + part, counted - 1);
    }

    static std::uint64_t upper_end(std::size_t bucket) noexcept
    {
        if (bucket < parts)
            return bucket;
        auto const power = (bucket - parts) / parts;
        auto const part = (bucket - parts) % parts;
        return ((parts + part + 1) << power) - 1;
    }

    static constexpr std::size_t counted = parts * 32;
    std::array<std::uint32_t, counted> counts_{};
    std::uint64_t total_ = 0;
};

}  // namespace jeton::tool
