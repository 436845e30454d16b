// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench {

/// How long requests took, each to within 1.6 %: 64 steps for each power of two of nanoseconds. To count one costs some
/// ten instructions and no memory.
class latencies {
public:
    void add(std::chrono::nanoseconds latency)
    {
        ++counts_[slot(static_cast<std::uint64_t>(latency.count()))];
        ++all_;
    }

    /// In microseconds; `share` is 0.5 for the median. 0 if nothing was counted.
    double percentile(double share) const
    {
        auto left = static_cast<std::uint64_t>(share * static_cast<double>(all_));
        for (std::size_t i = 0; i != counts_.size(); ++i) {
            if (counts_[i] > left)
                return middle(i) / 1000;
            left -= counts_[i];
        }
        return 0;
    }

private:
    static constexpr unsigned step_bits = 6;
    static constexpr std::size_t steps = std::size_t{1} << step_bits;

    static std::size_t slot(std::uint64_t nanoseconds)
    {
        if (nanoseconds < steps)
            return nanoseconds;
        auto const shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - step_bits;
        return steps * shift + static_cast<std::size_t>(nanoseconds >> shift);
    }

    static double middle(std::size_t slot)
    {
        if (slot < 2 * steps)
            return static_cast<double>(slot);
        auto const shift = slot / steps - 1;
        return (static_cast<double>(slot - steps * shift) + 0.5) * static_cast<double>(std::uint64_t{1} << shift);
    }

    std::array<std::uint64_t, (64 - step_bits + 1) * steps> counts_{};
    std::uint64_t all_ = 0;
};

}  // namespace bench
