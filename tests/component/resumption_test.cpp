// SPDX-License-Identifier: BSL-1.0
#include "component/sandboxed.hpp"

using namespace jeton;
using namespace jeton::testing;

BOOST_FIXTURE_TEST_SUITE(component_resumption, sandboxed)

BOOST_AUTO_TEST_CASE(every_connection_but_the_first_resumes_a_session)
{
    // M6
    auto o = options();
    o.http.requests_per_connection = 1;
    use("alluvial", std::move(o));
    for (int i = 0; i != 5; ++i)
        BOOST_TEST(get("/eth/v0/status").has_value());
    auto const made = happened->all<happenings::connected>();
    BOOST_REQUIRE(made.size() >= 5U);
    BOOST_TEST(!made.front().resumed);
    for (std::size_t i = 2; i < made.size(); ++i)
        BOOST_TEST(made[i].resumed, "connection " << i);
}

BOOST_AUTO_TEST_CASE(what_one_client_was_offered_another_does_not_know)
{
    // M6
    auto o = options();
    o.http.requests_per_connection = 1;
    use("alluvial", o);
    BOOST_TEST(get("/eth/v0/status").has_value());
    run(api->shut_down());
    auto const before = happened->all<happenings::connected>().size();
    use("alluvial", std::move(o));
    BOOST_TEST(get("/eth/v0/status").has_value());
    auto const made = happened->all<happenings::connected>();
    BOOST_REQUIRE(made.size() > before);
    BOOST_TEST(!made[before].resumed);
}

BOOST_AUTO_TEST_SUITE_END()
