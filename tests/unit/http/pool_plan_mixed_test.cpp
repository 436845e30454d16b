// SPDX-License-Identifier: BSL-1.0
#include "pool_plan_words.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <vector>

using namespace std::chrono_literals;
using jeton::http::pool_plan;
using namespace jeton::http::words;

namespace {

// From the fourth request on, connections with many slots are welcome.
constexpr pool_plan::limits from_four{.many_from = 4, .multiplexing = true};
constexpr std::uint32_t streams = 100;

// Does what the plan says, at once: dials that may bring many slots bring `streams`, others one.
class origin {
public:
    explicit origin(pool_plan::limits limits = from_four) : plan(limits) {}

    void demand()
    {
        auto const p = plan.on_demand(now);
        if (p.what == placing::use)
            note(p.id);
        obey(plan.todo());
    }

    void finish()
    {
        BOOST_REQUIRE(!carrying.empty());
        auto const c = carrying.front();
        carrying.pop_front();
        obey(plan.on_released(c, now, true));
    }

    void obey(pool_plan::actions todo)
    {
        std::vector<pool_plan::action> const all(todo.begin(), todo.end());
        for (auto const& a : all) {
            if (a.what == doing::hand)
                note(a.connection);
            if (a.what == doing::close)
                --(many[a.connection] ? open_many : open_one);
            if (a.what == doing::dial) {
                if (many.size() <= a.connection)
                    many.resize(a.connection + 1);
                many[a.connection] = a.many;
                dials.push_back(a.connection);
            }
        }
    }

    void dialled()
    {
        for (; !dials.empty(); dials.pop_front()) {
            auto const c = dials.front();
            ++(many[c] ? open_many : open_one);
            obey(plan.on_dialled(c, now, many[c] ? streams : 1));
        }
    }

    void note(pool_plan::connection_id c)
    {
        carrying.push_back(c);
        last_was_many = many[c];
    }

    pool_plan plan;
    std::vector<bool> many{};
    std::deque<pool_plan::connection_id> dials{};
    std::deque<pool_plan::connection_id> carrying{};
    int open_one = 0;
    int open_many = 0;
    bool last_was_many = false;
    jeton::time_point now = at(0s);
};

// So many requests in progress, one after the other.
origin with_load(int requests, pool_plan::limits limits = from_four)
{
    origin o(limits);
    for (int i = 0; i < requests; ++i) {
        o.demand();
        o.dialled();
    }
    return o;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_pool_plan_mixed)

BOOST_AUTO_TEST_CASE(few_requests_are_given_connections_with_one_slot)
{
    auto o = with_load(3);
    BOOST_TEST(o.open_one == 3);
    BOOST_TEST(o.open_many == 0);
    for (int i = 0; i < 100; ++i) {
        o.finish();
        o.demand();
    }
    BOOST_TEST(o.open_one == 3);
    BOOST_TEST(o.dials.empty());
}

BOOST_AUTO_TEST_CASE(the_one_too_many_is_given_a_connection_for_many)
{
    auto o = with_load(4);
    BOOST_TEST(o.open_one == 3);
    BOOST_TEST(o.open_many == 1);
    BOOST_TEST_CONTEXT("which those that follow share, rather than to have more")
    {
        for (int i = 0; i < 50; ++i)
            o.demand();
        BOOST_TEST(o.dials.empty());
        BOOST_TEST(o.last_was_many);
    }
}

BOOST_AUTO_TEST_CASE(while_many_are_in_progress_the_connection_for_many_is_preferred)
{
    auto o = with_load(6);
    o.finish();  // the first, which had a connection of its own
    BOOST_TEST(o.plan.idle() == 1U);
    o.demand();
    BOOST_TEST(o.last_was_many);
}

BOOST_AUTO_TEST_CASE(when_the_load_is_gone_requests_go_back_and_the_connection_for_many_grows_old)
{
    auto o = with_load(6);
    while (!o.carrying.empty())
        o.finish();
    for (int i = 0; i < 70; ++i) {
        o.now += 1s;
        o.demand();
        BOOST_TEST(!o.last_was_many);
        o.finish();
        o.obey(o.plan.on_time(o.now));
    }
    BOOST_TEST(o.open_many == 0);
    BOOST_TEST(o.open_one == 1);
}

BOOST_AUTO_TEST_CASE(a_burst_on_an_origin_that_nobody_knows_dials_few_and_then_one_for_all)
{
    origin o({.dialling = {.at_once = 2}, .many_from = 4, .multiplexing = true});
    for (int i = 0; i < 40; ++i)
        o.demand();
    BOOST_TEST(o.dials.size() == 2U);
    o.dialled();
    BOOST_TEST(o.open_one == 2);
    BOOST_TEST(o.open_many == 1);
    BOOST_TEST(o.carrying.size() == 40U);
}

BOOST_AUTO_TEST_CASE(a_server_that_has_one_slot_for_many_is_given_as_many_connections_as_before)
{
    origin o;
    for (int i = 0; i < 10; ++i) {
        o.demand();
        while (!o.dials.empty()) {
            auto const c = o.dials.front();
            o.dials.pop_front();
            o.obey(o.plan.on_dialled(c, o.now, 1));
        }
    }
    BOOST_TEST(o.carrying.size() == 10U);
}

BOOST_AUTO_TEST_CASE(room_that_is_made_ahead_counts_as_requests)
{
    origin few;
    few.obey(few.plan.on_warm(3, few.now));
    few.dialled();
    BOOST_TEST(few.open_one == 3);
    BOOST_TEST(few.open_many == 0);
    origin many;
    many.obey(many.plan.on_warm(30, many.now));
    many.dialled();
    BOOST_TEST(many.open_many == 1);
    BOOST_TEST(many.open_one == 0);
}

BOOST_AUTO_TEST_CASE(a_server_that_wants_one_request_at_a_time_gets_them_like_that_for_as_long_as_it_is_remembered)
{
    // K13
    auto o = with_load(6);
    o.obey(o.plan.on_one_at_a_time(o.now, 10min));
    BOOST_TEST(o.plan.retired() == 1U);
    for (int i = 0; i < 20; ++i) {
        o.demand();
        o.dialled();
        BOOST_TEST(!o.last_was_many);
    }
    while (!o.carrying.empty())
        o.finish();
    BOOST_TEST(o.open_many == 0);
    o.now += 10min;
    o.obey(o.plan.on_time(o.now));
    for (int i = 0; i < 6; ++i) {
        o.demand();
        o.dialled();
    }
    BOOST_TEST(o.open_many == 1);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_for_many_goes_at_once_when_the_server_does_not_want_it)
{
    // K13
    auto o = with_load(6);
    while (!o.carrying.empty())
        o.finish();
    o.obey(o.plan.on_one_at_a_time(o.now, 10min));
    BOOST_TEST(o.open_many == 0);
    BOOST_TEST(o.open_one == 3);
}

BOOST_AUTO_TEST_CASE(a_dial_for_many_that_ends_after_the_server_said_so_brings_nobody_anything)
{
    // K13
    auto o = with_load(6);
    for (std::uint32_t i = 0; i != streams + 10; ++i)
        o.demand();
    BOOST_REQUIRE(o.dials.size() == 1U);
    BOOST_REQUIRE(o.many[o.dials.front()]);
    o.obey(o.plan.on_one_at_a_time(o.now, 10min));
    auto const served = o.carrying.size();
    o.dialled();
    BOOST_TEST(o.open_many == 1);  // the one that is being left, and no other
    BOOST_TEST(o.plan.retired() == 1U);
    BOOST_TEST(o.carrying.size() > served);
    BOOST_TEST(!o.last_was_many);
}

BOOST_AUTO_TEST_CASE(where_many_slots_are_all_that_is_spoken_the_server_cannot_have_it_otherwise)
{
    // K13
    auto o = with_load(6, {.multiplexing = true});
    o.obey(o.plan.on_one_at_a_time(o.now, 10min));
    BOOST_TEST(o.plan.retired() == 0U);
    o.demand();
    BOOST_TEST(o.last_was_many);
}

BOOST_AUTO_TEST_CASE(a_resend_gets_a_young_connection_whatever_its_slots)
{
    auto o = with_load(6);
    while (!o.carrying.empty())
        o.finish();
    o.now += 1s;
    BOOST_TEST(told(o.plan.on_demand(o.now, o.now - 1s)) == "wait 0");
    o.obey(o.plan.todo());
    BOOST_REQUIRE(o.dials.size() == 1U);
    BOOST_TEST(!o.many[o.dials.front()]);
}

BOOST_AUTO_TEST_SUITE_END()
