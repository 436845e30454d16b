// SPDX-License-Identifier: BSL-1.0

// What the parts cost by themselves: bench_micro [--benchmark_filter=PATTERN] [--help]

#include "allocations.hpp"

#include <benchmark/benchmark.h>

int main(int argc, char** argv)
{
    // Only where it is asked for: counting would cost those most that allocate most.
    bench::count_allocations(false);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
