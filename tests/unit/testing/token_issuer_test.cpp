// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/token_issuer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

using verdict = token_issuer::verdict;

struct fixture {
    token_issuer issuer{"https://issuer.example/", secret("a key of its own"), 800};
    moment now{.boot = time_point(1h), .wall = wall_time(1700000000s)};

    token_issuer::grant issue(duration lifetime = 1h, bool refreshable = false)
    {
        return issuer.issue({"me", "https://api.example", "read"}, lifetime, refreshable, now);
    }
    void pass(duration d)
    {
        now.boot += d;
        now.wall += d;
    }
    verdict check(std::string_view token) const { return issuer.check(token, now); }
};

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(jeton::testing::token_issuer::verdict)

BOOST_FIXTURE_TEST_SUITE(testing_token_issuer, fixture)

BOOST_AUTO_TEST_CASE(a_token_is_valid_until_the_instant_it_expires)
{
    auto const g = issue(10s);
    BOOST_TEST(g.expires_in.count() == 10);
    BOOST_TEST(check(g.access) == verdict::valid);
    pass(10s - 1ns);
    BOOST_TEST(check(g.access) == verdict::valid);
    pass(1ns);
    BOOST_TEST(check(g.access) == verdict::expired);
}

BOOST_AUTO_TEST_CASE(a_token_that_was_not_issued_is_unknown)
{
    auto g = issue();
    g.access.back() = g.access.back() == 'A' ? 'B' : 'A';
    BOOST_TEST(check(g.access) == verdict::unknown);
    BOOST_TEST(check("") == verdict::unknown);
}

BOOST_AUTO_TEST_CASE(a_token_has_the_form_and_the_size_of_a_jwt)
{
    auto const token = issue().access;
    BOOST_TEST(token.size() >= 800U);
    BOOST_TEST(token.size() <= 804U);
    BOOST_TEST(token.starts_with("eyJ"));
    BOOST_TEST(std::count(token.begin(), token.end(), '.') == 2);
    BOOST_TEST(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
               == token.npos);
}

BOOST_AUTO_TEST_CASE(no_two_tokens_are_the_same)
{
    BOOST_TEST(issue().access != issue().access);
    BOOST_TEST(issuer.issued() == 2U);
}

BOOST_AUTO_TEST_CASE(a_refresh_token_works_once)
{
    auto const first = issue(1h, true);
    auto const second = issuer.refresh(first.refresh, 2h, now);
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->expires_in.count() == 7200);
    BOOST_TEST(second->what_for.scope == "read");
    BOOST_TEST(second->refresh != first.refresh);
    BOOST_TEST(check(first.access) == verdict::valid);
    BOOST_TEST(check(second->access) == verdict::valid);
    BOOST_TEST(!issuer.refresh(first.refresh, 1h, now));
    BOOST_TEST(issuer.refresh(second->refresh, 1h, now).has_value());
}

BOOST_AUTO_TEST_CASE(without_being_asked_for_there_is_no_refresh_token)
{
    BOOST_TEST(issue().refresh.empty());
    BOOST_TEST(!issuer.refresh("", 1h, now));
}

BOOST_AUTO_TEST_CASE(revoking_one_token_leaves_the_others)
{
    auto const a = issue(), b = issue(1h, true);
    BOOST_TEST(issuer.revoke(a.access));
    BOOST_TEST(!issuer.revoke("never seen"));
    BOOST_TEST(check(a.access) == verdict::revoked);
    BOOST_TEST(check(b.access) == verdict::valid);
    BOOST_TEST(issuer.revoke(b.refresh));
    BOOST_TEST(!issuer.refresh(b.refresh, 1h, now));
}

BOOST_AUTO_TEST_CASE(revoking_all_takes_refresh_tokens_along)
{
    auto const a = issue(1h, true);
    issuer.revoke_all();
    BOOST_TEST(check(a.access) == verdict::revoked);
    BOOST_TEST(!issuer.refresh(a.refresh, 1h, now));
    BOOST_TEST(check(issue().access) == verdict::valid);
}

BOOST_AUTO_TEST_CASE(a_long_run_does_not_keep_what_has_expired)
{
    auto const early = issue(1s).access;
    auto const lasting = issue(24h).access;
    pass(2s);
    for (int i = 0; i != 1100; ++i)
        issue(1s);
    pass(2s);
    issue();
    BOOST_TEST(check(early) == verdict::unknown);
    BOOST_TEST(check(lasting) == verdict::valid);
}

BOOST_AUTO_TEST_SUITE_END()
