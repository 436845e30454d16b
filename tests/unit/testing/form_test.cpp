// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/form.hpp"

#include "testing/sansio/http_date.hpp"
#include "testing/sansio/request_log.hpp"

#include <boost/test/unit_test.hpp>

using namespace jeton::testing;

BOOST_AUTO_TEST_SUITE(testing_form)

BOOST_AUTO_TEST_CASE(a_form_is_taken_apart_and_decoded)
{
    auto const form = parse_form("a=1+2&b=%41%2b&empty=&bare");
    BOOST_REQUIRE(form.has_value());
    BOOST_TEST(*find_field(*form, "a") == "1 2");
    BOOST_TEST(*find_field(*form, "b") == "A+");
    BOOST_TEST(*find_field(*form, "empty") == "");
    BOOST_TEST(*find_field(*form, "bare") == "");
    BOOST_TEST(find_field(*form, "none") == nullptr);
    BOOST_TEST(parse_form("")->empty());
}

BOOST_AUTO_TEST_CASE(broken_encodings_and_doubled_names_are_refused)
{
    for (auto const* text : {"a=%", "a=%4", "a=%4g", "a=%-1", "a=1&a=1", "a&a"})
        BOOST_TEST(!parse_form(text), text);
}

BOOST_AUTO_TEST_CASE(a_date_is_written_as_rfc_9110_wants_it)
{
    using namespace std::chrono;
    BOOST_TEST(http_date(sys_days(1994y / November / 6) + 8h + 49min + 37s) == "Sun, 06 Nov 1994 08:49:37 GMT");
}

BOOST_AUTO_TEST_CASE(a_ring_keeps_the_latest)
{
    ring<int> r(3);
    for (int i = 1; i <= 5; ++i)
        *r.next() = i;
    BOOST_TEST((r.oldest_first() == std::vector{3, 4, 5}));
    BOOST_TEST(ring<int>(0).next() == nullptr);
}

BOOST_AUTO_TEST_CASE(the_same_request_twice_is_noticed)
{
    request_tally t;
    t.count("POST", "/orders", 1, true);
    t.count("POST", "/orders", 2, true);
    t.count("POST", "/token", 0, false);
    t.count("POST", "/token", 0, false);
    BOOST_TEST(t.seen("POST", "/orders") == 2U);
    BOOST_TEST(t.most_repeated("POST") == 1U);
    t.count("POST", "/orders", 2, true);
    BOOST_TEST(t.most_repeated("POST") == 2U);
    BOOST_TEST(t.most_repeated("GET") == 0U);
    BOOST_TEST(t.seen("GET", "/orders") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
