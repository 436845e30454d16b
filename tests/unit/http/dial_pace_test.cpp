// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/dial_pace.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using jeton::time_point;
using jeton::http::dial_pace;

namespace {

time_point at(jeton::duration t) { return time_point(24h) + t; }

constexpr dial_pace::limits four_at_once{.at_once = 4, .first_pause = 100ms, .longest_pause = 1s};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_dial_pace)

BOOST_AUTO_TEST_CASE(so_many_dials_may_be_in_progress_and_no_more)
{
    // FAULTS 70
    dial_pace const pace(four_at_once);
    BOOST_TEST(pace.allows(at(0s), 0));
    BOOST_TEST(pace.allows(at(0s), 3));
    BOOST_TEST(!pace.allows(at(0s), 4));
    BOOST_TEST(pace.failures() == 0u);
}

BOOST_AUTO_TEST_CASE(pauses_double_up_to_the_longest_half_of_each_left_to_chance)
{
    struct {
        double chance;
        jeton::duration pauses[6];
    } const cases[] = {
        {0.0, {50ms, 100ms, 200ms, 400ms, 500ms, 500ms}},
        {0.5, {75ms, 150ms, 300ms, 600ms, 750ms, 750ms}},
        {1.0, {100ms, 200ms, 400ms, 800ms, 1s, 1s}},
    };
    for (auto const& c : cases) {
        dial_pace pace(four_at_once);
        auto now = at(0s);
        std::uint32_t failures = 0;
        for (auto const pause : c.pauses) {
            pace.on_failed(now, now, c.chance);
            BOOST_TEST(pace.failures() == ++failures);
            BOOST_TEST((pace.not_before() == now + pause));
            BOOST_TEST(!pace.allows(now + pause - 1ns, 0));
            BOOST_TEST(pace.allows(now + pause, 0));
            now += pause;
        }
    }
}

BOOST_AUTO_TEST_CASE(dials_that_were_in_progress_together_fail_as_one)
{
    dial_pace pace(four_at_once);
    pace.on_failed(at(0s), at(1s), 1.0);
    pace.on_failed(at(0s), at(1s), 1.0);
    pace.on_failed(at(1s), at(1s), 1.0);
    BOOST_TEST(pace.failures() == 1u);
    BOOST_TEST((pace.not_before() == at(1100ms)));
    pace.on_failed(at(1100ms), at(1200ms), 1.0);
    BOOST_TEST(pace.failures() == 2u);
}

BOOST_AUTO_TEST_CASE(after_a_failure_dials_start_slowly)
{
    // FAULTS 70
    dial_pace pace(four_at_once);
    pace.on_failed(at(0s), at(0s), 1.0);
    BOOST_TEST(pace.allows(at(1s), 0));
    BOOST_TEST(!pace.allows(at(1s), 1));
    pace.on_made();
    BOOST_TEST(pace.allows(at(1s), 1));
    BOOST_TEST(!pace.allows(at(1s), 2));
    pace.on_made();
    BOOST_TEST(pace.allows(at(1s), 3));
    pace.on_made();
    BOOST_TEST(!pace.allows(at(1s), 4));
}

BOOST_AUTO_TEST_CASE(a_dial_that_succeeds_ends_the_pause_but_only_service_ends_the_series)
{
    dial_pace pace(four_at_once);
    pace.on_failed(at(0s), at(0s), 1.0);
    pace.on_made();
    BOOST_TEST(pace.allows(at(0s), 0));
    pace.on_failed(at(1ms), at(1ms), 1.0);
    BOOST_TEST((pace.not_before() == at(201ms)));
    pace.on_made();
    pace.on_proved();
    BOOST_TEST(pace.failures() == 0u);
    pace.on_failed(at(2ms), at(2ms), 1.0);
    BOOST_TEST((pace.not_before() == at(102ms)));
}

BOOST_AUTO_TEST_SUITE_END()
