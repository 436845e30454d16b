// SPDX-License-Identifier: BSL-1.0

// Deadlines, with so many others armed: one that is met (armed, and disarmed soon after), which is the rule, and one that
// passes. The others are up to a minute away. Beside the wheel, a std::multimap and Asio's own timers.

#include "base/timing_wheel.hpp"
#include "micro/measuring.hpp"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace {

using namespace jeton;
using namespace std::chrono_literals;

// The same moments for everybody.
class moments {
public:
    duration next() { return std::chrono::microseconds(1'000'000 + random_() % 59'000'000); }

private:
    std::minstd_rand random_{1};
};

constexpr time_point beginning{1h};

// Counts, and is armed again: as many are armed ever after.
class counting_timer final : public timer {
public:
    counting_timer(timing_wheel& on, moments& when, benchmark::IterationCount& passed)
        : on_(on), when_(when), passed_(passed)
    {}
    void on_due() override
    {
        ++passed_;
        on_.arm(*this, due() + when_.next());
    }

private:
    timing_wheel& on_;
    moments& when_;
    benchmark::IterationCount& passed_;
};

struct wheel_scene {
    explicit wheel_scene(benchmark::State const& state)
    {
        for (auto i = state.range(0); i != 0; --i) {
            others.push_back(std::make_unique<counting_timer>(wheel, when, passed));
            wheel.arm(*others.back(), beginning + when.next());
        }
    }
    timing_wheel wheel{beginning};
    moments when{};
    benchmark::IterationCount passed = 0;
    std::vector<std::unique_ptr<counting_timer>> others{};
};

void timer_met_wheel(benchmark::State& state)
{
    wheel_scene scene(state);
    counting_timer one(scene.wheel, scene.when, scene.passed);
    auto const arm_and_disarm = [&] {
        scene.wheel.arm(one, beginning + scene.when.next());
        one.disarm();
    };
    for (auto _ : state)
        arm_and_disarm();
    bench::report_allocations(state, arm_and_disarm);
}

void timer_passed_wheel(benchmark::State& state)
{
    wheel_scene scene(state);
    constexpr benchmark::IterationCount batch = 1000;
    for (benchmark::IterationCount goal = batch; state.KeepRunningBatch(batch); goal += batch)
        while (scene.passed < goal)
            scene.wheel.advance(*scene.wheel.next_wakeup());
}

struct map_scene {
    explicit map_scene(benchmark::State const& state)
    {
        for (auto i = state.range(0); i != 0; --i)
            armed.emplace(beginning + when.next(), nullptr);
    }
    std::multimap<time_point, void*> armed{};
    moments when{};
};

void timer_met_multimap(benchmark::State& state)
{
    map_scene scene(state);
    auto const arm_and_disarm = [&] { scene.armed.erase(scene.armed.emplace(beginning + scene.when.next(), nullptr)); };
    for (auto _ : state)
        arm_and_disarm();
    bench::report_allocations(state, arm_and_disarm);
}

void timer_passed_multimap(benchmark::State& state)
{
    map_scene scene(state);
    for (auto _ : state) {
        auto const at = scene.armed.begin()->first;
        scene.armed.erase(scene.armed.begin());
        scene.armed.emplace(at + scene.when.next(), nullptr);
    }
}

// The handler of a disarmed timer runs, too: that is part of the price.
void timer_met_asio(benchmark::State& state)
{
    asio::io_context io(1);
    moments when;
    auto const now = std::chrono::steady_clock::now();
    std::vector<std::unique_ptr<asio::steady_timer>> others;
    for (auto i = state.range(0); i != 0; --i) {
        // Not so near that they pass while it is measured.
        others.push_back(std::make_unique<asio::steady_timer>(io, now + 1h + when.next()));
        others.back()->async_wait([](std::error_code) {});
    }
    asio::steady_timer one(io);
    auto const arm_and_disarm = [&] {
        one.expires_at(now + 1h + when.next());
        one.async_wait([](std::error_code) {});
        one.cancel();
        io.poll_one();
    };
    for (auto _ : state)
        arm_and_disarm();
    bench::report_allocations(state, arm_and_disarm);
}

void with_1k_and_100k(benchmark::internal::Benchmark* b) { b->ArgName("armed")->Arg(1'000)->Arg(100'000); }

BENCHMARK(timer_met_wheel)->Apply(with_1k_and_100k);
BENCHMARK(timer_met_multimap)->Apply(with_1k_and_100k);
BENCHMARK(timer_met_asio)->Apply(with_1k_and_100k);
BENCHMARK(timer_passed_wheel)->Apply(with_1k_and_100k);
BENCHMARK(timer_passed_multimap)->Apply(with_1k_and_100k);

}  // namespace
