// SPDX-License-Identifier: BSL-1.0
#include "pool_plan_words.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using jeton::http::pool_plan;
using namespace jeton::http::words;

namespace {

constexpr pool_plan::limits may_be_h2{.multiplexing = true};

// Connection 0 with so many slots, `used` of them in use.
pool_plan with_slots(std::uint32_t slots, std::uint32_t used, pool_plan::limits limits = may_be_h2)
{
    pool_plan plan(limits);
    (void)plan.on_demand(at(0s));
    (void)plan.on_dialled(0, at(0s), slots);
    for (std::uint32_t i = 1; i < used; ++i)
        BOOST_REQUIRE(told(plan.on_demand(at(0s))) == "use 0");
    if (used == 0)
        (void)plan.on_released(0, at(0s), true);
    return plan;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_pool_plan_slots)

BOOST_AUTO_TEST_CASE(where_http2_is_possible_one_dial_tells_what_the_origin_speaks)
{
    pool_plan plan(may_be_h2);
    for (int i = 0; i < 5; ++i) {
        (void)plan.on_demand(at(0s));
        BOOST_TEST(told(plan.todo()) == (i == 0 ? "dial 0" : ""));
    }
    BOOST_TEST(plan.all_covered());
    BOOST_TEST_CONTEXT("with HTTP/2, one does for all")
    {
        auto h2 = plan;
        BOOST_TEST(told(h2.on_dialled(0, at(1s), 100)) == "hand 0>0, hand 0>1, hand 0>2, hand 0>3, hand 0>4");
    }
    BOOST_TEST_CONTEXT("with HTTP/1.1, the others get theirs")
    BOOST_TEST(told(plan.on_dialled(0, at(1s), 1)) == "hand 0>0, dial 1, dial 2, dial 3, dial 4");
}

BOOST_AUTO_TEST_CASE(until_the_first_server_has_said_how_many_it_takes_it_gets_one_and_nobody_dials_another)
{
    // K3
    auto const waiting = [](int number) {
        pool_plan plan(may_be_h2);
        for (int i = 0; i < number; ++i) {
            (void)plan.on_demand(at(0s));
            (void)plan.todo();
        }
        BOOST_TEST(plan.slots_at_first() == 1U);
        BOOST_TEST(told(plan.on_dialled(0, at(1s), 1, false)) == "hand 0>0");
        BOOST_TEST(plan.all_covered());
        BOOST_TEST(told(plan.on_demand(at(1s))) == "wait 0");
        BOOST_TEST(told(plan.todo()) == "");
        return plan;
    };
    BOOST_TEST_CONTEXT("many: one does for all")
    {
        auto plan = waiting(3);
        BOOST_TEST(told(plan.on_slots(0, 100, at(2s))) == "hand 0>1, hand 0>2, hand 0>0");
        BOOST_TEST(plan.slots_at_first() == 100U);
    }
    BOOST_TEST_CONTEXT("few: the others get connections of their own, which are known by then")
    {
        auto plan = waiting(4);
        BOOST_TEST(told(plan.on_slots(0, 2, at(2s))) == "hand 0>1, dial 1, dial 2");
        BOOST_TEST(plan.slots_at_first() == 2U);
        BOOST_TEST(told(plan.on_dialled(1, at(3s), 2, false)) == "hand 1>2, hand 1>3");
    }
    BOOST_TEST_CONTEXT("one, as was assumed")
    {
        auto plan = waiting(2);
        BOOST_TEST(told(plan.on_slots(0, 1, at(2s))) == "dial 1, dial 2");
    }
    BOOST_TEST_CONTEXT("none: it dies first, and the next dial is alone again")
    {
        auto plan = waiting(3);
        (void)plan.on_died(0, at(2s));
        (void)plan.on_released(0, at(2s), false);
        BOOST_TEST(plan.dialling() <= 1U);
        BOOST_TEST(plan.slots_at_first() == 1U);
    }
    BOOST_TEST_CONTEXT("it goes away")
    {
        auto plan = waiting(3);
        BOOST_TEST(told(plan.on_draining(0, at(2s))) == "dial 1");
    }
}

BOOST_AUTO_TEST_CASE(where_only_http1_is_spoken_there_is_a_dial_for_each)
{
    pool_plan plan({});
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 0");
    BOOST_TEST(told(plan.todo()) == "dial 0");
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 1");
    BOOST_TEST(told(plan.todo()) == "dial 1");
}

BOOST_AUTO_TEST_CASE(a_first_dial_that_fails_has_one_successor)
{
    pool_plan plan(may_be_h2);
    for (int i = 0; i < 3; ++i)
        (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_dial_failed(0, at(0s))) == "refuse 0");
    BOOST_TEST(told(plan.on_time(at(1s))) == "dial 0");
    BOOST_TEST(told(plan.on_dialled(0, at(1s), 100)) == "hand 0>1, hand 0>2");
}

BOOST_AUTO_TEST_CASE(the_servers_limit_of_streams_is_kept_and_more_connections_are_made_when_they_run_out)
{
    // K3
    auto plan = with_slots(2, 2);
    BOOST_TEST(told(plan.on_demand(at(1s))) == "wait 0");
    BOOST_TEST(told(plan.todo()) == "dial 1");
    BOOST_TEST(told(plan.on_demand(at(1s))) == "wait 1");
    BOOST_TEST(told(plan.todo()) == "");
    BOOST_TEST(told(plan.on_demand(at(1s))) == "wait 2");
    BOOST_TEST(told(plan.todo()) == "dial 2");
    BOOST_TEST(told(plan.on_dialled(1, at(2s), 2)) == "hand 1>0, hand 1>1");
    BOOST_TEST(told(plan.on_released(0, at(2s), true)) == "hand 0>2");
}

BOOST_AUTO_TEST_CASE(one_connection_is_filled_before_the_next_is_begun)
{
    auto plan = with_slots(3, 3);
    (void)plan.on_demand(at(0s));
    (void)plan.on_dialled(1, at(0s), 3);
    (void)plan.on_released(0, at(1s), true);
    (void)plan.on_released(0, at(1s), true);
    (void)plan.on_released(1, at(1s), true);
    BOOST_TEST(plan.idle() == 1u);
    BOOST_TEST(told(plan.on_demand(at(2s))) == "use 0");
    BOOST_TEST(told(plan.on_demand(at(2s))) == "use 0");
    BOOST_TEST(told(plan.on_demand(at(2s))) == "use 1");
}

BOOST_AUTO_TEST_CASE(a_limit_that_the_server_lowers_holds_at_once_and_one_it_raises_serves_who_waits)
{
    // K3, FAULTS 32: 100 -> 1 -> 0 -> 100
    auto plan = with_slots(100, 2, {.connections = 1, .multiplexing = true});
    BOOST_TEST(told(plan.on_slots(0, 1, at(1s))) == "");
    BOOST_TEST(told(plan.on_demand(at(1s))) == "wait 0");
    BOOST_TEST(told(plan.on_released(0, at(2s), true)) == "");
    BOOST_TEST(told(plan.on_slots(0, 0, at(2s))) == "");
    BOOST_TEST(told(plan.on_released(0, at(3s), true)) == "");
    BOOST_TEST(told(plan.on_demand(at(3s))) == "wait 1");
    BOOST_TEST(told(plan.on_slots(0, 100, at(4s))) == "hand 0>0, hand 0>1");
}

BOOST_AUTO_TEST_CASE(a_server_that_lets_nothing_through_is_not_dialled_again_for_that)
{
    // K3
    auto plan = with_slots(100, 0);
    BOOST_TEST(told(plan.on_slots(0, 0, at(1s))) == "");
    BOOST_TEST(told(plan.on_demand(at(1s))) == "wait 0");
    BOOST_TEST(told(plan.todo()) == "");
    BOOST_TEST_CONTEXT("unless nothing is left, and then once")
    {
        (void)plan.on_demand(at(1s));
        BOOST_TEST(told(plan.on_died(0, at(9s))) == "close 0, dial 0");
    }
}

BOOST_AUTO_TEST_CASE(after_goaway_nobody_new_gets_it_and_a_successor_is_dialled_first)
{
    // K1, FAULTS 30
    auto plan = with_slots(100, 2);
    BOOST_TEST(told(plan.on_draining(0, at(1s))) == "dial 1");
    BOOST_TEST(plan.retired() == 1u);
    BOOST_TEST(told(plan.on_demand(at(1s))) == "wait 0");
    BOOST_TEST(told(plan.todo()) == "");
    BOOST_TEST(told(plan.on_dialled(1, at(2s), 100)) == "hand 1>0");
    BOOST_TEST(told(plan.on_released(0, at(3s), true)) == "");
    BOOST_TEST(told(plan.on_released(0, at(3s), true)) == "close 0");
    BOOST_TEST(plan.retired() == 0u);
}

BOOST_AUTO_TEST_CASE(at_the_limit_there_is_one_more_while_one_is_replaced)
{
    // K1
    auto plan = with_slots(100, 2, {.connections = 1, .multiplexing = true});
    BOOST_TEST(told(plan.on_draining(0, at(1s))) == "dial 1");
    (void)plan.on_dialled(1, at(2s), 100);
    BOOST_TEST(told(plan.on_demand(at(2s))) == "use 1");
    BOOST_TEST_CONTEXT("and not two more")
    {
        BOOST_TEST(told(plan.on_draining(1, at(2s))) == "");
        BOOST_TEST(told(plan.on_demand(at(2s))) == "wait 0");
        (void)plan.on_released(0, at(3s), true);
        BOOST_TEST(told(plan.on_released(0, at(3s), true)) == "close 0, dial 0");
    }
}

BOOST_AUTO_TEST_CASE(an_idle_connection_that_the_server_ends_has_no_successor)
{
    // K1: nginx says GOAWAY when its keep-alive time is over.
    auto plan = with_slots(100, 0);
    BOOST_TEST(told(plan.on_draining(0, at(75s))) == "close 0");
    BOOST_TEST((plan.todo().front().why == pool_plan::reason::going_away));
}

BOOST_AUTO_TEST_CASE(a_connection_that_goes_away_while_it_is_being_shut_down_has_no_successor)
{
    auto plan = with_slots(100, 1);
    BOOST_TEST(told(plan.on_shut_down(at(1s))) == "");
    BOOST_TEST(told(plan.on_draining(0, at(1s))) == "");
    BOOST_TEST(told(plan.on_released(0, at(1s), true)) == "close 0");
    BOOST_TEST(plan.done());
}

BOOST_AUTO_TEST_SUITE_END()
