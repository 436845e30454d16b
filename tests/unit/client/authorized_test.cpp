// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/authorized.hpp>

#include "http/request_access.hpp"

#include <jeton/http/error.hpp>
#include <jeton/oauth2/error.hpp>
#include <jeton/oauth2/sources.hpp>
#include <jeton/testing/fake_token_source.hpp>
#include <jeton/testing/fake_transport.hpp>
#include <jeton/testing/manual_clock.hpp>

#include "support/run.hpp"

#include <deque>
#include <set>
#include <string>
#include <vector>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

class recorder final : public observer {
public:
    void on(happening const& what) override
    {
        if (auto const* const refused = std::get_if<happenings::token_refused>(&what))
            refusals.push_back(*refused);
        if (throws)
            throw std::runtime_error("an observer that throws");
    }
    std::vector<happenings::token_refused> refusals;
    bool throws = false;
};

struct fixture {
    asio::io_context io;
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    std::shared_ptr<fake_transport> wire = std::make_shared<fake_transport>(serial(io));
    std::shared_ptr<fake_token_source> tokens = std::make_shared<fake_token_source>(serial(io));
    std::shared_ptr<recorder> seen = std::make_shared<recorder>();
    std::shared_ptr<http::transport> api = over(tokens);

    std::shared_ptr<http::transport> over(std::shared_ptr<oauth2::token_source> source)
    {
        http::origin const base{.secure = true, .host = "api.example", .port = 443};
        http::origin const files{.secure = true, .host = "files.example", .port = 8443};
        std::vector<http::origin> const origins{base, files};
        return authorized(wire, std::move(source), origins, time, seen);
    }

    oauth2::token_ptr token(std::string_view access, duration lifetime = 1h)
    {
        return fake_token_source::token(access, time->both(), lifetime);
    }

    using call_type = started<result<http::response>>;
    std::deque<call_type> calls;
    call_type& start(http::request what) { return calls.emplace_back(io, api->send(std::move(what))); }

    result<http::response> const& send(http::request what)
    {
        auto& c = start(std::move(what));
        settle(io);
        BOOST_REQUIRE(c.done());
        return c.outcome();
    }
};

http::response refusal(std::string challenge, int status = 401)
{
    return fake_transport::answer(status, {{"WWW-Authenticate", std::move(challenge)}}, "refused");
}

http::request get(std::string_view url = "https://api.example/x?y=1") { return http::request::get(url); }
http::request post() { return http::request::post("https://api.example/orders", "{\"n\":1}"); }

void check_failure(result<http::response> const& got, std::error_code code, phase where, delivery state)
{
    BOOST_TEST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().code() == code), got.error().to_string());
    BOOST_TEST((got.error().phase() == where));
    BOOST_TEST((got.error().delivery() == state));
    for (auto const* const secret_text : {"gold1", "gold2", "y=1"})
        BOOST_TEST(got.error().to_string().find(secret_text) == std::string::npos, got.error().to_string());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_authorized, fixture)

BOOST_AUTO_TEST_CASE(the_token_travels_in_the_authorization_field_once_and_nowhere_else)
{
    // B1
    tokens->will_give(token("gold1"));
    wire->will_answer(200, "fine");
    auto const& got = send(post());
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->text() == "fine");
    auto const sent = wire->requests().at(0);
    BOOST_TEST(sent.authorization == "Bearer gold1");
    BOOST_TEST(sent.origin == "https://api.example");
    BOOST_TEST(sent.target == "/orders");
    BOOST_TEST(sent.fields.find("gold1") == std::string::npos);
    BOOST_TEST(sent.body == "{\"n\":1}");
}

BOOST_AUTO_TEST_CASE(a_request_with_an_authorization_of_its_own_is_refused_unless_it_wants_no_token)
{
    // B1
    auto const& got = send(get().header("AUTHORIZATION", "Basic abc"));
    check_failure(got, oauth2::errc::own_authorization, phase::configure, delivery::not_sent);
    BOOST_TEST(wire->calls() == 0U);
    BOOST_TEST(tokens->calls() == 0U);

    wire->will_answer(200);
    BOOST_TEST(send(get().header("Authorization", "Basic abc").anonymous()).has_value());
    auto const sent = wire->requests().at(0);
    BOOST_TEST(sent.header("Authorization") == "Basic abc");
    BOOST_TEST(sent.authorization.empty());
    BOOST_TEST(tokens->calls() == 0U);
}

BOOST_AUTO_TEST_CASE(a_mistake_in_the_request_costs_neither_a_token_nor_a_byte)
{
    auto const& got = send(get().header("X", "a\r\nY: b"));
    check_failure(got, http::errc::bad_field, phase::configure, delivery::not_sent);
    check_failure(send(http::request::get("/relative")), http::errc::bad_url, phase::configure, delivery::not_sent);
    BOOST_TEST(wire->calls() == 0U);
    BOOST_TEST(tokens->calls() == 0U);
}

BOOST_AUTO_TEST_CASE(the_token_goes_to_the_listed_origins_only)
{
    // B7: scheme, host and port; no byte is sent elsewhere.
    tokens->otherwise([&](auto const&) { return token("gold1"); });
    wire->otherwise([](auto const&) { return fake_transport::answer(200); });
    for (char const* url : {"https://api.example/", "https://API.example:443/x", "https://files.example:8443/f"})
        BOOST_TEST_CONTEXT(url) { BOOST_TEST(send(get(url)).has_value()); }
    BOOST_TEST(wire->calls() == 3U);

    for (char const* url : {"https://evil.example/", "http://api.example/", "https://api.example:8443/",
                            "https://files.example/", "https://api.example.evil.example/"}) {
        BOOST_TEST_CONTEXT(url)
        {
            check_failure(send(get(url)), oauth2::errc::foreign_origin, phase::configure, delivery::not_sent);
        }
    }
    BOOST_TEST(wire->calls() == 3U);
    BOOST_TEST(tokens->calls() == 3U);
}

BOOST_AUTO_TEST_CASE(a_request_that_was_resolved_above_is_held_to_the_list_as_well)
{
    // B7
    auto what = get();
    http::origin const evil{.secure = true, .host = "evil.example", .port = 443};
    http::request_access::resolve(what, std::make_shared<http::origin const>(evil), "/x");
    check_failure(send(std::move(what)), oauth2::errc::foreign_origin, phase::configure, delivery::not_sent);
    BOOST_TEST(wire->calls() == 0U);
}

BOOST_AUTO_TEST_CASE(without_a_token_a_request_goes_anywhere)
{
    // B7
    wire->will_answer(200);
    BOOST_TEST(send(get("https://evil.example/").anonymous()).has_value());
    BOOST_TEST(wire->requests().at(0).authorization.empty());
}

BOOST_AUTO_TEST_CASE(origins_are_https_or_this_machine)
{
    // A6: https only for bearer use.
    http::origin const plain{.secure = false, .host = "api.example", .port = 80};
    std::vector<http::origin> const far{plain};
    BOOST_CHECK_THROW(authorized(wire, tokens, far, time), error);
    http::origin const local{.secure = false, .host = "127.0.0.1", .port = 8080};
    std::vector<http::origin> const near{local};
    BOOST_CHECK_NO_THROW(authorized(wire, tokens, near, time));
}

BOOST_AUTO_TEST_CASE(after_a_401_the_request_is_sent_once_more_with_another_token)
{
    // B4, B6: whatever the method; the body is sent whole again.
    for (char const* challenge : {"Bearer error=\"invalid_token\", error_description=\"expired\"", "Bearer realm=\"x\"",
                                  "Basic realm=\"x\"", "Bearer error=\"unterminated"}) {
        BOOST_TEST_CONTEXT(challenge)
        {
            auto const before = wire->calls();
            auto const first = token("gold1");
            tokens->will_give(first);
            tokens->otherwise([&](oauth2::token_demand const& d) -> result<oauth2::token_ptr> {
                BOOST_TEST(d.refused() == first);
                return token("gold2");
            });
            wire->will_answer(refusal(challenge));
            wire->will_answer(201, "made");
            auto const& got = send(post());
            BOOST_TEST_REQUIRE(got.has_value());
            BOOST_TEST(got->status() == 201);
            auto const sent = wire->requests();
            BOOST_TEST_REQUIRE(sent.size() == before + 2);
            BOOST_TEST(sent[before].authorization == "Bearer gold1");
            BOOST_TEST(sent[before + 1].authorization == "Bearer gold2");
            BOOST_TEST(sent[before + 1].body == sent[before].body);
            BOOST_TEST(sent[before + 1].fields == sent[before].fields);
            BOOST_TEST(sent[before + 1].attempt == 2);
        }
    }
    BOOST_TEST_REQUIRE(seen->refusals.size() == 4U);
    BOOST_TEST(seen->refusals[0].origin == "https://api.example");
    BOOST_TEST(!seen->refusals[0].circuit_opened);
}

BOOST_AUTO_TEST_CASE(a_401_without_any_challenge_replaces_the_token_too)
{
    // B3, B4
    tokens->will_give(token("gold1"));
    tokens->will_give(token("gold2"));
    wire->will_answer(401);
    wire->will_answer(200);
    BOOST_TEST(send(get())->status() == 200);
}

BOOST_AUTO_TEST_CASE(a_new_token_that_is_refused_as_well_ends_it)
{
    // B4: at most one refresh and one replay.
    tokens->will_give(token("gold1"));
    tokens->will_give(token("gold2"));
    wire->will_answer(refusal("Bearer error=\"invalid_token\""));
    wire->will_answer(refusal("Bearer error=\"invalid_token\", error_description=\"no\tgood\""));
    auto const& got = send(get());
    check_failure(got, oauth2::errc::token_refused, phase::token, delivery::answered);
    BOOST_TEST((got.error().code() == cond::credentials));
    BOOST_TEST(!got.error().safe_to_resend());
    BOOST_TEST(got.error().diag().http_status.value() == 401);
    BOOST_TEST(got.error().diag().peer_code == "invalid_token");
    BOOST_TEST(got.error().diag().peer_text == "no\\tgood");
    BOOST_TEST(got.error().diag().ours.find("https://api.example") != std::string::npos);
    BOOST_TEST(wire->calls() == 2U);
    BOOST_TEST(tokens->calls() == 2U);
    BOOST_TEST_REQUIRE(seen->refusals.size() == 2U);
    BOOST_TEST(seen->refusals[1].circuit_opened);
}

BOOST_AUTO_TEST_CASE(if_no_other_token_can_be_had_the_failure_says_why_and_that_the_server_answered)
{
    // B4
    tokens->will_give(token("gold1"));
    diagnostics down;
    down.ours = "token endpoint https://auth.example/token answered 503";
    down.retry_after = 7s;
    tokens->will_give(
        failure(make_error_code(oauth2::errc::temporarily_unavailable), phase::first_byte, delivery::not_sent, down));
    wire->will_answer(refusal("Bearer"));
    auto const& got = send(get());
    check_failure(got, oauth2::errc::temporarily_unavailable, phase::token, delivery::answered);
    BOOST_TEST(got.error().diag().retry_after.value() == 7s);
    BOOST_TEST(got.error().diag().ours.find(down.ours) != std::string::npos);
    BOOST_TEST(got.error().diag().ours.find("https://api.example") != std::string::npos);
    BOOST_TEST(wire->calls() == 1U);
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_source_is_the_failure_of_the_request_and_nothing_is_sent)
{
    tokens->will_give(
        failure(make_error_code(oauth2::errc::invalid_client), phase::first_byte, delivery::not_sent, "no"));
    check_failure(send(get()), oauth2::errc::invalid_client, phase::token, delivery::not_sent);
    BOOST_TEST(wire->calls() == 0U);
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_transport_passes_as_it_is)
{
    tokens->otherwise([&](auto const&) { return token("gold1"); });
    wire->will_answer(
        failure(make_error_code(http::errc::connection_lost), phase::first_byte, delivery::maybe_processed, "lost"));
    check_failure(send(post()), http::errc::connection_lost, phase::first_byte, delivery::maybe_processed);
    wire->will_answer(401);
    wire->will_answer(failure(make_error_code(http::errc::connection_lost), phase::write, delivery::not_sent, "lost"));
    check_failure(send(post()), http::errc::connection_lost, phase::write, delivery::not_sent);
}

BOOST_AUTO_TEST_CASE(a_lack_of_scope_is_a_failure_that_costs_no_token)
{
    // B5
    tokens->will_give(token("gold1"));
    wire->will_answer(
        refusal("Bearer error=\"insufficient_scope\", scope=\"write:orders\", error_description=\"more\"", 403));
    auto const& got = send(get());
    check_failure(got, oauth2::errc::insufficient_scope, phase::token, delivery::answered);
    BOOST_TEST(got.error().diag().peer_code == "insufficient_scope");
    BOOST_TEST(got.error().diag().peer_text == "more (scope: write:orders)");
    BOOST_TEST(got.error().diag().http_status.value() == 403);
    BOOST_TEST(tokens->calls() == 1U);
    BOOST_TEST(wire->calls() == 1U);
    BOOST_TEST(seen->refusals.empty());
}

BOOST_AUTO_TEST_CASE(what_the_server_calls_an_invalid_request_is_an_answer_and_costs_no_token)
{
    // B5
    tokens->otherwise([&](auto const&) { return token("gold1", 0s); });
    wire->will_answer(refusal("Bearer error=\"invalid_request\"", 400));
    auto const& got = send(get());
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->status() == 400);
    BOOST_TEST(got->text() == "refused");
    BOOST_TEST(tokens->calls() == 1U);

    wire->will_answer(403);  // and a plain 403 is one as well
    tokens->will_give(token("gold1"));
    BOOST_TEST(send(get())->status() == 403);
    BOOST_TEST(tokens->calls() == 2U);
}

BOOST_AUTO_TEST_CASE(another_4xx_with_a_token_that_has_expired_meanwhile_is_asked_again)
{
    // B8
    tokens->will_give(token("gold1", 1s));
    tokens->will_give(token("gold2"));
    wire->hold();
    wire->will_answer(404);
    wire->will_answer(200, "there");
    auto& call = start(get());
    settle(io);
    time->advance(2s);
    wire->release();
    settle(io);
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST(call.outcome()->status() == 200);
    BOOST_TEST(wire->requests().at(1).authorization == "Bearer gold2");
    BOOST_TEST(seen->refusals.empty());  // nobody refused it
}

BOOST_AUTO_TEST_CASE(another_4xx_is_the_answer_if_the_token_is_valid_or_the_request_may_not_be_repeated)
{
    // B8
    tokens->otherwise([&](auto const&) { return token("gold1"); });
    wire->will_answer(404);
    BOOST_TEST(send(get())->status() == 404);
    BOOST_TEST(tokens->calls() == 1U);

    tokens->otherwise([&](auto const&) { return token("gold1", 0s); });
    wire->will_answer(409);
    BOOST_TEST(send(post())->status() == 409);
    for (int const status : {408, 425, 429}) {
        wire->will_answer(status);
        BOOST_TEST(send(get())->status() == status);
    }
    BOOST_TEST(tokens->calls() == 5U);

    wire->will_answer(409);
    wire->will_answer(201);
    BOOST_TEST(send(post().replayable())->status() == 201);
}

BOOST_AUTO_TEST_CASE(another_4xx_stays_the_answer_if_no_other_token_can_be_had)
{
    // B8
    tokens->will_give(token("gold1", 0s));
    tokens->will_give(failure(make_error_code(oauth2::errc::server_error), phase::token, delivery::not_sent, "down"));
    wire->will_answer(404, "nothing here");
    auto const& got = send(get());
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->status() == 404);
    BOOST_TEST(got->text() == "nothing here");
}

BOOST_AUTO_TEST_CASE(ten_thousand_requests_whose_token_is_refused_cause_one_token_request)
{
    // B4: a 401 for an old token must not cost the new one.
    constexpr std::size_t many = 10'000;
    auto const cache = oauth2::with_cache(tokens, serial(io), time);
    api = over(cache);
    tokens->will_give(token("gold1"));
    wire->otherwise([](fake_transport::seen const& r) {
        return r.authorization == "Bearer gold2" ? fake_transport::answer(200)
                                                 : refusal("Bearer error=\"invalid_token\"");
    });
    started<result<oauth2::token_ptr>> warm(io, cache->get(oauth2::token_demand()));
    settle(io);
    BOOST_TEST(tokens->calls() == 1U);

    time->advance(1min);
    tokens->otherwise([&](auto const&) { return token("gold2"); });
    wire->hold();
    for (std::size_t i = 0; i != many; ++i)
        start(post());
    settle(io);
    BOOST_TEST(wire->waiting() == many);
    wire->release();
    settle(io);

    BOOST_TEST(tokens->calls() == 2U);
    BOOST_TEST(wire->calls() == 2 * many);
    std::size_t served = 0;
    for (auto const& c : calls)
        served += c.done() && c.outcome() && c.outcome()->status() == 200;
    BOOST_TEST(served == many);

    // Nor does one who comes late with the old token.
    std::set<std::string> used;
    for (auto const& r : wire->requests())
        used.insert(r.authorization);
    BOOST_TEST(used.size() == 2U);
    BOOST_TEST(cache->snapshot().token_requests == 2U);
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_every_token_gets_two_and_no_more)
{
    // B4: the circuit opens with a diagnosis instead of a loop.
    auto const cache = oauth2::with_cache(tokens, serial(io), time);
    api = over(cache);
    int made = 0;
    tokens->otherwise([&](auto const&) { return token("token" + std::to_string(++made)); });
    wire->otherwise([](auto const&) { return refusal("Bearer error=\"invalid_token\""); });
    for (int i = 0; i != 20; ++i) {
        auto const& got = send(get());
        check_failure(got, oauth2::errc::token_refused, phase::token, delivery::answered);
        time->advance(10ms);
    }
    BOOST_TEST(made == 2);
    BOOST_TEST(cache->snapshot().circuit_open);
    BOOST_TEST(seen->refusals.back().circuit_opened);
}

BOOST_AUTO_TEST_CASE(waiting_for_the_token_is_told_and_counts_against_the_deadline)
{
    auto const begun = time->now();
    tokens->hold();
    tokens->will_give(token("gold1"));
    wire->will_answer(200);
    auto& call = start(get().deadline(10s));
    settle(io);
    time->advance(3s);
    tokens->release();
    settle(io);
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST((call.outcome()->phases().token == 3s));
    BOOST_TEST((wire->requests().at(0).until.value() == begun + 10s));
}

BOOST_AUTO_TEST_CASE(a_wasted_exchange_is_told_as_time_spent_on_the_token)
{
    tokens->otherwise([&](auto const&) { return token("gold1"); });
    wire->hold();
    wire->will_answer(401);
    wire->will_answer(200);
    auto& call = start(get());
    settle(io);
    time->advance(2s);
    wire->release();
    settle(io);
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST((call.outcome()->phases().token == 2s));
}

BOOST_AUTO_TEST_CASE(the_source_is_told_until_when_the_caller_can_wait)
{
    struct {
        std::optional<duration> within;
        std::optional<duration> until;
        std::optional<duration> expected;
    } const cases[] = {{{}, {}, {}}, {5s, {}, 5s}, {{}, 7s, 7s}, {5s, 7s, 5s}, {9s, 7s, 7s}, {-1s, {}, -1s}};
    for (auto const& c : cases) {
        std::optional<time_point> told;
        tokens->otherwise([&](oauth2::token_demand const& d) {
            told = d.deadline();
            return token("gold1");
        });
        wire->will_answer(200);
        auto what = get();
        if (c.within)
            what.deadline(*c.within);
        if (c.until)
            what.deadline(time->now() + *c.until);
        BOOST_TEST(send(std::move(what)).has_value());
        BOOST_TEST(told.has_value() == c.expected.has_value());
        if (told && c.expected)
            BOOST_TEST((*told == time->now() + *c.expected));
    }
}

BOOST_AUTO_TEST_CASE(cancelled_while_it_waits_for_a_token_nothing_is_sent)
{
    tokens->hold();
    auto& call = start(get());
    settle(io);
    call.cancel();
    settle(io);
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST((call.outcome().error().code() == cond::cancelled));
    BOOST_TEST((call.outcome().error().delivery() == delivery::not_sent));
    BOOST_TEST(wire->calls() == 0U);
    tokens->release();
    settle(io);
}

BOOST_AUTO_TEST_CASE(cancelled_while_it_waits_for_the_second_token_it_says_that_the_server_answered)
{
    tokens->will_give(token("gold1"));
    wire->hold();
    wire->will_answer(401);
    auto& call = start(get());
    settle(io);
    tokens->hold();
    wire->release();
    settle(io);
    BOOST_TEST(!call.done());
    call.cancel();
    settle(io);
    BOOST_TEST_REQUIRE(call.done());
    check_failure(call.outcome(), errc::cancelled, phase::token, delivery::answered);
    tokens->release();
    settle(io);
}

BOOST_AUTO_TEST_CASE(cancelled_on_the_wire_the_transport_says_what_is_known)
{
    tokens->will_give(token("gold1"));
    wire->hold();
    auto& call = start(get());
    settle(io);
    call.cancel();
    settle(io);
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST((call.outcome().error().code() == cond::cancelled));
    BOOST_TEST((call.outcome().error().delivery() == delivery::maybe_processed));
    wire->release();
    settle(io);
}

BOOST_AUTO_TEST_CASE(the_callers_way_of_hearing_of_cancellation_is_left_as_it_was)
{
    tokens->otherwise([&](auto const&) { return token("gold1"); });
    wire->otherwise([](auto const&) { return fake_transport::answer(401); });
    auto const user = [](std::shared_ptr<http::transport> t, bool way) -> asio::awaitable<bool> {
        co_await asio::this_coro::throw_if_cancelled(way);
        auto what = get();
        auto const got = co_await t->send(std::move(what));
        bool const after = co_await asio::this_coro::throw_if_cancelled();
        co_return !got && after == way;
    };
    for (bool const way : {true, false}) {
        started<bool> ran(io, user(api, way));
        settle(io);
        BOOST_TEST(ran.outcome());
    }
}

BOOST_AUTO_TEST_CASE(calls_in_flight_outlive_the_handle)
{
    tokens->hold();
    tokens->will_give(token("gold1"));
    wire->will_answer(200);
    auto& call = start(get());
    settle(io);
    api.reset();
    tokens->release();
    settle(io);
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST(call.outcome()->status() == 200);
}

BOOST_AUTO_TEST_CASE(an_observer_that_throws_changes_nothing)
{
    seen->throws = true;
    tokens->otherwise([&](auto const&) { return token("gold1"); });
    wire->will_answer(401);
    wire->will_answer(200);
    BOOST_TEST(send(get())->status() == 200);
}

BOOST_AUTO_TEST_SUITE_END()
