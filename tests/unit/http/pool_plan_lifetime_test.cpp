// SPDX-License-Identifier: BSL-1.0
#include "pool_plan_words.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using jeton::time_point;
using jeton::http::origin_share;
using jeton::http::pool_plan;
using namespace jeton::http::words;

namespace {

using reason = pool_plan::reason;

bool closed_for(pool_plan::actions todo, reason why)
{
    for (auto const& a : todo)
        if (a.what == doing::close)
            return a.why == why;
    return false;
}

constexpr pool_plan::limits aging{.idle = 1h, .age = 10min};

// One request over connection `c`, which is idle.
std::string serve(pool_plan& plan, pool_plan::connection_id c, time_point now)
{
    BOOST_TEST(told(plan.on_demand(now)) == "use " + std::to_string(c));
    return told(plan.on_released(c, now, true));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_pool_plan_lifetime)

BOOST_AUTO_TEST_CASE(a_connection_reaches_its_age_at_most_a_fifth_early)
{
    // J14
    for (std::uint32_t seed = 1; seed < 50; ++seed) {
        auto limits = aging;
        limits.seed = seed;
        auto plan = with_idle(1, limits);
        auto const due = plan.next_wakeup().value();
        BOOST_TEST((due > at(8min) && due <= at(10min)));
        BOOST_TEST(told(plan.on_time(due - 1ns)) == "");
        BOOST_TEST(told(plan.on_time(due)) == "dial 1");
    }
}

BOOST_AUTO_TEST_CASE(connections_made_together_do_not_age_together)
{
    auto plan = with_idle(10, aging);
    for (std::uint32_t c = 0; c < 10; ++c)
        (void)plan.on_demand(at(0s));  // busy: each gets a successor
    std::size_t moments = 0;
    for (auto now = plan.next_wakeup(); now && *now <= at(10min); now = plan.next_wakeup()) {
        (void)plan.on_time(*now);
        ++moments;
    }
    BOOST_TEST(moments == 10u);
}

BOOST_AUTO_TEST_CASE(without_an_age_nothing_grows_old)
{
    auto plan = with_idle(1, {.idle = 999h});
    BOOST_TEST((plan.next_wakeup() == at(999h)));
}

BOOST_AUTO_TEST_CASE(a_busy_connection_goes_on_until_its_successor_is_there)
{
    // J14, FAULTS 3
    auto plan = with_idle(1, aging);
    (void)plan.on_demand(at(10min));
    BOOST_TEST(told(plan.on_time(at(10min))) == "dial 1");
    BOOST_TEST_CONTEXT("nobody waits meanwhile")
    {
        BOOST_TEST(told(plan.on_released(0, at(10min), true)) == "");
        BOOST_TEST(serve(plan, 0, at(10min)) == "");
        (void)plan.on_demand(at(10min));
    }
    BOOST_TEST(told(plan.on_dialled(1, at(10min) + 1s)) == "");
    BOOST_TEST(told(plan.on_released(0, at(10min) + 2s, true)) == "close 0");
    BOOST_TEST(closed_for(plan.todo(), reason::age));
    BOOST_TEST(serve(plan, 1, at(11min)) == "");
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_replaced_if_it_is_the_only_one_and_otherwise_just_goes)
{
    // J14
    auto plan = with_idle(3, aging);
    BOOST_TEST(told(plan.on_time(at(10min))) == "close 0, close 1, dial 1");
    BOOST_TEST(told(plan.on_dialled(1, at(11min))) == "close 2");
    BOOST_TEST_CONTEXT("and the successor's being idle counts from its predecessor's last use")
    {
        BOOST_TEST(told(plan.on_time(at(1h) - 1ns)).find("close") == std::string::npos);
        BOOST_TEST(plan.idle() == 1u);
        auto const todo = plan.on_time(at(1h));
        BOOST_TEST(closed_for(todo, reason::idle));
    }
}

BOOST_AUTO_TEST_CASE(a_successor_that_cannot_be_dialled_is_tried_again_and_the_old_one_stays)
{
    // J14
    auto plan = with_idle(1, aging);
    BOOST_TEST(told(plan.on_time(at(10min))) == "dial 1");
    BOOST_TEST(told(plan.on_dial_failed(1, at(10min))) == "");
    BOOST_TEST(serve(plan, 0, at(10min)) == "");
    BOOST_TEST(plan.paced());
    BOOST_TEST((plan.next_wakeup() <= at(10min + 100ms)));
    BOOST_TEST(told(plan.on_time(at(10min + 100ms))) == "dial 1");
}

BOOST_AUTO_TEST_CASE(a_connection_that_dies_before_its_successor_is_there_is_not_owed_one_any_more)
{
    auto plan = with_idle(1, aging);
    (void)plan.on_time(at(10min));
    BOOST_TEST(told(plan.on_died(0, at(10min))) == "close 0");
    BOOST_TEST(told(plan.on_dialled(1, at(11min))) == "");
    BOOST_TEST(plan.idle() == 1u);
}

BOOST_AUTO_TEST_CASE(a_connection_carries_so_many_requests_and_its_successor_is_made_before_the_last)
{
    // J14
    auto plan = with_idle(1, {.requests = 16});  // has carried one
    for (int i = 2; i <= 13; ++i)
        BOOST_TEST(serve(plan, 0, at(0s)) == "");
    BOOST_TEST(serve(plan, 0, at(0s)) == "dial 1");
    BOOST_TEST(serve(plan, 0, at(0s)) == "");
    BOOST_TEST(told(plan.on_demand(at(0s))) == "use 0");
    BOOST_TEST_CONTEXT("the sixteenth is the last")
    {
        BOOST_TEST(told(plan.on_released(0, at(0s), true)) == "close 0");
        BOOST_TEST(closed_for(plan.todo(), reason::requests));
        BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 0");
        BOOST_TEST(told(plan.on_dialled(1, at(1s))) == "hand 1>0");
    }
}

BOOST_AUTO_TEST_CASE(a_connection_with_slots_carries_so_many_requests_at_once_or_not)
{
    // J14
    pool_plan plan({.requests = 3, .multiplexing = true});
    for (int i = 0; i < 4; ++i)
        (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_dialled(0, at(0s), 100)) == "hand 0>0, hand 0>1, hand 0>2, dial 1");
}

BOOST_AUTO_TEST_CASE(a_limit_of_one_request_is_one_connection_each)
{
    // J14
    pool_plan plan({.requests = 1});
    (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_dialled(0, at(0s))) == "hand 0>0");
    BOOST_TEST(told(plan.on_released(0, at(0s), true)) == "close 0");
}

BOOST_AUTO_TEST_CASE(what_the_server_says_about_a_connections_life_is_kept_to)
{
    // J14
    auto plan = with_idle(1);
    (void)plan.on_demand(at(0s));
    plan.on_hint(0, 5s, 1);
    BOOST_TEST((plan.idle_limit() == 4s));
    BOOST_TEST(told(plan.on_released(0, at(0s), true)) == "dial 1");
    BOOST_TEST((plan.next_wakeup() == at(4s)));
    BOOST_TEST(told(plan.on_demand(at(1s))) == "use 0");
    BOOST_TEST(told(plan.on_released(0, at(1s), true)) == "close 0");
    BOOST_TEST_CONTEXT("no more requests: this was the last")
    {
        (void)plan.on_dialled(1, at(1s));
        (void)plan.on_demand(at(1s));
        plan.on_hint(1, {}, 0);
        BOOST_TEST(told(plan.on_released(1, at(1s), true)) == "close 1");
    }
    BOOST_TEST_CONTEXT("a hint does not prolong what is configured")
    {
        auto other = with_idle(1, {.idle = 10s, .requests = 2});
        (void)other.on_demand(at(0s));
        other.on_hint(0, 3600s, 1000);
        BOOST_TEST((other.idle_limit() == 10s));
        BOOST_TEST(told(other.on_released(0, at(0s), true)) == "close 0");
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_closes_idle_connections_is_forestalled)
{
    // J14
    auto plan = with_idle(2);
    BOOST_TEST(told(plan.on_died(1, at(10s))) == "close 1");
    (void)plan.on_demand(at(20s));
    (void)plan.on_released(0, at(20s), true);
    BOOST_TEST((plan.idle_limit() == 60s));
    BOOST_TEST(told(plan.on_died(0, at(30s))) == "close 0");
    BOOST_TEST((plan.idle_limit() == 9s));
}

BOOST_AUTO_TEST_CASE(after_a_long_sleep_nothing_stale_is_handed_out)
{
    // FAULTS 60
    auto plan = with_idle(3);
    BOOST_TEST(told(plan.on_demand(at(2h))) == "wait 2");
    BOOST_TEST(told(plan.todo()) == "close 0, close 1, close 2, dial 2");
}

BOOST_AUTO_TEST_CASE(warming_up_makes_room_for_so_many_requests)
{
    pool_plan plan({.connections = 4});
    BOOST_TEST(told(plan.on_warm(3, at(0s))) == "dial 0, dial 1, dial 2");
    BOOST_TEST(plan.warming());
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 0");
    BOOST_TEST(told(plan.todo()) == "dial 3");
    BOOST_TEST(told(plan.on_dialled(0, at(1s))) == "hand 0>0");
    (void)plan.on_dialled(1, at(1s));
    (void)plan.on_dialled(2, at(1s));
    BOOST_TEST(plan.warming());
    (void)plan.on_dialled(3, at(1s));
    BOOST_TEST(!plan.warming());
    BOOST_TEST(plan.idle() == 3u);
    BOOST_TEST_CONTEXT("as far as the limit allows")
    {
        BOOST_TEST(told(plan.on_warm(9, at(1s))) == "");
        BOOST_TEST(!plan.warming());
    }
    BOOST_TEST_CONTEXT("once: they are closed like others")
    BOOST_TEST(told(plan.on_time(at(61s))) == "close 1, close 2, close 3");
}

BOOST_AUTO_TEST_CASE(one_connection_with_many_slots_is_warm_enough)
{
    pool_plan plan({.multiplexing = true});
    BOOST_TEST(told(plan.on_warm(150, at(0s))) == "dial 0");
    BOOST_TEST(told(plan.on_dialled(0, at(1s), 100)) == "dial 1");
    BOOST_TEST(told(plan.on_dialled(1, at(1s), 100)) == "");
    BOOST_TEST(!plan.warming());
}

BOOST_AUTO_TEST_CASE(warming_up_ends_with_a_dial_that_fails)
{
    pool_plan plan({});
    (void)plan.on_warm(2, at(0s));
    BOOST_TEST(told(plan.on_dial_failed(0, at(1s))) == "");
    BOOST_TEST(!plan.warming());
    BOOST_TEST(told(plan.on_time(at(9s))) == "");
}

BOOST_AUTO_TEST_CASE(a_minimum_of_ready_connections_is_kept)
{
    pool_plan plan({.idle = 60s, .ready = 2});
    (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.todo()) == "dial 0, dial 1, dial 2");
    for (std::uint32_t c = 0; c < 3; ++c)
        (void)plan.on_dialled(c, at(0s));
    BOOST_TEST(told(plan.on_released(0, at(0s), true)) == "");
    BOOST_TEST_CONTEXT("the surplus grows old, the minimum does not")
    {
        BOOST_TEST(told(plan.on_time(at(60s))) == "close 1");
        BOOST_TEST(plan.idle() == 2u);
        BOOST_TEST((plan.next_wakeup() == at(120s)));
    }
    BOOST_TEST_CONTEXT("one that is taken, or dies, has a successor at once")
    {
        auto const taken = plan.on_demand(at(61s));
        BOOST_REQUIRE((taken.what == placing::use));
        BOOST_TEST(told(plan.todo()) == "dial 1");
        BOOST_TEST(told(plan.on_released(taken.id, at(61s), false)) == "close 0");
        BOOST_TEST(told(plan.on_dialled(1, at(62s))) == "");
        BOOST_TEST(told(plan.on_died(1, at(99s))) == "close 1, dial 1");
    }
}

BOOST_AUTO_TEST_CASE(a_minimum_that_the_server_keeps_closing_is_dialled_with_patience)
{
    // FAULTS 70
    pool_plan plan({.ready = 1});
    (void)plan.on_warm(1, at(0s));
    auto now = at(0s);
    int dials = 1;
    for (int i = 0; i < 200; ++i) {
        if (plan.dialling() != 0) {
            (void)plan.on_dialled(0, now);
            BOOST_TEST(told(plan.on_died(0, now)) == "close 0");
        }
        now += 50ms;
        (void)plan.on_time(now);
        dials += static_cast<int>(plan.todo().size());
    }
    BOOST_TEST(dials < 15);  // in ten seconds
}

BOOST_AUTO_TEST_CASE(when_a_peer_comes_back_it_is_dialled_by_few_at_first)
{
    // FAULTS 70
    pool_plan plan({.dialling = {.at_once = 4}});
    for (int i = 0; i < 20; ++i)
        (void)plan.on_demand(at(0s));
    BOOST_TEST(plan.dialling() == 4u);
    for (std::uint32_t c = 0; c < 4; ++c)
        (void)plan.on_dial_failed(c, at(0s));
    BOOST_TEST(plan.dialling() == 0u);
    BOOST_TEST(plan.failures() == 1u);
    (void)plan.on_time(at(1s));
    BOOST_TEST(plan.dialling() == 1u);
    auto const dialled = [&] {
        for (auto const& a : plan.todo())
            if (a.what == doing::dial)
                return a.connection;
        return pool_plan::none;
    };
    (void)plan.on_dialled(dialled(), at(1s));
    BOOST_TEST(plan.dialling() == 2u);
    (void)plan.on_dialled(dialled(), at(1s));
    BOOST_TEST(plan.dialling() == 4u);
}

BOOST_AUTO_TEST_CASE(who_has_no_time_until_the_next_dial_is_told_at_once_and_others_wait)
{
    pool_plan plan({.dialling = {.at_once = 1, .first_pause = 10s, .longest_pause = 10s}});
    BOOST_TEST(told(plan.on_demand(at(0s), {}, false, at(60s))) == "wait 0");
    BOOST_TEST(told(plan.on_demand(at(0s), {}, false, at(1s))) == "wait 1");
    BOOST_TEST(told(plan.on_demand(at(0s), {}, false, at(60s))) == "wait 2");
    BOOST_TEST(told(plan.on_dial_failed(0, at(0s))) == "refuse 0, refuse 1");
    BOOST_TEST(told(plan.on_demand(at(1s), {}, false, at(2s))) == "refused");
    BOOST_TEST(told(plan.on_demand(at(1s), {}, false, at(60s))).starts_with("wait"));
    BOOST_TEST((plan.next_dial(at(1s)) >= at(5s)));
    BOOST_TEST(told(plan.on_time(at(10s))) == "dial 0");
    BOOST_TEST(!plan.next_dial(at(10s)));
}

BOOST_AUTO_TEST_CASE(while_another_connection_works_a_short_deadline_may_still_be_met)
{
    auto plan = with_idle(1, {.dialling = {.first_pause = 10s, .longest_pause = 10s}});
    (void)plan.on_demand(at(0s));
    (void)plan.on_demand(at(0s), {}, false, at(60s));
    (void)plan.on_demand(at(0s), {}, false, at(1s));
    (void)plan.on_dialled(2, at(0s));
    (void)plan.on_demand(at(0s), {}, false, at(1s));
    BOOST_TEST(told(plan.on_dial_failed(1, at(0s))) == "refuse 1");
    BOOST_TEST(told(plan.on_demand(at(0s), {}, false, at(1s))) == "wait 1");
    BOOST_TEST(told(plan.on_released(0, at(0s), true)) == "hand 0>0");
}

BOOST_AUTO_TEST_CASE(an_origin_without_room_gets_the_place_of_anothers_idle_connection)
{
    // FAULTS 72
    origin_share share(2);
    pool_plan a({}, &share);
    pool_plan b({}, &share);
    for (std::uint32_t c = 0; c < 2; ++c) {
        (void)a.on_demand(at(0s));
        (void)a.on_dialled(c, at(0s));
    }
    (void)a.on_released(0, at(0s), true);
    BOOST_TEST(told(b.on_demand(at(1s))) == "wait 0");
    BOOST_TEST(told(b.todo()) == "");
    origin_share::standing const now[] = {a.standing(), b.standing()};
    BOOST_TEST(share.next(now).whom == 0u);
    BOOST_TEST(told(a.on_squeeze(at(1s))) == "close 0");
    BOOST_TEST(closed_for(a.todo(), reason::room));
    BOOST_TEST_CONTEXT("the rich one cannot take it back")
    {
        BOOST_TEST(told(a.on_demand(at(1s))) == "wait 0");
        BOOST_TEST(told(a.todo()) == "");
    }
    BOOST_TEST(told(b.on_granted(at(1s))) == "dial 0");
}

BOOST_AUTO_TEST_CASE(an_origin_whose_connections_are_never_idle_does_not_starve_the_others)
{
    // FAULTS 72
    origin_share share(2);
    pool_plan a({}, &share);
    pool_plan b({}, &share);
    for (std::uint32_t c = 0; c < 2; ++c) {
        (void)a.on_demand(at(0s));
        (void)a.on_dialled(c, at(0s));
    }
    (void)a.on_demand(at(0s));
    (void)b.on_demand(at(0s));
    BOOST_TEST(told(a.on_squeeze(at(1s))) == "");
    BOOST_TEST(a.retired() == 1u);
    BOOST_TEST(told(a.on_released(0, at(2s), true)) == "close 0");
    BOOST_TEST(told(b.on_granted(at(2s))) == "dial 0");
    BOOST_TEST_CONTEXT("one grant, one connection")
    {
        (void)b.on_demand(at(2s));
        BOOST_TEST(told(b.todo()) == "");
        BOOST_TEST(told(a.on_released(1, at(3s), true)) == "hand 1>0");
    }
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_not_kept_while_another_origin_waits_for_room)
{
    // FAULTS 72
    origin_share share(1);
    pool_plan a({}, &share);
    pool_plan b({}, &share);
    (void)a.on_demand(at(0s));
    (void)a.on_dialled(0, at(0s));
    (void)b.on_demand(at(0s));
    BOOST_TEST(told(a.on_released(0, at(1s), true)) == "close 0");
    BOOST_TEST_CONTEXT("who does not wait any more does not queue")
    {
        b.on_gave_up(0);
        BOOST_TEST(!share.contended());
        BOOST_TEST(told(a.on_demand(at(2s))) == "wait 0");
        BOOST_TEST(told(a.todo()) == "dial 0");
    }
}

BOOST_AUTO_TEST_SUITE_END()
