// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "allocations.hpp"

#include <benchmark/benchmark.h>

#include <time.h>

namespace bench {

/// Of the calling thread, user and system.
inline double cpu_seconds()
{
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

/// Reports how often `once()` asks for memory, of what is in the steady state by now: after the loop that was timed.
template <class Once>
void report_allocations(benchmark::State& state, Once&& once)
{
    constexpr int turns = 100;
    count_allocations(true);
    auto const before = allocations().all;
    for (int i = 0; i != turns; ++i)
        once();
    auto const asked = allocations().all - before;
    count_allocations(false);
    state.counters["allocations"] = static_cast<double>(asked) / turns;
}

}  // namespace bench
