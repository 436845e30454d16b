// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/retry_budget.hpp"

namespace jeton::http {

namespace {

std::int64_t second_of(time_point t) { return std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count(); }

}  // namespace

bool retry_budget::grant(time_point now)
{
    auto const second = second_of(now);
    std::uint64_t requests = 0;
    std::uint64_t resends = 0;
    for (auto const& s : slices_) {
        if (s.second > second - window && s.second <= second) {
            requests += s.requests;
            resends += s.resends;
        }
    }
    if (static_cast<double>(resends) + 1 > floor_ + share_ * static_cast<double>(requests))
        return false;
    ++slice_at(now).resends;
    return true;
}

auto retry_budget::slice_at(time_point now) -> slice&
{
    auto const second = second_of(now);
    slice& s = slices_[static_cast<std::size_t>(((second % window) + window) % window)];
    if (s.second != second)
        s = {.second = second};
    return s;
}

}  // namespace jeton::http
