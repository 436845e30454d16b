// SPDX-License-Identifier: BSL-1.0

// Parses the small answer so many times, for who counts the instructions; prints the allocations of each time.
//   PROGRAM TIMES

#include "allocations.hpp"
#include "micro/answer_reader.hpp"
#include "micro/answers.hpp"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv)
{
    auto const times = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
    if (times == 0) {
        std::fprintf(stderr, "usage: bench_parse TIMES\n");
        return 2;
    }
    auto const wire = bench::small_answer();
    bench::answer_reader reader;
    (void)reader.read(wire);
    auto const before = bench::allocations().all;
    std::size_t bytes = 0;
    for (auto i = times; i != 0; --i)
        bytes += reader.read(wire).text().size();
    auto const asked = bench::allocations().all - before;
    std::printf("{\"allocations\":%.2f,\"body_bytes\":%zu}\n", static_cast<double>(asked) / static_cast<double>(times),
                bytes / times);
    return 0;
}
