// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/origin_share.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using jeton::http::origin_share;

namespace {

std::string told(origin_share::step s)
{
    switch (s.what) {
    case origin_share::step::kind::nothing: return "";
    case origin_share::step::kind::grant: return "grant " + std::to_string(s.whom);
    case origin_share::step::kind::squeeze: return "squeeze " + std::to_string(s.whom);
    }
    return "?";
}

// So many connections taken, and so many origins in the queue.
origin_share with(std::size_t limit, std::size_t taken, std::size_t queueing)
{
    origin_share share(limit);
    for (std::size_t i = 0; i < taken; ++i)
        BOOST_REQUIRE(share.take(false));
    for (std::size_t i = 0; i < queueing; ++i)
        BOOST_REQUIRE(share.queue_up() == i + 1);
    return share;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_origin_share)

BOOST_AUTO_TEST_CASE(while_there_is_room_everybody_takes_it)
{
    origin_share share(2);
    BOOST_TEST(share.take(false));
    BOOST_TEST(share.take(false));
    BOOST_TEST(!share.take(false));
    BOOST_TEST(!share.take(true));
    share.put_back();
    BOOST_TEST(share.take(false));
}

BOOST_AUTO_TEST_CASE(room_that_appears_is_for_those_who_queue)
{
    // FAULTS 72
    auto share = with(1, 1, 1);
    BOOST_TEST(share.contended());
    share.put_back();
    BOOST_TEST(share.unsettled());
    BOOST_TEST(!share.take(false));
    BOOST_TEST(share.take(true));
    share.leave_queue();
    BOOST_TEST(share.next({}).whom == 0u);
    BOOST_TEST(!share.unsettled());
    BOOST_TEST(!share.contended());
}

BOOST_AUTO_TEST_CASE(who_has_least_comes_first_and_then_who_has_waited_longest)
{
    // FAULTS 72
    struct {
        std::vector<origin_share::standing> origins;
        std::string step;
    } const cases[] = {
        {{{.connections = 2, .open = 2, .queued = 1}, {.connections = 1, .open = 1, .queued = 2}}, "grant 1"},
        {{{.connections = 1, .open = 1, .queued = 2}, {.connections = 1, .open = 1, .queued = 1}}, "grant 1"},
        {{{.connections = 0}, {.connections = 3, .open = 3, .queued = 1}}, "grant 1"},
        {{{.connections = 3, .open = 3}}, ""},
    };
    for (auto const& c : cases) {
        auto share = with(4, 3, 2);
        BOOST_TEST(told(share.next(c.origins)) == c.step);
    }
}

BOOST_AUTO_TEST_CASE(without_room_an_idle_connection_goes_first_and_then_one_of_the_rich)
{
    // FAULTS 72
    using all = std::vector<origin_share::standing>;
    struct {
        char const* what;
        all origins;
        std::string step;
    } const cases[] = {
        {"an idle one, whoever has it",
         {{.queued = 1}, {.connections = 8, .open = 8}, {.connections = 1, .idle = 1, .open = 1}},
         "squeeze 2"},
        {"of several with idle ones, the richest",
         {{.queued = 1}, {.connections = 2, .idle = 2, .open = 2}, {.connections = 7, .idle = 1, .open = 7}},
         "squeeze 2"},
        {"not its own idle one",
         {{.connections = 1, .idle = 1, .open = 1, .queued = 1}, {.connections = 7, .open = 7}},
         "squeeze 1"},
        {"who has none at all gets one of the richest",
         {{.queued = 1}, {.connections = 3, .open = 3}, {.connections = 5, .open = 5}},
         "squeeze 2"},
        {"even the only one", {{.queued = 1}, {.connections = 1, .open = 1}}, "squeeze 1"},
        {"nobody takes from one who has hardly more",
         {{.connections = 4, .open = 4, .queued = 1}, {.connections = 5, .open = 5}},
         ""},
        {"but from one who has two more",
         {{.connections = 3, .open = 3, .queued = 1}, {.connections = 5, .open = 5}},
         "squeeze 1"},
        {"one that is about to go will do", {{.queued = 1}, {.connections = 8, .open = 7, .leaving = 1}}, ""},
        {"dials in progress cannot be taken", {{.queued = 1}, {.connections = 8}}, ""},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(c.what)
        {
            auto share = with(8, 8, 0);
            (void)share.queue_up();
            BOOST_TEST(told(share.next(c.origins)) == c.step);
            BOOST_TEST(share.unsettled() == !c.step.empty());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
