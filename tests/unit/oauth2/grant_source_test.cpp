// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/sources.hpp>

#include <jeton/http/error.hpp>
#include <jeton/oauth2/error.hpp>
#include <jeton/testing/fake_transport.hpp>
#include <jeton/testing/manual_clock.hpp>

#include "support/run.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace jeton;
using namespace jeton::oauth2;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

struct listening final : observer {
    std::vector<std::string> grants{};
    void on(happening const& what) override
    {
        if (auto const* t = std::get_if<happenings::token_requested>(&what))
            grants.push_back(t->endpoint + ' ' + t->grant);
    }
};

struct fixture {
    asio::io_context io;
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    std::shared_ptr<fake_transport> wire = std::make_shared<fake_transport>(serial(io));
    std::shared_ptr<listening> ear = std::make_shared<listening>();
    token_endpoint endpoint{};
    std::deque<std::string> keys{"s3cret"};
    std::shared_ptr<token_source> source{};
    std::deque<started<result<token_ptr>>> callers{};

    fixture() { endpoint.url = "https://auth.example/token?t=1"; }

    void make()
    {
        source = make_grant_source(
            wire, serial(io), endpoint,
            [this]() -> result<client_identity> {
                client_identity i;
                i.id = "me";
                i.key = secret(std::string_view(keys.front()));
                if (keys.size() > 1)
                    keys.pop_front();
                return i;
            },
            time, ear);
    }

    result<token_ptr> get(token_demand demand = {})
    {
        if (!source)
            make();
        auto& c = callers.emplace_back(io, source->get(std::move(demand)));
        settle(io);
        return c.outcome();
    }

    void will_grant(std::string const& name, std::string const& more = {})
    {
        wire->will_answer(200,
                          R"({"access_token":")" + name + R"(","token_type":"Bearer","expires_in":60)" + more + "}");
    }

    std::string body(std::size_t nth) const { return wire->requests().at(nth).body; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(oauth2_grant_source, fixture)

BOOST_AUTO_TEST_CASE(a_token_is_asked_for_and_its_age_counts_from_before_the_request_left)
{
    // A1, A2, A21
    wire->hold();
    will_grant("t");
    make();
    auto const asked = time->now();
    auto& c = callers.emplace_back(io, source->get({}));
    settle(io);
    time->advance(3s);
    wire->release();
    settle(io);
    auto const t = c.outcome().value();
    BOOST_TEST((t->sent().boot == asked));
    BOOST_TEST((t->left(time->both()) == 57s));
    auto const seen = wire->requests().at(0);
    BOOST_TEST(seen.target == "https://auth.example/token?t=1");
    BOOST_TEST(seen.body == "grant_type=client_credentials&client_id=me&client_secret=s3cret");
    BOOST_TEST(seen.has_secret_body);
    BOOST_TEST(!seen.wants_token);
    BOOST_TEST(seen.authorization.empty());
    BOOST_TEST((seen.within == 10s));
    BOOST_TEST((ear->grants == std::vector<std::string>{"https://auth.example/token client_credentials"}));
}

BOOST_AUTO_TEST_CASE(basic_travels_in_the_header_alone)
{
    // A3, A4
    endpoint.auth = client_auth::client_secret_basic;
    will_grant("t");
    BOOST_TEST(get().has_value());
    BOOST_TEST(wire->requests().at(0).authorization == "Basic bWU6czNjcmV0");
    BOOST_TEST(body(0) == "grant_type=client_credentials");
}

BOOST_AUTO_TEST_CASE(what_was_sent_is_not_quoted_in_whatever_encoding_it_was_sent)
{
    // A3
    keys = {"p:a/s+s \"w%rd"};
    std::string const plain = keys.front();
    std::string const form = "p%3Aa%2Fs%2Bs+%22w%25rd";
    std::string const in_json = R"(p:a/s+s \"w%rd)";
    struct {
        client_auth auth;
        body_kind body;
        std::string echo;
        bool shown;
    } const cases[] = {
        {client_auth::client_secret_basic, body_kind::form, "bWU6cCUzQWElMkZzJTJCcyslMjJ3JTI1cmQ=", false},
        {client_auth::client_secret_basic, body_kind::form, "bWU6cCUzQWElMkZzJTJCcyslMjJ3JTI1cmQ", false},
        {client_auth::client_secret_basic, body_kind::form, "me:" + form, false},
        {client_auth::client_secret_basic_raw, body_kind::form, "bWU6cDphL3MrcyAidyVyZA==", false},
        {client_auth::client_secret_post, body_kind::form, "client_id=me&client_secret=" + form, false},
        {client_auth::client_secret_post, body_kind::json, in_json, false},
        {client_auth::client_secret_post, body_kind::form, plain, false},
        {client_auth::client_secret_basic, body_kind::form, "Basic, but of whom? bWU6bWU=", true},
    };
    for (auto const& c : cases)
        BOOST_TEST_CONTEXT(c.echo)
        {
            endpoint.auth = c.auth;
            endpoint.body = c.body;
            make();
            std::string quoted;
            for (char const ch : c.echo) {
                if (ch == '"' || ch == '\\')
                    quoted += '\\';
                quoted += ch;
            }
            wire->will_answer(400, R"({"error":"invalid_request","error_description":"got )" + quoted + R"("})");
            auto const in_text = get().error().diag();
            wire->will_answer(400, "<p>got " + c.echo + "</p>");
            auto const in_page = get().error().diag();
            for (auto const& d : {in_text, in_page})
                BOOST_TEST((d.peer_text.find(c.echo) != std::string::npos) == c.shown);
        }
}

BOOST_AUTO_TEST_CASE(a_refresh_token_is_not_quoted_either)
{
    // A3
    endpoint.refresh = refresh_use::with_client;
    will_grant("t", R"(,"refresh_token":"r/1+")");
    BOOST_TEST(get().has_value());
    for (auto const echo : {"r/1+", "r%2F1%2B"}) {
        wire->will_answer(503, std::string(R"({"error":"x","error_description":"got )") + echo + R"("})");
        BOOST_TEST(get().error().diag().peer_text.find(echo) == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_breaks_a_rule_is_refused_at_construction)
{
    // A1, A6
    endpoint.url = "http://auth.example/token";
    BOOST_CHECK_THROW(make(), error);
    endpoint.url = "https://auth.example/token";
    BOOST_CHECK_THROW(make_grant_source(
                          nullptr, serial(io), endpoint, [] { return client_identity(); }, time),
                      std::invalid_argument);
    BOOST_TEST(wire->calls() == 0u);
}

BOOST_AUTO_TEST_CASE(an_identity_that_cannot_be_sent_or_read_sends_nothing)
{
    // A3
    keys = {"a\nb"};
    BOOST_TEST((get().error().code() == oauth2::errc::bad_client));
    source = make_grant_source(
        wire, serial(io), endpoint, []() -> result<client_identity> { throw std::runtime_error("disk"); }, time);
    BOOST_TEST((get().error().code() == jeton::errc::unexpected));
    source = make_grant_source(
        wire, serial(io), endpoint,
        []() -> result<client_identity> {
            return failure(oauth2::errc::bad_credentials_source, phase::configure, delivery::not_sent, "no file");
        },
        time);
    BOOST_TEST((get().error().code() == oauth2::errc::bad_credentials_source));
    BOOST_TEST(wire->calls() == 0u);
}

BOOST_AUTO_TEST_CASE(a_body_kind_is_never_probed)
{
    // A19
    endpoint.body = body_kind::json;
    wire->will_answer(400, R"({"error":"invalid_request"})");
    BOOST_TEST((get().error().code() == oauth2::errc::invalid_request));
    BOOST_TEST(wire->calls() == 1u);
    BOOST_TEST(wire->requests().at(0).header("content-type") == "application/json");
}

BOOST_AUTO_TEST_CASE(a_redirect_is_not_followed)
{
    // A18
    wire->will_answer(fake_transport::answer(307, {{"Location", "https://evil.example/"}}));
    BOOST_TEST((get().error().code() == oauth2::errc::redirect));
    BOOST_TEST(wire->calls() == 1u);
}

BOOST_AUTO_TEST_CASE(what_the_transport_reports_is_told_as_the_token_endpoints)
{
    wire->will_answer(failure(http::errc::connection_lost, phase::connect, delivery::not_sent, "10.0.0.1:443 refused"));
    auto const why = get().error();
    BOOST_TEST((why.phase() == phase::token));
    BOOST_TEST((why.delivery() == delivery::not_sent));
    BOOST_TEST(why.diag().ours
               == "token endpoint https://auth.example/token gave no answer (connect): 10.0.0.1:443 refused");
}

BOOST_AUTO_TEST_CASE(a_rotated_secret_is_tried_once_within_the_same_call)
{
    // FAULTS 52
    keys = {"old", "new"};
    wire->will_answer(401, R"({"error":"invalid_client"})");
    will_grant("t");
    BOOST_TEST(get().has_value());
    BOOST_TEST(body(0).ends_with("client_secret=old"));
    BOOST_TEST(body(1).ends_with("client_secret=new"));
}

BOOST_AUTO_TEST_CASE(a_secret_that_has_not_changed_is_not_tried_again)
{
    wire->will_answer(401, R"({"error":"invalid_client"})");
    BOOST_TEST((get().error().code() == oauth2::errc::invalid_client));
    BOOST_TEST(wire->calls() == 1u);
    keys = {"a", "b", "c"};
    wire->will_answer(401, "");
    wire->will_answer(401, "");
    BOOST_TEST((get().error().code() == oauth2::errc::refused));
    BOOST_TEST(wire->calls() == 3u);
}

BOOST_AUTO_TEST_CASE(a_refresh_token_is_ignored_unless_it_is_asked_for)
{
    // A17
    will_grant("a", R"(,"refresh_token":"r1")");
    will_grant("b");
    (void)get();
    BOOST_TEST(get().has_value());
    BOOST_TEST(body(1) == body(0));
}

BOOST_AUTO_TEST_CASE(a_refresh_token_is_used_kept_and_replaced)
{
    // A17, A20
    endpoint.refresh = refresh_use::without_client;
    endpoint.scope = "read";
    will_grant("a", R"(,"refresh_token":"r1")");
    will_grant("b");
    will_grant("c", R"(,"refresh_token":"r2")");
    will_grant("d");
    for (int i = 0; i != 4; ++i)
        BOOST_TEST(get().has_value());
    BOOST_TEST(body(1) == "grant_type=refresh_token&refresh_token=r1");  // and no scope: never widened
    BOOST_TEST(body(2) == "grant_type=refresh_token&refresh_token=r1");
    BOOST_TEST(body(3) == "grant_type=refresh_token&refresh_token=r2");
    BOOST_TEST(ear->grants.back() == "https://auth.example/token refresh_token");
}

BOOST_AUTO_TEST_CASE(a_refused_refresh_token_falls_back_to_client_credentials_once_within_the_same_call)
{
    // A17, A20
    for (int const status : {400, 401}) {
        fixture f;
        f.endpoint.refresh = refresh_use::without_client;
        f.will_grant("a", R"(,"refresh_token":"r1")");
        (void)f.get();
        f.wire->will_answer(status, R"({"error":"invalid_grant"})");
        f.will_grant("b");
        BOOST_TEST(f.get().value()->access() == "b");
        BOOST_TEST(f.body(2).starts_with("grant_type=client_credentials"));
        f.will_grant("c");
        BOOST_TEST(f.get().has_value());
        BOOST_TEST(f.body(3).starts_with("grant_type=client_credentials"));  // r1 is forgotten
    }
}

BOOST_AUTO_TEST_CASE(when_both_are_refused_the_second_answer_is_the_error)
{
    // A20
    endpoint.refresh = refresh_use::without_client;
    will_grant("a", R"(,"refresh_token":"r1")");
    (void)get();
    wire->will_answer(400, R"({"error":"invalid_grant"})");
    wire->will_answer(400, R"({"error":"unauthorized_client"})");
    BOOST_TEST((get().error().code() == oauth2::errc::unauthorized_client));
    BOOST_TEST(wire->calls() == 3u);
}

BOOST_AUTO_TEST_CASE(a_refresh_that_fails_otherwise_is_no_reason_to_fall_back)
{
    // A20
    endpoint.refresh = refresh_use::with_client;
    will_grant("a", R"(,"refresh_token":"r1")");
    (void)get();
    wire->will_answer(503, "");
    BOOST_TEST((get().error().code() == cond::transient));
    BOOST_TEST(wire->calls() == 2u);
    will_grant("b");
    BOOST_TEST(get().has_value());
    BOOST_TEST(body(2).starts_with("grant_type=refresh_token&refresh_token=r1&client_id=me"));
}

BOOST_AUTO_TEST_CASE(waiters_of_a_cache_see_one_outcome_of_a_refresh_that_falls_back)
{
    // A20
    endpoint.refresh = refresh_use::without_client;
    make();
    auto const cache = with_cache(source, serial(io), time);
    will_grant("a", R"(,"refresh_token":"r1")");
    callers.emplace_back(io, cache->get({}));
    settle(io);
    time->advance(60s);
    wire->will_answer(401, R"({"code":"unauthorized_request","message":"expired"})");
    will_grant("b");
    for (int i = 0; i != 1000; ++i)
        callers.emplace_back(io, cache->get({}));
    settle(io);
    for (std::size_t i = 1; i != callers.size(); ++i)
        BOOST_REQUIRE(callers[i].outcome().value()->access() == "b");
    BOOST_TEST(wire->calls() == 3u);
    BOOST_TEST(cache->snapshot().token_requests == 2u);
}

BOOST_AUTO_TEST_CASE(a_caller_who_is_cancelled_is_told_so)
{
    wire->hold();
    make();
    auto& c = callers.emplace_back(io, source->get({}));
    settle(io);
    c.cancel();
    settle(io);
    BOOST_TEST((c.outcome().error().code() == cond::cancelled));
    BOOST_TEST((c.outcome().error().phase() == phase::token));
}

BOOST_AUTO_TEST_CASE(a_demand_is_held_against_what_came)
{
    will_grant("t");
    BOOST_TEST((get(token_demand::lasting(2min)).error().code() == jeton::errc::misuse));
    will_grant("t");
    auto const t = get().value();
    will_grant("t");
    BOOST_TEST((get(token_demand::instead_of(t)).error().code() == oauth2::errc::token_refused));
}

BOOST_AUTO_TEST_CASE(callers_elsewhere_are_served_where_they_are)
{
    asio::thread_pool pool(2);
    auto const guard = asio::make_work_guard(io);
    std::thread home([this] { io.run(); });
    wire->otherwise([](fake_transport::seen const&) -> result<http::response> {
        return fake_transport::answer(200, {}, R"({"access_token":"t","token_type":"Bearer"})");
    });
    make();
    std::atomic<int> served = 0;
    for (int i = 0; i != 100; ++i)
        asio::co_spawn(pool, source->get({}),
                       [&](std::exception_ptr, result<token_ptr> got) { served += got.has_value(); });
    pool.join();
    BOOST_TEST(served == 100);
    io.stop();
    home.join();
}

BOOST_AUTO_TEST_SUITE_END()
