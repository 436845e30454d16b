// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/idle_lesson.hpp"
#include "http/sansio/keep_alive_hint.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using jeton::duration;
using jeton::time_point;
using jeton::http::idle_lesson;
using jeton::http::keep_alive_hint;
using jeton::http::parse_keep_alive;

namespace {

time_point at(duration t) { return time_point(24h) + t; }

}  // namespace

BOOST_AUTO_TEST_SUITE(http_idle_lesson)

BOOST_AUTO_TEST_CASE(what_a_server_says_counts_less_a_margin)
{
    // J14
    struct {
        duration said, kept;
    } const cases[] = {
        {5s, 4s}, {75s, 67500ms}, {2s, 1s}, {1s, 500ms}, {0s, 0s}, {-1s, 0s},
    };
    for (auto const& c : cases) {
        idle_lesson lesson;
        BOOST_TEST(!lesson.limit());
        lesson.on_hint(c.said);
        BOOST_TEST((lesson.limit() == c.kept));
    }
}

BOOST_AUTO_TEST_CASE(two_closings_after_about_the_same_time_teach_and_one_does_not)
{
    // J14
    struct {
        duration first, second, second_at;
        std::optional<duration> learned;
    } const cases[] = {
        {5s, 5s, 60s, 4s},       {5s, 5900ms, 60s, 4s},  // within a second
        {5s, 6100ms, 60s, {}},                           // too different
        {60s, 66s, 600s, 54s},                           // within a tenth
        {60s, 67s, 600s, {}},                            // too different
        {5s, 5s, 900ms, {}},                             // closed at the same moment: a restart
        {900ms, 900ms, 60s, {}},                         // hardly idle at all
        {300s, 5s, 600s, {}},
    };
    for (auto const& c : cases) {
        idle_lesson lesson;
        lesson.on_closed(c.first, at(0s));
        BOOST_TEST(!lesson.limit());
        lesson.on_closed(c.second, at(c.second_at));
        BOOST_TEST((lesson.limit() == c.learned));
    }
}

BOOST_AUTO_TEST_CASE(connections_that_a_restart_closes_teach_nothing)
{
    idle_lesson lesson;
    for (int i = 0; i < 64; ++i)
        lesson.on_closed(10s, at(std::chrono::milliseconds(i)));
    BOOST_TEST(!lesson.limit());
}

BOOST_AUTO_TEST_CASE(the_shorter_of_what_was_said_and_what_was_seen_counts_and_what_was_seen_is_forgotten)
{
    idle_lesson lesson;
    lesson.on_hint(60s);
    lesson.on_closed(10s, at(0s));
    lesson.on_closed(10s, at(20s));
    BOOST_TEST((lesson.limit() == 9s));
    lesson.on_time(at(20s) + 10min - 1ns);
    BOOST_TEST((lesson.limit() == 9s));
    lesson.on_time(at(20s) + 10min);
    BOOST_TEST((lesson.limit() == 54s));
}

BOOST_AUTO_TEST_CASE(keep_alive_fields_are_read_as_far_as_they_make_sense)
{
    // J14
    struct {
        std::string_view value;
        keep_alive_hint hint;
    } const cases[] = {
        {"timeout=5, max=100", {5, 100}},
        {"timeout=5", {5, {}}},
        {"max=0", {{}, 0}},
        {"  Timeout = 15 ,\tMAX=\"7\"  ", {15, 7}},
        {"", {}},
        {"timeout", {}},
        {"timeout=", {}},
        {"timeout=-5", {}},
        {"timeout=5s, max=1.5", {}},
        {"timeouts=5", {}},
        {"timeout=99999999999999999999", {UINT32_MAX, {}}},
        {",,=,timeout=3,,", {3, {}}},
        {"\"", {}},
        {"max=\"", {}},
    };
    for (auto const& c : cases)
        BOOST_TEST((parse_keep_alive(c.value) == c.hint), c.value);
}

BOOST_AUTO_TEST_SUITE_END()
