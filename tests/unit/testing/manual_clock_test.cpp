// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/manual_clock.hpp>

#include "support/run.hpp"

#include <asio/thread_pool.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

struct fixture {
    asio::io_context io;
    manual_clock time;
    int rings = 0;
    std::unique_ptr<jeton::alarm> bell = time.make_alarm(io.get_executor(), [this] { ++rings; });
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(testing_manual_clock, fixture)

BOOST_AUTO_TEST_CASE(it_stands_still_a_day_after_boot_at_the_beginning_of_2026)
{
    BOOST_TEST((time.now() == time_point(24h)));
    BOOST_TEST((time.wall() == std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)));
    BOOST_TEST((time.now() == time_point(24h)));
}

BOOST_AUTO_TEST_CASE(advancing_moves_both_clocks_and_a_jump_of_the_wall_only_that)
{
    auto const before = time.both();
    time.advance(5s);
    BOOST_TEST((time.now() == before.boot + 5s));
    BOOST_TEST((time.wall() == before.wall + 5s));
    time.jump_wall(-1h);
    BOOST_TEST((time.now() == before.boot + 5s));
    BOOST_TEST((time.wall() == before.wall + 5s - 1h));
    time.suspend(1h);
    BOOST_TEST((time.now() == before.boot + 1h + 5s));
    BOOST_TEST((time.wall() == before.wall + 5s));
}

BOOST_AUTO_TEST_CASE(an_alarm_rings_on_its_executor_when_it_is_due)
{
    bell->set(time.now() + 5s);
    time.advance(5s - 1ns);
    settle(io);
    BOOST_TEST(rings == 0);
    time.advance(1ns);
    BOOST_TEST(rings == 0);
    settle(io);
    BOOST_TEST(rings == 1);
    time.advance(1h);
    settle(io);
    BOOST_TEST(rings == 1);
}

BOOST_AUTO_TEST_CASE(an_alarm_for_a_moment_that_has_passed_rings_at_once)
{
    bell->set(time.now());
    BOOST_TEST(rings == 0);
    settle(io);
    BOOST_TEST(rings == 1);
    bell->set(time_point::min());
    settle(io);
    BOOST_TEST(rings == 2);
}

BOOST_AUTO_TEST_CASE(a_set_alarm_is_no_outstanding_work)
{
    bell->set(time.now() + 5s);
    BOOST_TEST(time.alarms_set() == 1U);
    BOOST_TEST(io.run() == 0U);
    bell->clear();
    BOOST_TEST(time.alarms_set() == 0U);
}

BOOST_AUTO_TEST_CASE(clearing_setting_again_and_destroying_silence_a_ring_that_is_on_its_way)
{
    bell->set(time.now() + 1s);
    time.advance(1s);
    bell->clear();
    settle(io);
    BOOST_TEST(rings == 0);

    bell->set(time.now() + 1s);
    time.advance(1s);
    bell->set(time.now() + 1s);
    settle(io);
    BOOST_TEST(rings == 0);
    time.advance(1s);
    settle(io);
    BOOST_TEST(rings == 1);

    bell->set(time.now() + 1s);
    time.advance(1s);
    bell.reset();
    settle(io);
    BOOST_TEST(rings == 1);
}

BOOST_AUTO_TEST_CASE(two_steps_past_its_moment_ring_an_alarm_once)
{
    bell->set(time.now() + 1s);
    time.advance(1s);
    time.advance(1s);
    settle(io);
    BOOST_TEST(rings == 1);
}

BOOST_AUTO_TEST_CASE(alarms_that_become_due_together_ring_in_the_order_of_their_moments)
{
    std::string order;
    auto const late = time.make_alarm(io.get_executor(), [&] { order += "late "; });
    auto const early = time.make_alarm(io.get_executor(), [&] { order += "early "; });
    late->set(time.now() + 2s);
    early->set(time.now() + 1s);
    time.advance(1h);
    settle(io);
    BOOST_TEST(order == "early late ");
}

BOOST_AUTO_TEST_CASE(an_alarm_may_be_set_again_or_destroyed_when_it_rings)
{
    std::unique_ptr<jeton::alarm> self;
    int rung = 0;
    self = time.make_alarm(io.get_executor(), [&] {
        if (++rung == 3)
            self.reset();
        else
            self->set(time.now() + 1s);
    });
    self->set(time.now() + 1s);
    for (int i = 0; i != 5; ++i) {
        time.advance(1s);
        settle(io);
    }
    BOOST_TEST(rung == 3);
}

BOOST_AUTO_TEST_CASE(time_may_pass_while_other_threads_look_at_it)
{
    asio::thread_pool pool(1);
    bool rang = false;
    auto const remote = time.make_alarm(pool.get_executor(), [&] { rang = true; });
    remote->set(time.now() + 1s);
    std::thread reader([&] {
        for (int i = 0; i != 1000; ++i)
            BOOST_REQUIRE((time.now() >= time_point(24h)));
    });
    for (int i = 0; i != 1000; ++i)
        time.advance(1ms);
    reader.join();
    pool.join();
    BOOST_TEST(rang);
}

BOOST_AUTO_TEST_SUITE_END()
