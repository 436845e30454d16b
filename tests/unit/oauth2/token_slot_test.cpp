// SPDX-License-Identifier: BSL-1.0
#include "oauth2/sansio/token_slot.hpp"

#include <jeton/oauth2/error.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace jeton;
using namespace jeton::oauth2;
using namespace std::chrono_literals;
using action = token_slot::action;

namespace jeton::oauth2 {
std::ostream& operator<<(std::ostream& os, token_slot::action a)
{
    static char const* const names[] = {"use", "use_and_fetch", "fetch_and_wait", "wait", "refuse"};
    return os << names[static_cast<int>(a)];
}
}  // namespace jeton::oauth2

namespace {

// Without chance, so that every boundary is exact.
refresh_policy exact()
{
    refresh_policy p;
    p.jitter = 0;
    return p;
}

// Time as a test sees it: both clocks begin at zero of the test.
struct world {
    moment now{time_point(24h), wall_time(24h * 365 * 56)};
    void advance(duration by)
    {
        now.boot += by;
        now.wall += by;
    }
    moment in(duration by) const { return {now.boot + by, now.wall + by}; }
    token_ptr granted(std::string const& name, duration life) const
    {
        return std::make_shared<token const>(secret(name), now, life);
    }
};

failure down(std::optional<std::chrono::seconds> retry_after = {})
{
    diagnostics d;
    d.ours = "down";
    d.retry_after = retry_after;
    return {make_error_code(oauth2::errc::server_error), phase::token, delivery::answered, d};
}

failure no(oauth2::errc why) { return {make_error_code(why), phase::token, delivery::answered, "no"}; }

struct fixture : world {
    token_slot slot{exact(), 1};

    token_slot::step ask(token_demand demand = {}) { return slot.on_demand(demand, now); }
    action what(token_demand demand = {}) { return ask(std::move(demand)).what; }
    token_slot::landing land(result<token_ptr> r, duration took = 0s) { return slot.on_landed(r, now, took); }

    token_ptr hold(std::string const& name, duration life)
    {
        BOOST_REQUIRE(what() == action::fetch_and_wait);
        land(granted(name, life));
        return ask().token;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(oauth2_token_slot, fixture)

BOOST_AUTO_TEST_CASE(the_first_caller_starts_a_flight_and_the_rest_wait)
{
    BOOST_TEST(what() == action::fetch_and_wait);
    BOOST_TEST(what() == action::wait);
    advance(1h);
    BOOST_TEST(what() == action::wait);
}

BOOST_AUTO_TEST_CASE(lead_and_margin_follow_from_the_lifetime)
{
    struct {
        duration life, lead, margin;
    } const cases[] = {
        {24h, 8640s, 10s}, {1h, 360s, 10s}, {200s, 20s, 10s}, {100s, 15s, 10s},   {60s, 11s, 6s},
        {40s, 9s, 4s},     {10s, 5s, 1s},   {2s, 1s, 200ms},  {1s, 500ms, 100ms},
    };
    for (auto const& c : cases)
        BOOST_TEST_CONTEXT(c.life.count())
        {
            fixture f;
            auto const t = f.hold("t", c.life);
            auto const at = [&](duration left) {
                token_slot copy = f.slot;
                return copy.on_demand({}, f.in(c.life - left)).what;
            };
            BOOST_TEST(at(c.lead + 1ns) == action::use);
            BOOST_TEST(at(c.lead) == action::use_and_fetch);
            BOOST_TEST(at(c.margin + 1ns) == action::use_and_fetch);
            BOOST_TEST(at(c.margin) == action::fetch_and_wait);
            BOOST_TEST(at(-1h) == action::fetch_and_wait);
        }
}

BOOST_AUTO_TEST_CASE(the_lead_grows_with_the_latency_of_the_token_endpoint)
{
    what();
    land(granted("slow", 200s), 10s);  // 10 s + 4 x 10 s + 5 s
    BOOST_TEST(slot.on_demand({}, in(145s - 1ns)).what == action::use);
    BOOST_TEST(slot.on_demand({}, in(145s)).what == action::use_and_fetch);
}

BOOST_AUTO_TEST_CASE(the_lead_never_takes_more_than_half_of_the_life_however_slow_the_endpoint_is)
{
    // FAULTS 58
    what();
    land(granted("slow", 5s), 3s);
    BOOST_TEST(slot.on_demand({}, in(2499ms)).what == action::use);
    BOOST_TEST(slot.on_demand({}, in(2500ms)).what == action::use_and_fetch);
    BOOST_TEST(slot.on_demand({}, in(4499ms)).what == action::use);
}

BOOST_AUTO_TEST_CASE(jitter_lengthens_the_lead_by_no_more_than_its_share_and_differs_between_slots)
{
    refresh_policy p;
    p.jitter = 0.5;
    duration least = 24h, most = 0s;
    for (std::uint64_t seed = 0; seed != 200; ++seed) {
        token_slot s(p, seed);
        s.on_demand({}, now);
        s.on_landed(granted("t", 1h), now, 0s);
        auto const lead = 1h - s.look(now).refresh_in;
        least = std::min(least, lead);
        most = std::max(most, lead);
    }
    BOOST_TEST((least >= 360s && least < 370s));
    BOOST_TEST((most <= 540s && most > 530s));
}

BOOST_AUTO_TEST_CASE(an_ageing_token_is_handed_out_while_one_flight_is_under_way)
{
    auto const t = hold("t", 1h);
    advance(55min);
    BOOST_TEST(what() == action::use_and_fetch);
    auto const second = ask();
    BOOST_TEST(second.what == action::use);
    BOOST_TEST(second.token == t);
}

BOOST_AUTO_TEST_CASE(a_failed_refresh_does_not_take_away_a_usable_token)
{
    auto const t = hold("t", 1h);
    advance(55min);
    BOOST_TEST(what() == action::use_and_fetch);
    land(down());
    BOOST_TEST(ask().token == t);
    BOOST_TEST(what() == action::use);  // paused
    advance(500ms);
    BOOST_TEST(what() == action::use_and_fetch);
}

BOOST_AUTO_TEST_CASE(answers_are_valid_until_they_might_change)
{
    auto const t = hold("t", 10s);  // lead 5 s, margin 1 s
    BOOST_TEST((ask().valid_until == now.boot + 1s));
    advance(4500ms);
    BOOST_TEST((ask().valid_until == now.boot + 500ms));  // until it is ageing
    advance(500ms);
    BOOST_TEST((ask().valid_until == now.boot + 1s));  // a flight is under way
    land(down());
    auto const paused = ask().valid_until - now.boot;
    BOOST_TEST((paused >= 250ms && paused <= 500ms));
    advance(3500ms);
    BOOST_TEST(what() == action::use_and_fetch);
    BOOST_TEST((ask().valid_until == now.boot + 500ms));  // until it expires
}

BOOST_AUTO_TEST_CASE(failures_pause_twice_as_long_each_time_half_of_it_by_chance)
{
    // A14, FAULTS 37: 0.5 to 30 s
    for (duration const whole : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16000ms, 30000ms, 30000ms, 30000ms}) {
        BOOST_TEST(what() == action::fetch_and_wait);
        auto const landed = land(down());
        BOOST_TEST((landed.pause >= whole / 2 && landed.pause <= whole));
        auto const refused = slot.on_demand({}, in(landed.pause - 1ns));
        BOOST_TEST(refused.what == action::refuse);
        BOOST_TEST(refused.why->diag().ours == "down");
        BOOST_TEST((refused.why->code() == cond::transient));
        BOOST_TEST((refused.why->diag().retry_at == now.boot + landed.pause));
        BOOST_TEST((refused.why->phase() == phase::token));
        BOOST_TEST((refused.why->delivery() == delivery::not_sent));
        advance(landed.pause);
    }
}

BOOST_AUTO_TEST_CASE(success_forgets_the_failures)
{
    for (int i = 0; i != 5; ++i) {
        what();
        advance(land(down()).pause);
    }
    hold("t", 60s);
    BOOST_TEST(!slot.look(now).last_failure.has_value());
    advance(60s);
    what();
    BOOST_TEST((land(down()).pause <= 500ms));
}

BOOST_AUTO_TEST_CASE(while_a_token_lives_no_pause_reaches_past_its_expiry)
{
    hold("t", 60s);
    advance(53s);  // margin 6 s: one second left
    for (int i = 0; i != 4; ++i) {
        slot.on_demand({}, now);
        auto const pause = land(down()).pause;
        BOOST_TEST((pause <= slot.look(now).left));
        advance(std::min(pause, slot.look(now).left - 1ms));
    }
}

BOOST_AUTO_TEST_CASE(retry_after_is_honoured_up_to_its_cap_and_never_below_our_own_pause)
{
    // A15, FAULTS 34, 50
    struct {
        std::chrono::seconds asked;
        duration least, most;
    } const cases[] = {
        {2s, 2s, 2s},        {std::chrono::seconds(0), 250ms, 500ms},
        {86400s, 1h, 1h},    {std::chrono::seconds::max(), 1h, 1h},
        {-5s, 250ms, 500ms},
    };
    for (auto const& c : cases)
        BOOST_TEST_CONTEXT(c.asked.count())
        {
            fixture f;
            f.what();
            auto const pause = f.land(down(c.asked)).pause;
            BOOST_TEST((pause >= c.least && pause <= c.most));
            f.advance(pause - 1ns);
            BOOST_TEST(f.what() == action::refuse);
            f.advance(1ns);
            BOOST_TEST(f.what() == action::fetch_and_wait);
        }
}

BOOST_AUTO_TEST_CASE(a_living_token_is_served_during_retry_after_which_may_outlast_it)
{
    // A15
    hold("t", 60s);
    advance(50s);
    BOOST_TEST(what() == action::use_and_fetch);
    land(down(30s));
    BOOST_TEST(what() == action::use);
    advance(29s);
    BOOST_TEST(what() == action::refuse);
    advance(1s);
    BOOST_TEST(what() == action::fetch_and_wait);
}

BOOST_AUTO_TEST_CASE(permanent_refusals_are_remembered_for_five_to_fifteen_seconds)
{
    // A14, FAULTS 51
    for (auto const why : {oauth2::errc::invalid_client, oauth2::errc::unauthorized_client, oauth2::errc::invalid_scope,
                           oauth2::errc::unsupported_grant_type, oauth2::errc::refused}) {
        fixture f;
        f.what();
        auto const pause = f.land(no(why)).pause;
        BOOST_TEST((pause >= 5s && pause <= 15s));
        f.advance(pause - 1ns);
        auto const refused = f.ask();
        BOOST_TEST(refused.what == action::refuse);
        BOOST_TEST((refused.why->code() == why));
        f.advance(1ns);
        BOOST_TEST(f.what() == action::fetch_and_wait);
    }
}

BOOST_AUTO_TEST_CASE(a_changed_secret_forgets_a_permanent_refusal_at_once)
{
    // A14, FAULTS 51
    what();
    land(no(oauth2::errc::invalid_client));
    BOOST_TEST(what() == action::refuse);
    slot.forgive();
    BOOST_TEST(what() == action::fetch_and_wait);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_says_cancelled_does_not_tell_callers_that_they_were)
{
    what();
    land(failure(jeton::errc::cancelled, phase::token, delivery::not_sent, "x"));
    BOOST_TEST((ask().why->code() != cond::cancelled));
}

BOOST_AUTO_TEST_CASE(no_token_at_all_is_a_failure)
{
    what();
    BOOST_TEST((land(token_ptr()).outcome.error().code() == jeton::errc::unexpected));
}

BOOST_AUTO_TEST_CASE(flights_keep_to_the_budget_whatever_asks_for_them)
{
    // Tokens that are refused, expired, and asked for by force, as fast as can be: never more than ten in ten seconds.
    std::vector<time_point> taken_off;
    auto current = token_ptr();
    for (int i = 0; i != 20'000; ++i) {
        auto const s = i % 2 ? ask(token_demand::instead_of(current ? current : granted("x", 1s))) : ask();
        if (s.token)
            current = s.token;
        if (s.what == action::fetch_and_wait || s.what == action::use_and_fetch) {
            taken_off.push_back(now.boot);
            if (i % 3)
                land(granted(std::to_string(i), i % 5 ? 200ms : 1h));
            else
                land(down());
            if (i % 7 == 0)
                slot.forgive();
        }
        advance(3ms);
    }
    BOOST_TEST(taken_off.size() > 20u);
    for (std::size_t i = 10; i < taken_off.size(); ++i)
        BOOST_TEST((taken_off[i] - taken_off[i - 10] >= 10s));
}

BOOST_AUTO_TEST_CASE(two_second_tokens_fit_into_the_budget)
{
    refresh_policy p;  // with jitter
    token_slot s(p, 7);
    int without = 0;
    s.on_demand({}, now);
    s.on_landed(granted("first", 2s), now, 5ms);
    for (int i = 0; i != 60'000; ++i) {
        auto const step = s.on_demand({}, now);
        without += step.token == nullptr;
        if (step.what == action::use_and_fetch)
            s.on_landed(granted(std::to_string(i), 2s), now, 5ms);
        advance(1ms);
    }
    BOOST_TEST(without == 0);
}

BOOST_AUTO_TEST_CASE(a_refused_token_is_dropped_once)
{
    // B4, FAULTS 55: one refresh a generation
    auto const t = hold("t", 1h);
    BOOST_TEST(what(token_demand::instead_of(t)) == action::fetch_and_wait);
    for (int i = 0; i != 10'000; ++i)
        BOOST_REQUIRE(what(token_demand::instead_of(t)) == action::wait);
    land(granted("next", 1h));
    for (int i = 0; i != 10'000; ++i) {
        auto const late = ask(token_demand::instead_of(t));
        BOOST_REQUIRE(late.what == action::use);
        BOOST_REQUIRE(late.token->access() == "next");
    }
    BOOST_TEST(slot.look(now).flights == 2u);
}

BOOST_AUTO_TEST_CASE(one_refusal_does_not_take_away_a_token_that_cannot_be_replaced_yet)
{
    // B4, A15: the token endpoint asked for a pause, and one replica of the API answered 401.
    auto const t = hold("t", 60s);
    advance(50s);
    BOOST_TEST(what() == action::use_and_fetch);
    land(down(60s));
    auto const mine = ask(token_demand::instead_of(t));
    BOOST_TEST(mine.what == action::refuse);
    BOOST_TEST((mine.why->diag().retry_at == now.boot + 60s));
    BOOST_TEST(what() == action::use);
}

BOOST_AUTO_TEST_CASE(a_refused_token_is_recognised_by_its_secret)
{
    hold("t", 1h);
    BOOST_TEST(what(token_demand::instead_of(granted("t", 5min))) == action::fetch_and_wait);
    fixture other;
    other.hold("t", 1h);
    BOOST_TEST(other.what(token_demand::instead_of(granted("u", 1h))) == action::use);
}

BOOST_AUTO_TEST_CASE(a_new_token_that_is_refused_too_opens_the_circuit)
{
    // B4, FAULTS 54
    auto const first = hold("first", 1h);
    what(token_demand::instead_of(first));
    land(granted("second", 1h));
    auto const second = ask().token;

    auto const refused = ask(token_demand::instead_of(second));
    BOOST_TEST(refused.what == action::refuse);
    BOOST_TEST((refused.why->code() == oauth2::errc::token_refused));
    BOOST_TEST((refused.why->diag().retry_at == now.boot + 10s));
    BOOST_TEST(slot.look(now).circuit_open);
    BOOST_TEST(ask().token == second);  // other servers may accept it

    advance(9999ms);
    BOOST_TEST(what(token_demand::instead_of(second)) == action::refuse);
    BOOST_TEST(slot.look(now).flights == 2u);

    // Half open: one probe.
    advance(1ms);
    BOOST_TEST(what(token_demand::instead_of(second)) == action::fetch_and_wait);
    land(granted("third", 1h));
    auto const third = ask().token;
    BOOST_TEST(what(token_demand::instead_of(third)) == action::refuse);
    BOOST_TEST(slot.look(now).flights == 3u);

    slot.forgive();
    BOOST_TEST(!slot.look(now).circuit_open);
}

BOOST_AUTO_TEST_CASE(a_replacement_that_did_its_work_for_a_while_is_simply_replaced_when_it_is_refused)
{
    // B4: revoked twice within an hour is no reason to stop
    auto const first = hold("first", 1h);
    what(token_demand::instead_of(first));
    land(granted("second", 1h));
    advance(10min);
    BOOST_TEST(what(token_demand::instead_of(ask().token)) == action::fetch_and_wait);
}

BOOST_AUTO_TEST_CASE(a_server_that_hands_out_the_refused_token_again_opens_the_circuit)
{
    auto const t = hold("t", 1h);
    auto const demand = token_demand::instead_of(t);
    BOOST_TEST(what(demand) == action::fetch_and_wait);
    advance(1s);
    auto const landed = land(granted("t", 1h));
    BOOST_TEST(landed.same_as_before);
    auto const mine = token_slot::share(landed.outcome, demand, now);
    BOOST_TEST((mine.error().code() == oauth2::errc::token_refused));
    BOOST_TEST(token_slot::share(landed.outcome, {}, now).has_value());
    BOOST_TEST(what(demand) == action::refuse);
    BOOST_TEST(what() == action::use);
}

BOOST_AUTO_TEST_CASE(the_same_token_with_less_life_is_used_until_its_very_end)
{
    // A22, FAULTS 53
    hold("t", 100s);
    advance(86s);
    BOOST_TEST(what() == action::use_and_fetch);
    auto const landed = land(granted("t", 14s));
    BOOST_TEST(landed.same_as_before);
    advance(13999ms);
    BOOST_TEST(what() == action::use);
    BOOST_TEST(what(token_demand::lasting(5s)) == action::refuse);
    BOOST_TEST(slot.look(now).flights == 2u);
    advance(1ms);
    BOOST_TEST(what() == action::fetch_and_wait);
}

BOOST_AUTO_TEST_CASE(the_same_token_that_was_prolonged_is_as_good_as_a_new_one)
{
    // A22
    hold("t", 100s);
    advance(86s);
    what();
    BOOST_TEST(land(granted("t", 100s)).same_as_before);
    advance(80s);
    BOOST_TEST(what() == action::use);
    advance(6s);
    BOOST_TEST(what() == action::use_and_fetch);
}

BOOST_AUTO_TEST_CASE(a_token_without_life_serves_those_who_waited_and_the_next_flight_waits_a_second)
{
    // A9, FAULTS 39
    BOOST_TEST(what() == action::fetch_and_wait);
    auto const landed = land(granted("t", 0s));
    BOOST_TEST(token_slot::share(landed.outcome, {}, now).has_value());
    BOOST_TEST(slot.look(now).without_life == 1u);
    auto const next = ask();
    BOOST_TEST(next.what == action::refuse);
    BOOST_TEST((next.why->code() == cond::transient));
    BOOST_TEST((next.why->diag().retry_at == now.boot + 1s));
    advance(1s);
    BOOST_TEST(what() == action::fetch_and_wait);
}

BOOST_AUTO_TEST_CASE(a_token_without_life_does_not_take_the_place_of_one_that_lives)
{
    auto const t = hold("t", 100s);
    advance(86s);
    what();
    land(granted("u", 0s));
    BOOST_TEST(ask().token == t);
}

BOOST_AUTO_TEST_CASE(a_long_job_may_ask_for_more_than_what_is_left)
{
    hold("t", 1h);
    BOOST_TEST(what(token_demand::lasting(30min)) == action::use);
    advance(40min);
    BOOST_TEST(what(token_demand::lasting(30min)) == action::fetch_and_wait);
    BOOST_TEST(what() == action::use);
    auto const landed = land(granted("u", 1h));
    BOOST_TEST(token_slot::share(landed.outcome, token_demand::lasting(30min), now).has_value());
}

BOOST_AUTO_TEST_CASE(a_job_longer_than_any_token_lives_fails_at_once)
{
    // No flight could help, so none is made, however often it is asked for.
    BOOST_TEST(what(token_demand::lasting(2h)) == action::fetch_and_wait);
    auto const landed = land(granted("t", 1h));
    BOOST_TEST(
        (token_slot::share(landed.outcome, token_demand::lasting(2h), now).error().code() == jeton::errc::misuse));
    for (int i = 0; i != 100; ++i)
        BOOST_TEST((ask(token_demand::lasting(2h)).why->code() == jeton::errc::misuse));
    advance(6s);
    BOOST_TEST(what(token_demand::lasting(1h - 5s)) == action::refuse);  // a new one would not do for long
    BOOST_TEST(slot.look(now).flights == 1u);
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_fails_at_once_and_starts_nothing)
{
    auto const late = ask(token_demand().by(now.boot));
    BOOST_TEST(late.what == action::refuse);
    BOOST_TEST((late.why->code() == cond::timeout));
    BOOST_TEST(!slot.look(now).in_flight);
    hold("t", 1h);
    BOOST_TEST(what(token_demand().by(now.boot)) == action::use);  // needs no waiting
}

BOOST_AUTO_TEST_CASE(a_wall_clock_set_forwards_costs_one_flight)
{
    // A21, FAULTS 59
    hold("t", 30min);
    now.wall += 1h;
    BOOST_TEST(what() == action::fetch_and_wait);
    BOOST_TEST(what() == action::wait);
    land(granted("u", 30min));
    BOOST_TEST(what() == action::use);
    now.wall -= 1h;
    BOOST_TEST(what() == action::use);
    BOOST_TEST(slot.look(now).flights == 2u);
}

BOOST_AUTO_TEST_CASE(a_wall_clock_set_back_does_not_prolong_a_token)
{
    // A21, FAULTS 59
    hold("t", 30min);
    now.wall -= 1h;
    BOOST_TEST(what() == action::use);
    now.boot += 30min;
    BOOST_TEST(what() == action::fetch_and_wait);
}

BOOST_AUTO_TEST_CASE(a_report_tells_where_the_token_stands)
{
    using state = token_slot::age_state;
    BOOST_TEST((slot.look(now).is == state::none));
    hold("t", 100s);
    BOOST_TEST((slot.look(now).is == state::fresh));
    BOOST_TEST((slot.look(now).refresh_in == 85s));
    BOOST_TEST((slot.look(now).left == 90s));
    what();
    BOOST_TEST((slot.look(in(90s)).is == state::expired));
    slot.clear();
    BOOST_TEST((slot.look(now).is == state::none));
}

BOOST_AUTO_TEST_CASE(a_policy_that_breaks_its_rule_is_refused)
{
    auto const refused = [](auto change) {
        refresh_policy p;
        change(p);
        BOOST_CHECK_THROW(token_slot(p, 1), std::invalid_argument);
    };
    refused([](auto& p) { p.lead_floor = -1s; });
    refused([](auto& p) { p.margin = -1s; });
    refused([](auto& p) { p.jitter = 0.6; });
    refused([](auto& p) { p.jitter = -0.1; });
    refused([](auto& p) { p.first_pause = 0s; });
    refused([](auto& p) { p.first_pause = 31s; });
    refused([](auto& p) { p.longest_retry_after = -1s; });
    refused([](auto& p) { p.shortest_refusal = 16s; });
    refused([](auto& p) { p.flight_limit = 0s; });
    refused([](auto& p) { p.budget = 0; });
    refused([](auto& p) { p.budget_window = 0s; });
    refused([](auto& p) { p.circuit_pause = -1s; });
}

BOOST_AUTO_TEST_SUITE_END()
