// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "latencies.hpp"
#include "workload.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace bench {

/// What a client does its workload by: asks `start` before each request, tells `finish` after it. The first requests are
/// the warm-up, in which all connections are made; only what comes after is measured.
class measured {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit measured(workload const& w)
        : warm_up_(1000 + 40 * w.in_flight), all_(warm_up_ + w.requests), now_(std::chrono::steady_clock::now())
    {}

    /// Whether there is one more request to send now; leaves in `begun` what `finish` wants to have back. Reads no clock:
    /// a request begins when the one before it ends.
    bool start(time_point& begun)
    {
        if (started_ == all_)
            return false;
        ++started_;
        begun = now_;
        return true;
    }

    void finish(time_point begun)
    {
        now_ = std::chrono::steady_clock::now();
        if (++finished_ > warm_up_)
            latencies_.add(now_ - begun);
        else if (finished_ == warm_up_)
            begin_ = {now_, cpu_time()};
        if (finished_ == all_)
            end_ = {now_, cpu_time()};
    }

    bool begins() const { return finished_ == warm_up_; }
    bool done() const { return finished_ == all_; }
    double requests() const { return static_cast<double>(all_ - warm_up_); }

    /// One line of JSON. `more` is put in as it is: `,"name":value`.
    void print(std::string const& more = {}) const
    {
        std::chrono::duration<double> const wall = end_.wall - begin_.wall;
        std::printf("{\"requests\":%.0f,\"seconds\":%.6f,\"cpu_us_per_request\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
                    "\"p999_us\":%.1f,\"peak_rss_kib\":%ld%s}\n",
                    requests(), wall.count(), (end_.cpu - begin_.cpu) / requests(), latencies_.percentile(0.5),
                    latencies_.percentile(0.99), latencies_.percentile(0.999), peak_rss_kib(), more.c_str());
    }

private:
    // User and system, of the whole process, in microseconds.
    static double cpu_time()
    {
        rusage used{};
        ::getrusage(RUSAGE_SELF, &used);
        return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6
               + static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    }

    // Not ru_maxrss, which begins with that of the process that started this one.
    static long peak_rss_kib()
    {
        std::ifstream status("/proc/self/status");
        std::string word;
        long kib = 0;
        while (status >> word && word != "VmHWM:")
            continue;
        status >> kib;
        return kib;
    }

    struct moment {
        time_point wall{};
        double cpu = 0;
    };

    std::uint64_t warm_up_;
    std::uint64_t all_;
    time_point now_;
    std::uint64_t started_ = 0;
    std::uint64_t finished_ = 0;
    moment begin_{};
    moment end_{};
    latencies latencies_{};
};

}  // namespace bench
