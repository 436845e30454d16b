// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/retry_after.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace jeton;
using namespace jeton::http;
using namespace std::chrono_literals;
using namespace std::chrono;

namespace {

// Sun, 06 Nov 1994 08:49:37 GMT
constexpr sys_seconds then = sys_days(1994y / November / 6) + 8h + 49min + 37s;

}  // namespace

BOOST_AUTO_TEST_SUITE(http_retry_after)

BOOST_AUTO_TEST_CASE(seconds_are_taken_as_they_are)
{
    // A15
    BOOST_TEST((parse_retry_after("0", then) == 0s));
    BOOST_TEST((parse_retry_after("120", then) == 120s));
    BOOST_TEST((parse_retry_after(" 7\t", then) == 7s));
    BOOST_TEST((parse_retry_after("007", then) == 7s));
    BOOST_TEST((parse_retry_after("9223372036", then) == 9223372036s));
}

BOOST_AUTO_TEST_CASE(a_date_counts_from_now)
{
    // A15
    for (auto const* date :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
        BOOST_TEST((parse_retry_after(date, then - 90s) == 90s));
        BOOST_TEST((parse_retry_after(date, then) == 0s));
        // Not one moment too early.
        BOOST_TEST((parse_retry_after(date, then - 90s + 1ns) == 90s));
    }
    BOOST_TEST((parse_http_date("Wed Nov 16 08:49:37 1994", then) == then + 240h));
    BOOST_TEST((parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", then) == sys_days(2017y / January / 1)));
    BOOST_TEST((parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT", then) == sys_days(2024y / February / 29)));
}

BOOST_AUTO_TEST_CASE(a_date_that_has_passed_is_now)
{
    // A15
    BOOST_TEST((parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then + 1s) == 0s));
    BOOST_TEST((parse_retry_after("Mon, 01 Jan 0001 00:00:00 GMT", then) == 0s));
}

BOOST_AUTO_TEST_CASE(two_digits_of_a_year_mean_the_nearest_one)
{
    wall_time const now = sys_days(2026y / June / 1);
    BOOST_TEST((parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now) == then));
    BOOST_TEST((parse_http_date("Monday, 01-Jan-76 00:00:00 GMT", now) == sys_days(2076y / January / 1)));
    BOOST_TEST((parse_http_date("Monday, 01-Jan-77 00:00:00 GMT", now) == sys_days(1977y / January / 1)));
}

BOOST_AUTO_TEST_CASE(anything_else_is_nothing)
{
    // A15
    for (auto const* value : {"",
                              " ",
                              "-1",
                              "+1",
                              "1.5",
                              "1e3",
                              "0x10",
                              "12 s",
                              "soon",
                              "1, 2",
                              "9223372037",
                              "9223372036854775808",
                              "1000000000000000000000000000000",
                              "Sun, 06 Nov 1994 08:49:37",
                              "Sun, 06 Nov 1994 08:49:37 UTC",
                              "Sun, 6 Nov 1994 08:49:37 GMT",
                              "Sun, 06 nov 1994 08:49:37 GMT",
                              "Sun, 31 Feb 1994 08:49:37 GMT",
                              "Sun, 00 Nov 1994 08:49:37 GMT",
                              "Sun, 06 Nov 1994 24:49:37 GMT",
                              "Sun, 06 Nov 1994 08:60:37 GMT",
                              "Sun, 06 Nov 1994 08:49:61 GMT",
                              "Sun, 06 Nov 1994 08:49:37 GMT x",
                              "Sunday, 06 Nov 1994 08:49:37 GMT",
                              "Sun, 06-Nov-94 08:49:37 GMT",
                              "Sun Nov 6 08:49:37 1994",
                              "Sun Nov  6 08:49:37 94",
                              "Foo, 06 Nov 1994 08:49:37 GMT",
                              "1994-11-06T08:49:37Z",
                              "Fri, 31 Dec 9999 23:59:59 GMT x",
                              "Sun, 06 Nov 1994 8:49:37 GMT",
                              "Sun, 06 Nov -994 08:49:37 GMT"})
        BOOST_TEST(!parse_retry_after(value, then).has_value(), value);
    BOOST_TEST(!parse_retry_after(std::string("12\0", 3), then).has_value());
    // Farther away than a duration can tell.
    BOOST_TEST(!parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", then).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
