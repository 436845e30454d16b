// SPDX-License-Identifier: BSL-1.0
#include "base/timekeeper.hpp"

#include <jeton/testing/manual_clock.hpp>

#include "support/run.hpp"

#include <functional>
#include <memory>
#include <vector>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

/// Counts what reaches the alarm.
class counting_clock final : public jeton::clock {
public:
    explicit counting_clock(std::shared_ptr<manual_clock> inner) : inner_(std::move(inner)) {}

    int sets = 0;
    int clears = 0;

    time_point now() const noexcept override { return inner_->now(); }
    wall_time wall() const noexcept override { return inner_->wall(); }
    std::unique_ptr<jeton::alarm> make_alarm(asio::any_io_executor executor, std::function<void()> ring) override
    {
        return std::make_unique<counting_alarm>(*this, inner_->make_alarm(std::move(executor), std::move(ring)));
    }

private:
    class counting_alarm final : public jeton::alarm {
    public:
        counting_alarm(counting_clock& owner, std::unique_ptr<jeton::alarm> inner)
            : owner_(owner), inner_(std::move(inner))
        {}
        void set(time_point at) override
        {
            ++owner_.sets;
            inner_->set(at);
        }
        void clear() noexcept override
        {
            ++owner_.clears;
            inner_->clear();
        }

    private:
        counting_clock& owner_;
        std::unique_ptr<jeton::alarm> inner_;
    };

    std::shared_ptr<manual_clock> inner_;
};

class noted final : public timer {
public:
    explicit noted(std::function<void()> then = [] {}) : then_(std::move(then)) {}
    int times = 0;
    void on_due() override
    {
        ++times;
        then_();
    }

private:
    std::function<void()> then_;
};

struct fixture {
    asio::io_context io;
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    std::shared_ptr<counting_clock> counted = std::make_shared<counting_clock>(time);
    timekeeper timers{serial(io), counted};
    noted t;

    void pass(duration by)
    {
        time->advance(by);
        settle(io);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(base_timekeeper, fixture)

BOOST_AUTO_TEST_CASE(a_timer_is_called_from_the_executor_when_its_time_has_come)
{
    timers.arm_after(t, 10s);
    pass(10s - 1ns);
    BOOST_TEST(t.times == 0);
    time->advance(1ns);
    BOOST_TEST(t.times == 0);
    settle(io);
    BOOST_TEST(t.times == 1);
    pass(1h);
    BOOST_TEST(t.times == 1);
}

BOOST_AUTO_TEST_CASE(a_moment_that_has_passed_is_due_at_once)
{
    timers.arm(t, time->now() - 1s);
    BOOST_TEST(t.times == 0);
    settle(io);
    BOOST_TEST(t.times == 1);
    timers.arm_after(t, 0s);
    settle(io);
    BOOST_TEST(t.times == 2);
}

BOOST_AUTO_TEST_CASE(a_deadline_armed_and_disarmed_within_an_earlier_one_does_not_touch_the_alarm)
{
    noted idle;
    timers.arm_after(idle, 5s);
    BOOST_TEST(counted->sets == 1);
    for (int i = 0; i != 1000; ++i) {
        timers.arm_after(t, 30s);
        t.disarm();
    }
    BOOST_TEST(counted->sets == 1);
    BOOST_TEST(counted->clears == 0);
    idle.disarm();
}

BOOST_AUTO_TEST_CASE(an_earlier_deadline_moves_the_alarm_forward)
{
    noted later;
    timers.arm_after(later, 30s);
    timers.arm_after(t, 1s);
    BOOST_TEST(counted->sets == 2);
    pass(1s);
    BOOST_TEST(t.times == 1);
    BOOST_TEST(later.times == 0);
    pass(29s);
    BOOST_TEST(later.times == 1);
}

BOOST_AUTO_TEST_CASE(the_alarm_that_rings_for_nobody_is_set_for_those_who_are_left)
{
    noted left;
    timers.arm_after(t, 1s);
    timers.arm_after(left, 100h);
    t.disarm();
    pass(1s);
    BOOST_TEST(t.times == 0);
    pass(100h);
    BOOST_TEST(left.times == 1);
}

BOOST_AUTO_TEST_CASE(a_timer_may_arm_itself_again_and_again)
{
    noted beat([&] { timers.arm_after(beat, 1s); });
    timers.arm_after(beat, 1s);
    for (int i = 0; i != 5; ++i)
        pass(1s);
    BOOST_TEST(beat.times == 5);
    beat.disarm();
}

BOOST_AUTO_TEST_CASE(timers_armed_while_others_are_called_cost_one_setting_together)
{
    std::vector<std::unique_ptr<noted>> many;
    for (int i = 0; i != 10; ++i)
        many.push_back(std::make_unique<noted>());
    noted first([&] {
        for (std::size_t i = 0; i != many.size(); ++i)
            timers.arm_after(*many[i], 20s - 1s * i);
    });
    timers.arm_after(first, 1s);
    auto const before = counted->sets;
    pass(1s);
    BOOST_TEST(counted->sets == before + 1);
    pass(20s);
    for (auto const& one : many)
        BOOST_TEST(one->times == 1);
}

BOOST_AUTO_TEST_CASE(resting_lets_go_of_the_alarm_only_if_no_timer_is_armed)
{
    timers.arm_after(t, 1s);
    timers.rest();
    BOOST_TEST(time->alarms_set() == 1U);
    t.disarm();
    BOOST_TEST(time->alarms_set() == 1U);
    timers.rest();
    BOOST_TEST(time->alarms_set() == 0U);

    timers.arm_after(t, 1s);
    pass(1s);
    BOOST_TEST(t.times == 1);
}

BOOST_AUTO_TEST_CASE(the_end_of_time_needs_no_alarm)
{
    timers.arm(t, time_point::max());
    BOOST_TEST(counted->sets == 0);
    BOOST_TEST(t.armed());
    timers.arm_after(t, duration::max());
    BOOST_TEST((t.due() == time_point::max()));
    t.disarm();
}

BOOST_AUTO_TEST_CASE(a_keeper_that_is_gone_calls_nobody)
{
    auto brief = std::make_unique<timekeeper>(serial(io), time);
    brief->arm_after(t, 1s);
    time->advance(1s);
    brief.reset();
    settle(io);
    BOOST_TEST(t.times == 0);
    BOOST_TEST(!t.armed());
}

BOOST_AUTO_TEST_CASE(suspend_counts_and_a_wall_clock_that_jumps_does_not)
{
    // A21: the wheel follows the time since boot, which runs on through suspend.
    timers.arm_after(t, 1h);
    time->jump_wall(24h);
    settle(io);
    BOOST_TEST(t.times == 0);
    time->suspend(1h);
    settle(io);
    BOOST_TEST(t.times == 1);
}

BOOST_AUTO_TEST_SUITE_END()
