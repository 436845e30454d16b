// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/retry_plan.hpp"

#include <jeton/http/error.hpp>
#include <jeton/http/request.hpp>
#include <jeton/net/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace std::chrono_literals;
using jeton::delivery;
using jeton::failure;
using jeton::phase;
using jeton::time_point;
using jeton::http::request;
using jeton::http::retry_budget;
using jeton::http::retry_plan;
using jeton::http::retry_policy;

namespace {

constexpr time_point now{std::chrono::hours(24)};
constexpr double no_luck = 1.0;

retry_policy policy_of(int attempts)
{
    retry_policy p;
    p.attempts = attempts;
    return p;
}

failure lost(delivery d) { return {jeton::http::errc::connection_lost, phase::first_byte, d, "lost"}; }

failure reset(delivery d) { return {jeton::net::errc::reset, phase::first_byte, d, "reset"}; }

// One request's life, with everything it needs.
struct life {
    explicit life(bool repeatable, retry_policy p = {}, jeton::duration left = 60s)
        : policy(std::move(p)), budget(policy.budget, policy.budget_floor), plan(policy, budget, repeatable, now + left)
    {}
    retry_plan::step fails(failure const& why, bool reused = false)
    {
        return plan.on_failure(why, reused, now, no_luck);
    }

    retry_policy policy;
    retry_budget budget;
    retry_plan plan;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_retry_plan)

BOOST_AUTO_TEST_CASE(every_combination_of_method_delivery_reuse_and_replayable)
{
    // J15: over a reused connection that died, idempotent requests go again at once; others only if nothing was written,
    // or the caller said so.
    struct method {
        char const* name;
        bool idempotent;
    };
    for (auto const m : {method{"GET", true},
                         {"HEAD", true},
                         {"PUT", true},
                         {"DELETE", true},
                         {"OPTIONS", true},
                         {"TRACE", true},
                         {"POST", false},
                         {"PATCH", false},
                         {"BREW", false}}) {
        for (auto const d : {delivery::not_sent, delivery::maybe_processed, delivery::answered}) {
            for (bool const reused : {false, true}) {
                for (bool const replayable : {false, true}) {
                    BOOST_TEST_CONTEXT(m.name << ' ' << to_string(d) << (reused ? " reused" : " new")
                                              << (replayable ? " replayable" : ""))
                    {
                        request what(m.name, "https://a.example/");
                        if (replayable)
                            what.replayable();
                        life one(what.repeatable());
                        auto const next = one.fails(reused ? lost(d) : reset(d), reused);

                        bool const harmless =
                            d == delivery::not_sent || (d == delivery::maybe_processed && (m.idempotent || replayable));
                        BOOST_TEST(next.again == harmless);
                        if (next.again) {
                            BOOST_TEST((next.at == now) == reused);
                            BOOST_TEST(next.on_young_connection == (reused || d != delivery::not_sent));
                            BOOST_TEST(one.plan.attempt() == 2);
                        }
                    }
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_failed_automatic_retry_is_not_retried)
{
    // J16
    life one(true, policy_of(10));
    BOOST_TEST(one.fails(lost(delivery::maybe_processed), true).again);
    BOOST_TEST(!one.fails(lost(delivery::maybe_processed), true).again);

    life other(true, policy_of(10));
    BOOST_TEST(other.fails(reset(delivery::maybe_processed)).again);
    BOOST_TEST(!other.fails(reset(delivery::maybe_processed)).again);
}

BOOST_AUTO_TEST_CASE(what_did_not_leave_is_sent_again_up_to_the_number_of_attempts)
{
    // J16
    life one(false, policy_of(4));
    failure const refused(jeton::net::errc::refused, phase::connect, delivery::not_sent, "refused");
    BOOST_TEST(one.fails(refused).again);
    BOOST_TEST(one.fails(refused).again);
    BOOST_TEST(one.fails(refused).again);
    BOOST_TEST(one.plan.attempt() == 4);
    BOOST_TEST(!one.fails(refused).again);
}

BOOST_AUTO_TEST_CASE(one_attempt_means_never_again)
{
    life one(true, policy_of(1));
    BOOST_TEST(!one.fails(lost(delivery::not_sent), true).again);
}

BOOST_AUTO_TEST_CASE(pauses_double_up_to_the_longest_and_half_of_each_is_left_to_chance)
{
    retry_policy p = policy_of(9);
    p.first_pause = 100ms;
    p.longest_pause = 500ms;
    failure const refused(jeton::net::errc::refused, phase::connect, delivery::not_sent, "refused");
    for (double const chance : {0.0, 1.0}) {
        life one(true, p);
        for (auto const whole : {100ms, 200ms, 400ms, 500ms, 500ms}) {
            auto const next = one.plan.on_failure(refused, false, now, chance);
            BOOST_TEST((next.at == now + (chance == 0.0 ? whole / 2 : whole)));
        }
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_again_after_the_deadline)
{
    retry_policy p;
    p.first_pause = 100ms;
    failure const refused(jeton::net::errc::refused, phase::connect, delivery::not_sent, "refused");
    life early(true, p, 100ms + 1ns);
    BOOST_TEST(early.fails(refused).again);
    life late(true, p, 100ms);
    BOOST_TEST(!late.fails(refused).again);
}

BOOST_AUTO_TEST_CASE(what_another_attempt_cannot_mend_is_not_tried)
{
    struct {
        std::error_code code;
        phase where;
    } const cases[] = {
        {jeton::errc::cancelled, phase::queue},
        {jeton::errc::shut_down, phase::queue},
        {jeton::errc::misuse, phase::configure},
        {jeton::http::errc::bad_url, phase::configure},
        {jeton::http::errc::plain_http, phase::configure},
        {jeton::http::errc::queue_full, phase::queue},
        {jeton::net::errc::certificate_expired, phase::tls},
        {jeton::net::errc::certificate_name, phase::tls},
        {jeton::net::errc::certificate_issuer_unknown, phase::tls},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(c.code.message())
        {
            life one(true);
            BOOST_TEST(!one.fails(failure(c.code, c.where, delivery::not_sent, "")).again);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_next_attempt_at_a_token_is_waited_for_as_often_as_the_deadline_allows)
{
    life one(false, policy_of(1), 10s);
    auto const blocked = [](time_point until) {
        jeton::diagnostics d;
        d.retry_at = until;
        return failure(jeton::net::errc::refused, phase::token, delivery::not_sent, std::move(d));
    };
    for (int i = 0; i < 20; ++i) {
        auto const next = one.fails(blocked(now + 4s));
        BOOST_TEST(next.again);
        BOOST_TEST((next.at == now + 4s));
        BOOST_TEST(!next.on_young_connection);
    }
    BOOST_TEST(one.plan.attempt() == 1);
    BOOST_TEST(!one.fails(blocked(now + 10s)).again);
    BOOST_TEST_CONTEXT("a moment that has passed does not make it turn in circles")
    BOOST_TEST((one.fails(blocked(now - 1s)).at > now));
}

BOOST_AUTO_TEST_CASE(a_token_failure_that_time_does_not_mend_is_not_waited_for)
{
    life one(true);
    jeton::diagnostics d;
    d.retry_at = now + 1s;
    BOOST_TEST(!one.fails(failure(jeton::errc::misuse, phase::token, delivery::not_sent, d)).again);
}

BOOST_AUTO_TEST_CASE(listed_statuses_are_tried_again_if_the_request_is_repeatable)
{
    retry_policy p = policy_of(3);
    p.statuses = {502, 503};
    life get(true, p);
    BOOST_TEST(get.plan.on_answer(503, {}, now, no_luck).again);
    BOOST_TEST(get.plan.on_answer(502, {}, now, no_luck).again);
    BOOST_TEST(!get.plan.on_answer(503, {}, now, no_luck).again);

    life other(true, p);
    BOOST_TEST(!other.plan.on_answer(500, {}, now, no_luck).again);
    life post(false, p);
    BOOST_TEST(!post.plan.on_answer(503, {}, now, no_luck).again);
}

BOOST_AUTO_TEST_CASE(a_misdirected_request_is_sent_once_more_over_another_connection_whatever_its_method)
{
    // K14
    for (bool const repeatable : {true, false}) {
        life one(repeatable);
        BOOST_TEST(one.plan.lists(421));
        auto const next = one.plan.on_answer(421, {}, now, no_luck);
        BOOST_TEST(next.again);
        BOOST_TEST((next.at == now));
        BOOST_TEST(next.on_young_connection);
        BOOST_TEST_CONTEXT("and then it is an answer")
        {
            BOOST_TEST(!one.plan.lists(421));
            BOOST_TEST(!one.plan.on_answer(421, {}, now, no_luck).again);
        }
    }
    life never(true, policy_of(1));
    BOOST_TEST(!never.plan.on_answer(421, {}, now, no_luck).again);
}

BOOST_AUTO_TEST_CASE(what_is_wanted_over_http_1_1_is_sent_again_at_once_and_one_time)
{
    // K13
    life one(false);
    failure const unwanted(jeton::http::errc::http_1_1_required, phase::first_byte, delivery::not_sent, "");
    auto const next = one.fails(unwanted);
    BOOST_TEST(next.again);
    BOOST_TEST((next.at == now));
    BOOST_TEST(!next.on_young_connection);
    BOOST_TEST(!one.fails(unwanted).again);
}

BOOST_AUTO_TEST_CASE(a_refused_stream_is_tried_again_with_pauses_and_not_for_ever)
{
    // K2: a POST as well; three attempts unless the policy says otherwise
    life one(false);
    failure const refused(jeton::http::errc::stream_refused, phase::first_byte, delivery::not_sent, "");
    auto const second = one.fails(refused);
    BOOST_TEST(second.again);
    BOOST_TEST((second.at == now + 100ms));
    auto const third = one.fails(refused);
    BOOST_TEST(third.again);
    BOOST_TEST((third.at == now + 200ms));
    BOOST_TEST(!one.fails(refused).again);
    BOOST_TEST_CONTEXT("any other reset may have been looked at")
    {
        life other(false);
        failure const reset(jeton::http::errc::stream_reset, phase::first_byte, delivery::maybe_processed, "");
        BOOST_TEST(!other.fails(reset).again);
    }
}

BOOST_AUTO_TEST_CASE(retry_after_is_honoured_if_the_deadline_allows)
{
    retry_policy p = policy_of(3);
    p.statuses = {503};
    life patient(true, p, 10s);
    BOOST_TEST((patient.plan.on_answer(503, 9s, now, no_luck).at == now + 9s));
    BOOST_TEST(!patient.plan.on_answer(503, 10s, now, no_luck).again);
    BOOST_TEST(!patient.plan.on_answer(503, std::chrono::seconds::max(), now, no_luck).again);
    BOOST_TEST((patient.plan.on_answer(503, 0s, now, no_luck).at > now));
}

BOOST_AUTO_TEST_CASE(resends_stay_a_small_share_of_requests)
{
    // J16
    retry_budget budget(0.1, 10);
    for (int i = 0; i < 1000; ++i)
        budget.on_request(now);
    int granted = 0;
    for (int i = 0; i < 1000; ++i)
        granted += budget.grant(now) ? 1 : 0;
    BOOST_TEST(granted == 110);
    BOOST_TEST_CONTEXT("what is ten seconds ago does not count any more")
    {
        BOOST_TEST(!budget.grant(now + 9s));
        granted = 0;
        for (int i = 0; i < 1000; ++i)
            granted += budget.grant(now + 10s) ? 1 : 0;
        BOOST_TEST(granted == 10);
    }
}

BOOST_AUTO_TEST_CASE(without_a_budget_nothing_is_sent_again)
{
    // J16
    retry_policy p;
    p.budget = 0;
    p.budget_floor = 0;
    life one(true, p);
    one.budget.on_request(now);
    BOOST_TEST(!one.fails(lost(delivery::not_sent), true).again);
    BOOST_TEST(one.plan.attempt() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
