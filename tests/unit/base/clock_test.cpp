// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/clock.hpp>

#include <asio/io_context.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <memory>

using namespace jeton;
using namespace std::chrono_literals;

namespace {

/// The one place where tests meet the machine's clock. No test here depends on how fast the machine is: those that wait,
/// wait for an event, and what must not happen is ordered before one that does.
struct fixture {
    std::shared_ptr<jeton::clock> const time = machine_clock();
    asio::io_context io;
    int rings = 0;
    time_point rung_at{};
    std::unique_ptr<jeton::alarm> bell = time->make_alarm(io.get_executor(), [this] {
        ++rings;
        rung_at = time->now();
    });
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(base_clock, fixture)

BOOST_AUTO_TEST_CASE(it_tells_both_times)
{
    // A21: age is measured on CLOCK_BOOTTIME and checked against the wall.
    auto const before = time->both();
    auto const after = time->both();
    BOOST_TEST((after.boot >= before.boot));
    BOOST_TEST((before.boot > time_point()));
    auto const wall = std::chrono::system_clock::now();
    BOOST_TEST((std::chrono::abs(wall - before.wall) < 1min));
    BOOST_TEST(machine_clock() == time);
}

BOOST_AUTO_TEST_CASE(the_recent_time_is_never_ahead_and_goes_on)
{
    auto const first = time->recent();
    auto const give_up = time->now() + 10s;
    auto last = first;
    auto now = time->now();
    while (last == first && now < give_up) {
        auto const next = time->recent();
        now = time->now();
        BOOST_REQUIRE((next >= last));
        BOOST_REQUIRE((next <= now));
        last = next;
    }
    BOOST_TEST((last > first));
}

BOOST_AUTO_TEST_CASE(an_alarm_rings_once_and_not_early)
{
    auto const at = time->now() + 2ms;
    bell->set(at);
    io.run();
    BOOST_TEST(rings == 1);
    BOOST_TEST((rung_at >= at));
}

BOOST_AUTO_TEST_CASE(an_alarm_that_is_not_set_is_no_work)
{
    BOOST_TEST(io.run() == 0U);
    bell->set(time->now() + 1h);
    io.restart();
    BOOST_TEST(io.poll() == 0U);
    BOOST_TEST(!io.stopped());  // there is work
    bell->clear();
    io.restart();
    io.run();  // returns: there is none
    BOOST_TEST(rings == 0);
}

BOOST_AUTO_TEST_CASE(a_moment_that_has_passed_rings_at_once)
{
    for (auto const at : {time->now() - 1s, time_point(), time_point(-5s), time_point::min()}) {
        rings = 0;
        bell->set(at);
        BOOST_TEST(rings == 0);
        io.restart();
        io.run();
        BOOST_TEST(rings == 1);
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_time_is_far_away)
{
    bell->set(time_point::max());
    io.poll();
    BOOST_TEST(rings == 0);
    bell->clear();
    io.restart();
    io.run();
    BOOST_TEST(rings == 0);
}

BOOST_AUTO_TEST_CASE(an_earlier_time_replaces_a_later_one)
{
    bell->set(time->now() + 1h);
    io.poll();
    bell->set(time->now() + 1ms);
    io.restart();
    io.run();
    BOOST_TEST(rings == 1);
}

BOOST_AUTO_TEST_CASE(a_later_time_replaces_one_that_has_passed_unnoticed)
{
    bell->set(time->now() - 1s);
    auto const at = time->now() + 2ms;
    bell->set(at);
    io.run();
    BOOST_TEST(rings == 1);
    BOOST_TEST((rung_at >= at));
}

BOOST_AUTO_TEST_CASE(clearing_and_setting_again_rings_once_for_the_new_time)
{
    bell->set(time->now() - 1s);
    bell->clear();
    auto const at = time->now() + 2ms;
    bell->set(at);
    io.run();
    BOOST_TEST(rings == 1);
    BOOST_TEST((rung_at >= at));
}

BOOST_AUTO_TEST_CASE(destroying_it_silences_it_even_if_its_time_has_come)
{
    bell->set(time->now() - 1s);
    bell.reset();
    io.run();
    BOOST_TEST(rings == 0);
}

BOOST_AUTO_TEST_CASE(one_alarm_may_silence_another_that_has_become_due_with_it)
{
    std::unique_ptr<jeton::alarm> a;
    std::unique_ptr<jeton::alarm> b;
    int rung = 0;
    a = time->make_alarm(io.get_executor(), [&] { ++rung, b.reset(); });
    b = time->make_alarm(io.get_executor(), [&] { ++rung, a.reset(); });
    a->set(time->now() - 1s);
    b->set(time->now() - 1s);
    io.run();
    BOOST_TEST(rung == 1);
}

BOOST_AUTO_TEST_CASE(one_alarm_may_put_off_another_that_has_become_due_with_it)
{
    std::unique_ptr<jeton::alarm> a;
    std::unique_ptr<jeton::alarm> b;
    int rung = 0;
    time_point later{};
    auto const whichever = [&](std::unique_ptr<jeton::alarm>& other) {
        if (++rung == 1) {
            later = time->now() + 2ms;
            other->set(later);
        } else
            BOOST_TEST((time->now() >= later));
    };
    a = time->make_alarm(io.get_executor(), [&] { whichever(b); });
    b = time->make_alarm(io.get_executor(), [&] { whichever(a); });
    a->set(time->now() - 1s);
    b->set(time->now() - 1s);
    io.run();
    BOOST_TEST(rung == 2);
}

BOOST_AUTO_TEST_CASE(it_may_be_set_again_or_destroyed_when_it_rings)
{
    std::unique_ptr<jeton::alarm> self;
    int rung = 0;
    self = time->make_alarm(io.get_executor(), [&] {
        if (++rung == 3)
            self.reset();
        else
            self->set(time->now());
    });
    self->set(time->now());
    io.run();
    BOOST_TEST(rung == 3);
    BOOST_TEST(!self);
}

BOOST_AUTO_TEST_SUITE_END()
