// SPDX-License-Identifier: BSL-1.0
#include "client/sansio/authorization_plan.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string_view>

using namespace jeton;
using namespace std::chrono_literals;
using action = authorization_plan::action;

namespace jeton {
std::ostream& operator<<(std::ostream& os, authorization_plan::action a)
{
    static char const* const names[] = {"deliver", "replace_token", "token_refused", "scope_lacking"};
    return os << names[static_cast<int>(a)];
}
}  // namespace jeton

namespace {

constexpr moment t0{.boot = time_point(24h), .wall = wall_time(1'000'000h)};
moment after(duration d) { return {.boot = t0.boot + d, .wall = t0.wall + d}; }

oauth2::token token_for(duration lifetime) { return {secret("access"), t0, lifetime}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(client_authorization_plan)

BOOST_AUTO_TEST_CASE(a_401_that_blames_the_token_replaces_it_whatever_the_method)
{
    // B4: at most one refresh and one replay.
    for (std::string_view const error : {"", "invalid_token", "expired_token", "token_expired"}) {
        for (bool const repeatable : {true, false}) {
            BOOST_TEST_CONTEXT("error \"" << error << "\", repeatable " << repeatable)
            {
                authorization_plan plan(repeatable, true);
                auto const t = token_for(1h);
                BOOST_TEST(plan.on_answer(401, error, t, t0) == action::replace_token);
                BOOST_TEST(plan.on_answer(401, error, t, t0) == action::token_refused);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(after_the_replacement_every_other_answer_is_delivered)
{
    // B4, B8: one replay, not two, even if that token has expired, too.
    for (int const status : {200, 204, 302, 400, 404, 429, 500}) {
        authorization_plan plan(true, true);
        auto const dead = token_for(0s);
        BOOST_TEST(plan.on_answer(401, "", dead, t0) == action::replace_token);
        BOOST_TEST(plan.on_answer(status, "", dead, t0) == action::deliver);
    }
}

BOOST_AUTO_TEST_CASE(a_lack_of_scope_costs_no_token)
{
    // B5
    struct {
        int status;
        std::string_view error;
        action expected;
    } const cases[] = {
        {403, "insufficient_scope", action::scope_lacking},
        {401, "insufficient_scope", action::scope_lacking},
        {400, "insufficient_scope", action::deliver},
        {400, "invalid_request", action::deliver},
        {401, "invalid_request", action::deliver},
        {401, "unknown_thing", action::deliver},
        {403, "", action::deliver},
        {403, "invalid_token", action::deliver},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(c.status << ' ' << c.error)
        {
            authorization_plan plan(true, true);
            BOOST_TEST(plan.on_answer(c.status, c.error, token_for(1h), t0) == c.expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_lack_of_scope_costs_no_token_even_if_the_token_has_expired)
{
    // B5
    auto const dead = token_for(0s);
    BOOST_TEST(authorization_plan(true, true).on_answer(403, "insufficient_scope", dead, t0) == action::scope_lacking);
    BOOST_TEST(authorization_plan(true, true).on_answer(400, "invalid_request", dead, t0) == action::deliver);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_gone_makes_the_401_the_answer)
{
    // B6: the original response is handed over.
    authorization_plan plan(true, false);
    BOOST_TEST(plan.on_answer(401, "invalid_token", token_for(1h), t0) == action::deliver);
    BOOST_TEST(plan.on_answer(404, "", token_for(0s), t0) == action::deliver);
    // ... and a body at hand does not.
    BOOST_TEST(authorization_plan(false, true).on_answer(401, "invalid_token", token_for(1h), t0)
               == action::replace_token);
}

BOOST_AUTO_TEST_CASE(any_other_4xx_replaces_a_token_that_has_expired_by_then)
{
    // B8
    for (int const status : {400, 402, 403, 404, 409, 410, 422, 451, 499}) {
        BOOST_TEST_CONTEXT(status)
        {
            auto const t = token_for(60s);
            BOOST_TEST(authorization_plan(true, true).on_answer(status, "", t, after(60s - 1ns)) == action::deliver);
            BOOST_TEST(authorization_plan(true, true).on_answer(status, "", t, after(60s)) == action::replace_token);
            // Not if the server may not see it twice: it may have acted.
            BOOST_TEST(authorization_plan(false, true).on_answer(status, "", t, after(60s)) == action::deliver);
        }
    }
    // An unknown complaint about an expired token is one of these.
    BOOST_TEST(authorization_plan(true, true).on_answer(401, "unknown", token_for(0s), t0) == action::replace_token);
}

BOOST_AUTO_TEST_CASE(answers_about_time_and_load_never_cost_a_token)
{
    // B8: never for 408, 425, 429; nor is a 5xx or a success about the token.
    for (int const status : {200, 201, 304, 408, 425, 429, 500, 502, 503, 511}) {
        BOOST_TEST_CONTEXT(status)
        {
            BOOST_TEST(authorization_plan(true, true).on_answer(status, "", token_for(0s), t0) == action::deliver);
            BOOST_TEST(authorization_plan(true, true).on_answer(status, "invalid_token", token_for(0s), t0)
                       == action::deliver);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_expiry_that_had_passed_when_the_token_was_granted_is_no_reason)
{
    // B8: our clock is ahead of the server's.
    auto jwt = token_for(5min);
    jwt.jwt_expiry = t0.wall - 5min;
    BOOST_TEST(authorization_plan(true, true).on_answer(404, "", jwt, after(1s)) == action::deliver);
    BOOST_TEST(authorization_plan(true, true).on_answer(404, "", jwt, after(5min)) == action::replace_token);
}

BOOST_AUTO_TEST_CASE(a_token_has_expired_when_either_clock_or_its_own_expiry_says_so)
{
    // B8: by A21, or by its own JWT `exp`.
    auto jwt = token_for(1h);
    jwt.jwt_expiry = t0.wall + 60s;
    BOOST_TEST(authorization_plan(true, true).on_answer(404, "", jwt, after(60s - 1ns)) == action::deliver);
    BOOST_TEST(authorization_plan(true, true).on_answer(404, "", jwt, after(60s)) == action::replace_token);

    auto const t = token_for(60s);
    moment const suspended{.boot = t0.boot + 61s, .wall = t0.wall + 1s};
    moment const corrected{.boot = t0.boot + 1s, .wall = t0.wall + 61s};
    BOOST_TEST(authorization_plan(true, true).on_answer(404, "", t, suspended) == action::replace_token);
    BOOST_TEST(authorization_plan(true, true).on_answer(404, "", t, corrected) == action::replace_token);
}

BOOST_AUTO_TEST_CASE(a_new_token_that_is_refused_after_an_expired_one_is_not_replaced_again)
{
    // B4, B8
    authorization_plan plan(true, true);
    BOOST_TEST(plan.on_answer(404, "", token_for(0s), t0) == action::replace_token);
    BOOST_TEST(plan.on_answer(401, "", token_for(1h), t0) == action::token_refused);
}

BOOST_AUTO_TEST_SUITE_END()
