// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/error.hpp>
#include <jeton/oauth2/error.hpp>

#include "unit/client/offline_client.hpp"

#include <optional>
#include <string>
#include <thread>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

struct fixture : offline_client {
    std::error_code refusal(provider p, bool loopback = false)
    {
        auto o = options();
        o.http.plain_http_on_loopback = loopback;
        try {
            client const made(serial(io), std::move(p), who(), o);
        } catch (error const& e) {
            BOOST_TEST((e.why().delivery() == delivery::not_sent));
            return e.code();
        }
        return {};
    }
};

asio::awaitable<bool> end_of(asio::awaitable<void> op)
{
    co_await std::move(op);
    co_return true;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_client, fixture)

BOOST_AUTO_TEST_CASE(a_request_gets_a_token_and_takes_it_to_the_api)
{
    // A1, A19, B1
    auto const& got = finish(make().get("/things?x=1"));
    BOOST_TEST_REQUIRE(got.has_value(), (got ? "" : got.error().to_string()));
    BOOST_TEST(got->text() == "{\"at\":\"/base/things?x=1\"}");
    BOOST_TEST_REQUIRE(server->requests().size() == 2U);
    auto const& grant = server->requests()[0];
    BOOST_TEST(grant.method == "POST");
    BOOST_TEST(grant.header("Content-Type") == "application/x-www-form-urlencoded");
    BOOST_TEST(grant.header("Authorization").empty());
    BOOST_TEST(grant.body.find("grant_type=client_credentials") != std::string::npos);
    auto const& call = server->requests()[1];
    BOOST_TEST(call.host == "trees.example");
    BOOST_TEST(call.header("Authorization") == "Bearer gold1");

    BOOST_TEST(finish(api->get("/things")).has_value());
    BOOST_TEST(tokens == 1);
    BOOST_TEST(identity_reads == 1);
}

BOOST_AUTO_TEST_CASE(each_method_sends_what_it_says)
{
    make();
    struct {
        client::answer op;
        char const* method;
        char const* body;
    } cases[] = {
        {api->get("a"), "GET", ""},
        {api->del("a"), "DELETE", ""},
        {api->post("a", "{}"), "POST", "{}"},
        {api->put("a", "[1]"), "PUT", "[1]"},
        {api->patch("a", "{}"), "PATCH", "{}"},
        {api->post("a", ""), "POST", ""},
    };
    for (auto& c : cases) {
        BOOST_TEST(finish(std::move(c.op)).has_value());
        auto const& r = server->requests().back();
        BOOST_TEST(r.method == c.method);
        BOOST_TEST(r.target == "/base/a");
        BOOST_TEST(r.body == c.body);
        bool const has_body = r.method.starts_with('P');
        BOOST_TEST(r.header("Content-Type") == (has_body ? "application/json" : ""));
    }
}

BOOST_AUTO_TEST_CASE(the_client_id_is_filled_in_and_read_no_more_often_than_tokens_are_asked_for)
{
    auto& c = make();
    for (int i = 0; i != 3; ++i)
        BOOST_TEST(finish(c.get("/accounts/{CLIENT_ID}/orders"))->text()
                   == "{\"at\":\"/base/accounts/me%2F1/orders\"}");
    BOOST_TEST(identity_reads == 2);  // once before the first token request, once for it
}

BOOST_AUTO_TEST_CASE(a_client_id_that_cannot_be_read_is_the_failure)
{
    api.emplace(serial(io), data(), credentials::from_file("", "/nonexistent"), options());
    auto const& got = finish(api->get("/accounts/{CLIENT_ID}/orders"));
    BOOST_TEST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().code() == oauth2::errc::bad_credentials_source));
    BOOST_TEST(server->connections() == 0U);
}

BOOST_AUTO_TEST_CASE(a_request_that_cannot_be_made_is_not_begun)
{
    // B7
    auto& c = make();
    struct {
        http::request what;
        std::error_code code;
    } const cases[] = {
        {http::request::get("/{NOBODY}"), make_error_code(http::errc::bad_target)},
        {http::request::get("/../admin"), make_error_code(http::errc::bad_target)},
        {http::request::get("/a b"), make_error_code(http::errc::bad_target)},
        {http::request::get("https://evil.example/"), make_error_code(oauth2::errc::foreign_origin)},
        {http::request::get("/a").header("Authorization", "Basic x"), make_error_code(oauth2::errc::own_authorization)},
        {http::request::get("/a").header("X", "\n"), make_error_code(http::errc::bad_field)},
    };
    for (auto const& [what, code] : cases) {
        auto const& got = finish(c.send(what));
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST((got.error().code() == code), got.error().to_string());
        BOOST_TEST((got.error().phase() == phase::configure));
        BOOST_TEST((got.error().delivery() == delivery::not_sent));
    }
    BOOST_TEST(server->connections() == 0U);
}

BOOST_AUTO_TEST_CASE(the_token_goes_to_trusted_origins_and_an_anonymous_request_anywhere)
{
    // B7
    auto p = data();
    p.also_trusted = {"https://files.example"};
    auto& c = make(std::move(p), options());
    BOOST_TEST(finish(c.get("https://files.example/f")).has_value());
    BOOST_TEST(server->requests().back().host == "files.example");
    BOOST_TEST(server->requests().back().header("Authorization") == "Bearer gold1");
    BOOST_TEST(finish(c.send(http::request::get("https://other.example/x").anonymous())).has_value());
    BOOST_TEST(server->requests().back().host == "other.example");
    BOOST_TEST(server->requests().back().target == "/x");
    BOOST_TEST(server->requests().back().header("Authorization").empty());
}

BOOST_AUTO_TEST_CASE(a_provider_that_breaks_a_rule_is_refused_at_construction)
{
    // A6: https only, and this machine only if both the transport and the endpoint are told so.
    auto const with = [&](auto change) {
        auto p = data();
        change(p);
        return p;
    };
    auto const plain = make_error_code(http::errc::plain_http);
    BOOST_TEST(!refusal(data()));
    BOOST_TEST((refusal(with([](auto& p) { p.base_url = ""; })) == http::errc::bad_url));
    BOOST_TEST((refusal(with([](auto& p) { p.base_url = "trees.example"; })) == http::errc::bad_url));
    BOOST_TEST((refusal(with([](auto& p) { p.base_url = "http://trees.example"; }), true) == plain));
    BOOST_TEST((refusal(with([](auto& p) { p.base_url = "http://127.0.0.1"; })) == plain));
    BOOST_TEST(!refusal(with([](auto& p) { p.base_url = "http://127.0.0.1"; }), true));
    BOOST_TEST((refusal(with([](auto& p) { p.also_trusted = {"http://x.example"}; })) == plain));
    BOOST_TEST((refusal(with([](auto& p) { p.path_variables = {{"A", ".."}}; })) == http::errc::bad_target));
    BOOST_TEST((refusal(with([](auto& p) { p.tokens.url = ""; })) == oauth2::errc::bad_endpoint));
    BOOST_TEST((refusal(with([](auto& p) { p.tokens.url = "https://x.example/#f"; })) == oauth2::errc::bad_endpoint));

    auto local = data();
    local.tokens.url = "http://127.0.0.1/token";
    BOOST_TEST(bool(refusal(local, true)));
    local.tokens.plain_http_on_loopback = true;
    BOOST_TEST((refusal(local, false) == plain));
    BOOST_TEST(!refusal(local, true));
}

BOOST_AUTO_TEST_CASE(an_option_that_breaks_its_rule_is_refused_at_construction)
{
    auto o = options();
    o.retry.attempts = 0;
    BOOST_CHECK_THROW(make(data(), o), std::invalid_argument);
    o = options();
    o.http.connections_per_origin = 0;
    BOOST_CHECK_THROW(make(data(), o), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(waiting_for_a_token_counts_against_the_limit_of_the_whole_request)
{
    token_endpoint_hangs = true;
    auto o = options();
    o.http.total = 3s;
    auto& call = start(make(data(), o).get("/a"));
    server->settle();
    time->advance(2900ms);
    server->settle();
    BOOST_TEST(!call.done());
    time->advance(100ms + 20ms);
    server->settle();
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST((call.outcome().error().code() == cond::timeout));
    BOOST_TEST((call.outcome().error().phase() == phase::token));
    BOOST_TEST(call.outcome().error().safe_to_resend());
}

BOOST_AUTO_TEST_CASE(a_thousand_callers_share_one_token_request)
{
    token_endpoint_hangs = true;
    auto& c = make();
    for (int i = 0; i != 1000; ++i)
        start(c.get("/a"));
    server->settle();
    BOOST_TEST(server->requests().size() == 1U);
    BOOST_TEST(c.snapshot().token.waiters == 1000U);
    server->answer_late(
        memory_server::answer(200, "{\"access_token\":\"gold\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
                              "Content-Type: application/json\r\n"));
    server->settle();
    for (auto const& call : calls)
        BOOST_TEST((call.done() && call.outcome().has_value()));
    BOOST_TEST(c.snapshot().token.token_requests == 1U);
}

BOOST_AUTO_TEST_CASE(the_token_can_be_had_for_use_elsewhere)
{
    started<result<oauth2::token_ptr>> got(io, make().token());
    server->settle();
    BOOST_TEST_REQUIRE(got.done());
    BOOST_TEST(got.outcome().value()->access() == "gold1");
}

BOOST_AUTO_TEST_CASE(a_snapshot_tells_of_token_and_pools)
{
    auto& c = make();
    BOOST_TEST(c.snapshot().token.generation == 0U);
    BOOST_TEST(c.snapshot().pools.empty());
    BOOST_TEST(finish(c.get("/a")).has_value());
    auto const now = c.snapshot();
    BOOST_TEST(now.token.generation == 1U);
    BOOST_TEST((now.token.is == oauth2::token_snapshot::state::fresh));
    BOOST_TEST_REQUIRE(now.pools.size() == 1U);
    BOOST_TEST(now.pools[0].origin == "https://trees.example");
    BOOST_TEST(now.pools[0].requests == 2U);
    BOOST_TEST(now.pools[0].idle == 1U);
}

BOOST_AUTO_TEST_CASE(connections_can_be_made_before_the_first_request)
{
    auto& c = make();
    {
        started<result<void>> warming(io, c.warm(3));
        server->settle();
        BOOST_REQUIRE(warming.done());
        BOOST_TEST(warming.outcome().has_value());
    }
    BOOST_TEST_REQUIRE(c.snapshot().pools.size() == 1U);
    BOOST_TEST(c.snapshot().pools[0].idle == 3U);
    BOOST_TEST(tokens == 0);
    started<result<void>> late(io, c.warm(1));
    started<bool> end(io, end_of(c.shut_down()));
    server->settle();
    BOOST_REQUIRE((late.done() && end.done()));
    started<result<void>> refused(io, c.warm(1));
    server->settle();
    BOOST_REQUIRE(refused.done());
    BOOST_TEST((refused.outcome().error().code() == errc::shut_down));
}

BOOST_AUTO_TEST_CASE(shut_down_refuses_what_is_new_and_lets_finish_what_is_in_flight)
{
    auto& c = make();
    BOOST_TEST(finish(c.get("/a")).has_value());
    api_hangs = true;
    auto& call = start(c.post("/slow", "{}"));
    server->settle();

    started<bool> ended(io, end_of(c.shut_down()));
    server->settle();
    BOOST_TEST(!ended.done());
    BOOST_TEST(!call.done());
    auto const& late = finish(c.get("/late"));
    BOOST_TEST((late.error().code() == errc::shut_down));
    BOOST_TEST(late.error().safe_to_resend());

    server->answer_late(memory_server::answer(200, "done"));
    server->settle();
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST(call.outcome()->text() == "done");
    BOOST_TEST(ended.done());
    BOOST_TEST(server->open() == 0U);
    BOOST_TEST(io.stopped());  // nothing keeps run() from returning
    BOOST_TEST(time->alarms_set() == 0U);

    started<result<oauth2::token_ptr>> token(io, c.token());
    server->settle();
    BOOST_TEST((token.outcome().error().code() == errc::shut_down));
    BOOST_TEST(c.snapshot().pools.empty());
}

BOOST_AUTO_TEST_CASE(shut_down_lets_those_finish_who_wait_for_a_token)
{
    token_endpoint_hangs = true;
    auto& c = make();
    auto& call = start(c.get("/a"));
    server->settle();
    started<bool> ended(io, end_of(c.shut_down()));
    server->settle();
    BOOST_TEST(!ended.done());
    server->answer_late(
        memory_server::answer(200, "{\"access_token\":\"gold\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
                              "Content-Type: application/json\r\n"));
    server->settle();
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST(call.outcome().has_value());
    BOOST_TEST(ended.done());
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_CASE(shut_down_may_be_called_again_and_its_callers_may_be_cancelled)
{
    auto& c = make();
    api_hangs = true;
    auto& call = start(c.get("/slow"));
    server->settle();
    started<bool> first(io, end_of(c.shut_down()));
    started<bool> second(io, end_of(c.shut_down()));
    server->settle();
    first.cancel();
    server->settle();
    BOOST_TEST(first.done());
    BOOST_TEST(!second.done());
    server->answer_late(memory_server::answer(200, "done"));
    server->settle();
    BOOST_TEST(call.done());
    BOOST_TEST(second.done());
    started<bool> third(io, end_of(c.shut_down()));
    server->settle();
    BOOST_TEST(third.done());
}

BOOST_AUTO_TEST_CASE(shut_down_of_a_client_that_was_never_used_completes)
{
    started<bool> ended(io, end_of(make().shut_down()));
    server->settle();
    BOOST_TEST(ended.done());
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_CASE(destroying_the_client_cancels_what_is_in_flight)
{
    auto& c = make();
    BOOST_TEST(finish(c.get("/a")).has_value());
    api_hangs = true;
    auto& call = start(c.get("/slow"));
    server->settle();
    api.reset();
    server->settle();
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST((call.outcome().error().code() == cond::cancelled), call.outcome().error().to_string());
    BOOST_TEST(server->open() == 0U);
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_CASE(destroying_the_client_ends_the_wait_for_a_token)
{
    token_endpoint_hangs = true;
    auto& c = make();
    auto& call = start(c.get("/a"));
    started<result<oauth2::token_ptr>> token(io, c.token());
    server->settle();
    api.reset();
    server->settle();
    BOOST_TEST_REQUIRE(call.done());
    BOOST_TEST(!call.outcome().has_value());
    BOOST_TEST(call.outcome().error().safe_to_resend());
    BOOST_TEST_REQUIRE(token.done());
    BOOST_TEST(!token.outcome().has_value());
    BOOST_TEST(server->open() == 0U);
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_CASE(destroying_the_client_while_it_shuts_down_ends_that)
{
    auto& c = make();
    api_hangs = true;
    auto& call = start(c.get("/slow"));
    server->settle();
    started<bool> ended(io, end_of(c.shut_down()));
    server->settle();
    api.reset();
    server->settle();
    BOOST_TEST(call.done());
    BOOST_TEST(ended.done());
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_CASE(a_context_may_die_with_calls_in_flight_once_the_client_is_gone)
{
    struct own {
        asio::io_context io;
    };
    auto world = std::make_unique<own>();
    auto far = std::make_shared<memory_server>(world->io);
    far->answers([](auto const&) { return std::string(); });
    auto o = options();
    o.http.connector = far;
    {
        client c(serial(world->io), data(), who(), o);
        auto call = c.get("/a");
        asio::co_spawn(world->io, std::move(call), [](std::exception_ptr, auto const&) {});
        far->settle();
    }
    o.http.connector.reset();
    far.reset();
    world.reset();
}

BOOST_AUTO_TEST_CASE(a_client_can_be_moved)
{
    client first(serial(io), data(), who(), options());
    client second(std::move(first));
    BOOST_TEST(finish(second.get("/a")).has_value());
    client third(serial(io), data(), who(), options());
    third = std::move(second);
    BOOST_TEST(finish(third.get("/a")).has_value());
    BOOST_TEST(tokens == 1);
}

BOOST_AUTO_TEST_CASE(a_request_may_be_made_ready_on_one_thread_and_sent_on_another)
{
    auto& c = make();
    std::optional<client::answer> op;
    std::thread([&] { op.emplace(c.get("/accounts/{CLIENT_ID}")); }).join();
    BOOST_TEST(finish(std::move(*op)).has_value());
}

BOOST_AUTO_TEST_CASE(an_awaitable_that_is_dropped_does_not_hold_up_the_end)
{
    auto& c = make();
    {
        auto const dropped = c.get("/a");
    }
    started<bool> ended(io, end_of(c.shut_down()));
    server->settle();
    BOOST_TEST(ended.done());
    BOOST_TEST(server->connections() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
