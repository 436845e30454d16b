// SPDX-License-Identifier: BSL-1.0
#include "base/timing_wheel.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace jeton;
using namespace std::chrono_literals;

namespace {

class noted final : public timer {
public:
    explicit noted(std::function<void()> then = [] {}) : then_(std::move(then)) {}

    int times = 0;

    void on_due() override
    {
        ++times;
        auto const then = then_;  // may destroy this
        then();
    }

private:
    std::function<void()> then_;
};

constexpr time_point start(24h + 123'456us);

/// How far ahead things happen that the wheel treats differently: both sides of every level's border, and beyond them.
std::vector<duration> const distances{
    1ns,
    999'999ns,
    1ms,
    1ms + 1ns,
    2ms,
    255ms,
    256ms,
    257ms,
    65'535ms,
    65'536ms,
    65'537ms,
    16'777'215ms,
    16'777'216ms,
    16'777'217ms,
    4'294'967'295ms,
    4'294'967'296ms,
    4'294'967'297ms,
    4'294'967'296ms * 5 + 3ms,
    24h * 365 * 100,
};

struct fixture {
    timing_wheel wheel{start};
    noted t;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(base_timing_wheel, fixture)

BOOST_AUTO_TEST_CASE(a_timer_is_due_at_its_moment_and_not_a_nanosecond_before)
{
    for (auto const distance : distances) {
        BOOST_TEST_CONTEXT(distance.count() << " ns ahead")
        {
            timing_wheel fresh(start);
            noted one;
            fresh.arm(one, start + distance);
            BOOST_TEST(one.armed());
            fresh.advance(start + distance - 1ns);
            BOOST_TEST(one.times == 0);
            fresh.advance(start + distance);
            BOOST_TEST(one.times == 1);
            BOOST_TEST(!one.armed());
            BOOST_TEST(fresh.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(following_the_wakeups_leads_to_every_timer_within_a_slot_and_never_early)
{
    for (auto const distance : distances) {
        BOOST_TEST_CONTEXT(distance.count() << " ns ahead")
        {
            timing_wheel fresh(start);
            auto now = start;
            noted one([&] { BOOST_TEST((now >= start + distance && now < start + distance + 1ms)); });
            fresh.arm(one, start + distance);
            int wakeups = 0;
            while (auto const next = fresh.next_wakeup()) {
                BOOST_REQUIRE((*next > now));
                now = *next;
                fresh.advance(now);
                ++wakeups;
            }
            BOOST_TEST(one.times == 1);
            BOOST_TEST(wakeups < 800);  // a hundred years are 735 rounds of the highest level
        }
    }
}

BOOST_AUTO_TEST_CASE(one_that_is_armed_for_a_moment_that_has_passed_waits_for_the_next_advance)
{
    for (auto const at : {start, start - 1ns, start - 1h, time_point::min(), time_point()}) {
        wheel.arm(t, at);
        t.times = 0;
        BOOST_TEST((wheel.next_wakeup().value() <= start));
        wheel.advance(start);
        BOOST_TEST(t.times == 1);
    }
}

BOOST_AUTO_TEST_CASE(the_ends_of_the_clock_are_moments_like_others)
{
    wheel.arm(t, time_point::max());
    wheel.advance(time_point::max() - 1ns);
    BOOST_TEST(t.times == 0);
    BOOST_TEST((wheel.next_wakeup().value() == time_point::max()));
    wheel.advance(time_point::max());
    BOOST_TEST(t.times == 1);

    timing_wheel from_the_beginning(time_point::min());
    from_the_beginning.arm(t, time_point::max());
    from_the_beginning.advance(time_point());
    BOOST_TEST(t.times == 1);
    from_the_beginning.advance(time_point::max());
    BOOST_TEST(t.times == 2);
}

BOOST_AUTO_TEST_CASE(a_jump_over_all_of_time_calls_them_in_the_order_of_their_slots)
{
    std::vector<std::size_t> order;
    std::deque<noted> timers;
    for (std::size_t i = 0; i != distances.size(); ++i)
        timers.emplace_back([&order, i] { order.push_back(i); });
    for (std::size_t i = distances.size(); i-- != 0;)
        wheel.arm(timers[i], start + distances[i] + 1ms * i);
    wheel.advance(time_point::max());
    BOOST_TEST(order.size() == distances.size());
    BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(without_a_timer_there_is_nothing_to_wake_up_for)
{
    BOOST_TEST(!wheel.next_wakeup().has_value());
    wheel.arm(t, start + 1h);
    t.disarm();
    BOOST_TEST(!wheel.next_wakeup().has_value());
    BOOST_TEST(wheel.empty());
    t.disarm();
    BOOST_TEST(!t.armed());
}

BOOST_AUTO_TEST_CASE(arming_again_replaces_the_moment)
{
    wheel.arm(t, start + 1s);
    wheel.arm(t, start + 1h);
    BOOST_TEST(wheel.size() == 1U);
    BOOST_TEST((t.due() == start + 1h));
    wheel.advance(start + 59min);
    BOOST_TEST(t.times == 0);
    wheel.advance(start + 1h);
    BOOST_TEST(t.times == 1);
}

BOOST_AUTO_TEST_CASE(destroying_a_timer_disarms_it)
{
    {
        noted brief;
        wheel.arm(brief, start + 1s);
        BOOST_TEST(wheel.size() == 1U);
    }
    BOOST_TEST(wheel.empty());
    wheel.advance(start + 1h);
}

BOOST_AUTO_TEST_CASE(destroying_the_wheel_disarms_its_timers)
{
    {
        timing_wheel brief(start);
        brief.arm(t, start + 1s);
    }
    BOOST_TEST(!t.armed());
    wheel.arm(t, start + 1s);
    wheel.advance(start + 1s);
    BOOST_TEST(t.times == 1);
}

BOOST_AUTO_TEST_CASE(timers_of_one_slot_share_one_wakeup)
{
    noted other;
    auto const slot = ceil<std::chrono::milliseconds>(start.time_since_epoch()) + 10ms;
    wheel.arm(t, time_point(slot + 100us));
    wheel.arm(other, time_point(slot + 900us));
    BOOST_TEST((wheel.next_wakeup().value() == time_point(slot + 900us)));
    wheel.advance(time_point(slot + 900us));
    BOOST_TEST(t.times + other.times == 2);
}

BOOST_AUTO_TEST_CASE(one_that_is_due_may_arm_itself_again_and_the_loop_still_ends)
{
    noted again([&] { wheel.arm(again, start); });
    wheel.arm(again, start + 1s);
    wheel.advance(start + 1s);
    BOOST_TEST(again.times == 1);
    BOOST_TEST(again.armed());
    wheel.advance(start + 1s);
    BOOST_TEST(again.times == 2);
    again.disarm();
}

BOOST_AUTO_TEST_CASE(one_that_is_due_may_disarm_and_destroy_others_that_are_due_with_it)
{
    noted disarmed;
    auto destroyed = std::make_unique<noted>([] { BOOST_ERROR("it is gone"); });
    noted first([&] {
        disarmed.disarm();
        destroyed.reset();
    });
    noted last;
    wheel.arm(first, start + 1s);
    wheel.arm(disarmed, start + 1s);
    wheel.arm(*destroyed, start + 1s);
    wheel.arm(last, start + 1s);
    wheel.advance(start + 1s);
    BOOST_TEST(first.times == 1);
    BOOST_TEST(disarmed.times == 0);
    BOOST_TEST(last.times == 1);
    BOOST_TEST(wheel.empty());
}

BOOST_AUTO_TEST_CASE(one_that_is_due_may_destroy_itself)
{
    std::unique_ptr<noted> self;
    self = std::make_unique<noted>([&] { self.reset(); });
    wheel.arm(*self, start + 1s);
    wheel.advance(start + 1s);
    BOOST_TEST(!self);
    BOOST_TEST(wheel.empty());
}

BOOST_AUTO_TEST_CASE(one_that_is_due_may_put_off_another)
{
    noted put_off;
    noted first([&] { wheel.arm(put_off, start + 2s); });
    wheel.arm(first, start + 1s);
    wheel.arm(put_off, start + 1s);
    wheel.advance(start + 1s);
    BOOST_TEST(put_off.times == 0);
    wheel.advance(start + 2s);
    BOOST_TEST(put_off.times == 1);
}

BOOST_AUTO_TEST_CASE(what_an_exception_leaves_behind_is_called_by_the_next_advance)
{
    noted throwing([] { throw std::runtime_error("from on_due"); });
    wheel.arm(throwing, start + 1s);
    wheel.arm(t, start + 1s);
    BOOST_CHECK_THROW(wheel.advance(start + 1s), std::runtime_error);
    BOOST_TEST(t.times == 0);
    BOOST_TEST(t.armed());
    wheel.advance(start + 1s);
    BOOST_TEST(t.times == 1);
}

BOOST_AUTO_TEST_CASE(time_that_goes_back_is_ignored)
{
    wheel.advance(start + 1h);
    wheel.arm(t, start + 1h + 1s);
    wheel.advance(start);
    BOOST_TEST(t.times == 0);
    wheel.advance(start + 1h + 1s);
    BOOST_TEST(t.times == 1);
}

BOOST_AUTO_TEST_CASE(whatever_is_armed_and_disarmed_it_agrees_with_a_sorted_map)
{
    std::mt19937_64 random(20260101);
    auto const below = [&](std::uint64_t n) { return random() % n; };
    auto const some_distance = [&] {
        return duration(static_cast<std::int64_t>(below(std::uint64_t(1) << (10 + below(50)))));
    };

    struct entry final : timer {
        std::vector<entry*>* due_list = nullptr;
        void on_due() override { due_list->push_back(this); }
    };
    std::vector<entry*> called;
    std::deque<entry> timers(200);
    for (auto& one : timers)
        one.due_list = &called;
    std::multimap<time_point, entry*> expected;
    auto const forget = [&](entry& one) { std::erase_if(expected, [&](auto const& e) { return e.second == &one; }); };

    auto now = start;
    timing_wheel fresh(now);
    for (int step = 0; step != 20'000; ++step) {
        auto& one = timers[below(timers.size())];
        switch (below(4)) {
        case 0:
        case 1: {
            forget(one);
            auto const at = below(20) == 0 ? now - some_distance() : now + some_distance();
            fresh.arm(one, at);
            expected.emplace(at, &one);
            break;
        }
        case 2:
            forget(one);
            one.disarm();
            break;
        case 3: {
            auto const next = fresh.next_wakeup();
            BOOST_REQUIRE(next.has_value() == !expected.empty());
            if (next)
                BOOST_REQUIRE((*next < std::max(now, expected.begin()->first) + 1ms));
            now = next && below(2) == 0 ? std::max(now, *next) : now + some_distance() / 16;
            called.clear();
            fresh.advance(now);
            std::vector<entry*> should;
            while (!expected.empty() && expected.begin()->first <= now) {
                should.push_back(expected.begin()->second);
                expected.erase(expected.begin());
            }
            std::sort(should.begin(), should.end());
            std::sort(called.begin(), called.end());
            BOOST_REQUIRE((called == should));
            break;
        }
        }
        BOOST_REQUIRE(fresh.size() == expected.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()
