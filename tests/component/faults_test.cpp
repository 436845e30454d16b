// SPDX-License-Identifier: BSL-1.0
#include "component/sandboxed.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>
#include <jeton/oauth2/error.hpp>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view balance = R"({"amount":1234.56,"currency":"usd"})";

std::string why(result<http::response> const& r) { return r ? std::string("it succeeded") : r.error().to_string(); }

struct fixture : sandboxed {
    // One attempt only: what the transport makes of a fault, before retries soften it.
    client& use_without_retries(std::string_view name)
    {
        auto o = options();
        o.retry.attempts = 1;
        return use(name, o);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(component_faults, fixture)

BOOST_AUTO_TEST_CASE(half_an_answer_is_no_answer)
{
    // J8, J20: an orderly close before the declared length.
    use("datacrunch");
    world.on_api_request(fault().half_a_body());
    auto const half = get("/balance");
    BOOST_REQUIRE(!half);
    BOOST_TEST((half.error().code() == http::errc::incomplete));
    BOOST_TEST((half.error().delivery() == delivery::answered));
    BOOST_TEST(get("/balance")->text() == balance);
}

BOOST_AUTO_TEST_CASE(an_answer_cut_without_close_notify_is_no_answer)
{
    // M7, J8
    use("datacrunch");
    world.on_api_request(fault().half_a_body().then(fault::ending::close_without_notify));
    auto const half = get("/balance");
    BOOST_REQUIRE(!half);
    BOOST_TEST(!half.error().safe_to_resend());
    // M7: after a whole message it does not matter.
    world.on_api_request(fault().then(fault::ending::close_without_notify));
    BOOST_TEST(get("/balance")->text() == balance);
    BOOST_TEST(get("/balance")->text() == balance);
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_with_the_connection_needs_a_close_notify)
{
    // J7
    use("datacrunch");
    auto const raw = "HTTP/1.1 200 OK\r\n\r\nall there is";
    world.on_api_request(fault().raw(raw).then(fault::ending::close));
    BOOST_TEST(get("/balance")->text() == "all there is");
    world.on_api_request(fault().raw(raw).then(fault::ending::close_without_notify));
    auto const cut = get("/balance");
    BOOST_REQUIRE(!cut);
    BOOST_TEST((cut.error().code() == net::errc::truncated));
}

BOOST_AUTO_TEST_CASE(surplus_bytes_are_never_an_answer)
{
    // J13, J14
    use("datacrunch");
    BOOST_TEST(get("/balance")->text() == balance);
    for (int i = 0; i != 20; ++i) {
        world.on_api_request(fault().surplus("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"));
        BOOST_TEST(get("/balance")->text() == balance);
        auto const next = get("/balance");
        BOOST_TEST(next->text() == balance);
        BOOST_TEST(!next->reused());
    }
}

BOOST_AUTO_TEST_CASE(a_get_survives_the_reset_of_a_reused_connection)
{
    // J15, J16: idempotent, on a reused connection, no byte of an answer: once more.
    use("datacrunch");
    BOOST_TEST(get("/balance")->status() == 200);
    world.on_api_request(fault().reset());
    auto const again = get("/balance");
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->attempts() == 2);
    BOOST_TEST(world.seen("GET", "/datacrunch/v1/balance") == 3U);
}

BOOST_AUTO_TEST_CASE(a_post_is_on_the_wire_once_whatever_happens_to_it)
{
    // J15: maybe processed, so never again by itself.
    use("datacrunch");
    BOOST_TEST(get("/balance")->status() == 200);
    int number = 0;
    for (auto const after : {fault::part::nothing, fault::part::head, fault::part::half}) {
        world.on_api_request(fault().only("POST").reset(after));
        auto const lost = post("/instances", R"({"instance_type":"T)" + std::to_string(++number) + "\"}");
        BOOST_REQUIRE(!lost);
        BOOST_TEST(!lost.error().safe_to_resend());
        BOOST_TEST((lost.error().delivery()
                    == (after == fault::part::nothing ? delivery::maybe_processed : delivery::answered)));
    }
    BOOST_TEST(world.most_repeated("POST") == 1U);
    BOOST_TEST(world.seen("POST", "/datacrunch/v1/instances") == 3U);
    // The caller may say that it is safe.
    world.on_api_request(fault().only("POST").reset());
    BOOST_TEST(run(api->send(http::request::post("/instances", R"({"instance_type":"T9"})").replayable()))->status()
               == 202);
    BOOST_TEST(world.most_repeated("POST") == 2U);
}

BOOST_AUTO_TEST_CASE(connections_that_die_after_three_requests_fail_no_get_and_double_no_post)
{
    // J14, J15: keep-alive death, unannounced, under load.
    use("datacrunch");
    world.set_requests_per_connection(3);
    constexpr int callers = 40, rounds = 25;
    int gets = 0, posts = 0, unsafe = 0, left = callers;
    auto const caller = [](client& with, int me, int& got, int& posted, int& lost, int& open) -> asio::awaitable<void> {
        for (int i = 0; i != rounds; ++i) {
            auto const balanced = co_await with.get("/balance");
            got += balanced && balanced->status() == 200;
            auto const made = co_await with.post("/instances", R"({"instance_type":")" + std::to_string(me) + '.'
                                                                   + std::to_string(i) + "\"}");
            if (made)
                posted += made->status() == 202;
            else
                lost += !made.error().safe_to_resend();
        }
        --open;
    };
    for (int i = 0; i != callers; ++i)
        asio::co_spawn(io, caller(*api, i, gets, posts, unsafe, left), asio::detached);
    until([&] { return left == 0; });
    BOOST_TEST(gets == callers * rounds);
    BOOST_TEST(posts + unsafe == callers * rounds);
    BOOST_TEST(world.most_repeated("POST") == 1U);
    BOOST_TEST_MESSAGE("posts answered " << posts << ", lost " << unsafe);
}

BOOST_AUTO_TEST_CASE(a_server_that_says_nothing_is_left_at_the_deadline)
{
    use("datacrunch");
    BOOST_TEST(get("/balance")->status() == 200);
    world.on_api_request(fault().hang());
    auto const begin = machine_clock()->now();
    auto const silent = run(api->send(http::request::get("/balance").deadline(100ms)));
    BOOST_TEST(in_ms(machine_clock()->now() - begin) < 100 + 20 * slack);
    BOOST_REQUIRE(!silent);
    BOOST_TEST((silent.error().code() == cond::timeout));
    BOOST_TEST((silent.error().phase() == phase::first_byte));
    BOOST_TEST((silent.error().delivery() == delivery::maybe_processed));
    BOOST_TEST(get("/balance")->status() == 200);
}

BOOST_AUTO_TEST_CASE(a_hanging_handshake_is_left_at_the_deadline)
{
    auto o = options();
    o.http.connecting.tls = 100ms;
    o.http.queue = 1s;
    o.http.total = 3s;
    o.retry.attempts = 1;
    use("datacrunch", o);
    world.on_connection(fault().hang().until_cleared());
    auto const silent = get("/balance");
    BOOST_REQUIRE(!silent);
    BOOST_TEST((silent.error().code() == cond::timeout), silent.error().to_string());
    BOOST_TEST(silent.error().safe_to_resend());
    BOOST_TEST(world.counters().handshakes == 0U);
    world.clear_faults();
    world.close_connections();
}

BOOST_AUTO_TEST_CASE(a_throttled_answer_is_an_answer)
{
    // B8: never for 429.
    use("datacrunch");
    world.on_api_request(fault().status(429, "{}").header("Retry-After", "1"));
    auto const throttled = get("/balance");
    BOOST_REQUIRE(throttled.has_value());
    BOOST_TEST(throttled->status() == 429);
    BOOST_TEST(throttled->header("Retry-After").value_or("") == "1");
    BOOST_TEST(token_requests() == 1U);
}

BOOST_AUTO_TEST_CASE(a_token_endpoint_that_asks_for_patience_gets_it)
{
    // A15: nothing is asked within Retry-After; who has the time waits, who has not is told at once.
    use("alluvial");
    world.on_token_request(fault().status(429, R"({"error":"temporarily_unavailable"})").header("Retry-After", "1"));
    auto const hurried = run(api->send(http::request::get("/eth/v0/status").deadline(300ms)));
    BOOST_REQUIRE(!hurried);
    BOOST_TEST((hurried.error().code() == cond::transient));
    BOOST_TEST((hurried.error().phase() == phase::token));
    BOOST_TEST(hurried.error().diag().retry_at.has_value());
    BOOST_TEST(token_requests() == 1U);

    auto const begin = machine_clock()->now();
    auto const patient = run(api->send(http::request::get("/eth/v0/status").deadline(30s)));
    BOOST_REQUIRE(patient.has_value());
    BOOST_TEST(patient->status() == 200);
    BOOST_TEST(in_ms(machine_clock()->now() - begin) > 500);
    BOOST_TEST(token_requests() == 2U);
}

BOOST_AUTO_TEST_CASE(token_answers_that_are_none_are_refused_and_nothing_is_asked_of_the_api)
{
    struct row {
        char const* what;
        fault spoilt;
        std::error_code code;
    };
    using oauth2::errc;
    row const rows[] = {
        {"A9", fault().expires_in("-1"), errc::bad_expires_in},
        {"A9", fault().expires_in("1.5"), errc::bad_expires_in},
        {"A9", fault().expires_in("true"), errc::bad_expires_in},
        {"A9", fault().expires_in(R"("1h")"), errc::bad_expires_in},
        {"A7", fault().token("with a blank"), errc::bad_response},
        {"A7", fault().token(""), errc::bad_response},
        {"A7", fault().member("access_token", "12"), errc::bad_response},
        {"A7", fault().without_member("access_token"), errc::bad_response},
        {"A8", fault().without_member("token_type"), errc::bad_token_type},
        {"A8", fault().member("token_type", R"("mac")"), errc::bad_token_type},
        {"A10", fault().member("x", R"(1,"x":2)"), errc::bad_response},
        {"A12", fault().status(200, "<html>log in</html>"), errc::bad_response},
        {"A12", fault().status(403), errc::refused},
        {"A13", fault().status(200, R"({"error":"invalid_scope"})"), errc::invalid_scope},
        {"A14", fault().status(400, R"({"error":"invalid_client"})"), errc::invalid_client},
        {"A18", fault().status(307).header("Location", "https://127.0.0.1/elsewhere?hush=1"), errc::redirect},
    };
    for (auto const& r : rows) {
        use_without_retries("datacrunch");
        auto const before = world.counters();
        world.on_token_request(r.spoilt);
        auto const refused = get("/balance");
        BOOST_TEST_CONTEXT(r.what)
        {
            BOOST_REQUIRE(!refused);
            BOOST_TEST((refused.error().code() == r.code), refused.error().to_string());
            BOOST_TEST((refused.error().phase() == phase::token));
            BOOST_TEST(refused.error().safe_to_resend());
            BOOST_TEST(refused.error().to_string().find("hush") == std::string::npos);
            BOOST_TEST(world.counters().api_requests == before.api_requests);
        }
        run(api->shut_down());
        world.clear_faults();
    }
}

BOOST_AUTO_TEST_CASE(lifetimes_in_other_guises_are_understood)
{
    // A9
    for (auto const& spoilt : {fault().expires_in(R"("3600")"), fault().expires_in("3600.0"),
                               fault().without_expires_in(), fault().expires_in("1e12")}) {
        use("datacrunch");
        world.on_token_request(spoilt);
        auto const first = get("/balance");
        BOOST_REQUIRE_MESSAGE(first.has_value(), why(first));
        BOOST_TEST(get("/balance")->status() == 200);
        run(api->shut_down());
    }
    BOOST_TEST(token_requests() == 4U);
}

BOOST_AUTO_TEST_CASE(a_failed_refresh_does_not_take_away_a_usable_token)
{
    // A7, A14: the old token is served while the endpoint is down.
    use("datacrunch");
    BOOST_TEST(get("/balance")->status() == 200);
    world.token_endpoint_down(fault().status(503));
    time->skip(57min);
    for (int i = 0; i != 50; ++i)
        BOOST_TEST(get("/balance")->status() == 200);
    until([&] { return token_requests() > 1; });
    BOOST_TEST(token_requests() < 5U);
    world.token_endpoint_up();
}

BOOST_AUTO_TEST_CASE(a_revoked_token_costs_one_refresh_and_the_request_is_sent_again)
{
    // B4
    use("alluvial");
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    world.revoke_all_tokens();
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    BOOST_TEST(token_requests() == 2U);
    BOOST_TEST(world.counters().unauthorized == 1U);
    // B6: a POST too, since the server refused it unprocessed. Some time later: two in a row would open the circuit.
    time->skip(1min);
    world.revoke_all_tokens();
    auto const made = post("/v0/platform/accounts", R"({"client_request_id":"r"})");
    BOOST_REQUIRE_MESSAGE(made.has_value(), why(made));
    BOOST_TEST(made->status() == 201);
    BOOST_TEST(token_requests() == 3U);
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_every_token_is_not_asked_for_ever)
{
    // B4: a fresh token refused again is the end of it, and a circuit keeps the token endpoint from being hammered.
    use("alluvial");
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    world.refuse_every_token(true);
    for (int i = 0; i != 20; ++i) {
        auto const refused = get("/eth/v0/status");
        BOOST_REQUIRE(!refused);
        BOOST_TEST((refused.error().code() == oauth2::errc::token_refused));
    }
    BOOST_TEST(token_requests() <= 3U);
}

BOOST_AUTO_TEST_SUITE_END()
