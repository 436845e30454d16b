// SPDX-License-Identifier: BSL-1.0
#include "component/sandboxed.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>
#include <jeton/oauth2/error.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(component_providers, sandboxed)

BOOST_AUTO_TEST_CASE(alluvial_gives_the_wallet_of_its_guide)
{
    // A19: the JSON body, with the audience of the environment.
    use("alluvial");
    auto const wallet = get("/v0/wallets/0x2B7ff5d4C14A9Da8d5C9354c7A52aB40DdC1C01e");
    BOOST_REQUIRE(wallet.has_value());
    BOOST_TEST(wallet->status() == 200);
    BOOST_TEST(wallet->text().find("128000000000000000000") != std::string_view::npos);
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    BOOST_TEST(get("/eth/v0/status")->reused());
    BOOST_TEST(world.counters("alluvial").token_requests == 1U);
    BOOST_TEST(world.counters("alluvial").refreshes == 0U);
}

BOOST_AUTO_TEST_CASE(alluvial_is_asked_again_in_full_when_the_token_expires)
{
    use("alluvial");
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    time->skip(1h);
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    BOOST_TEST(token_requests() == 2U);
    BOOST_TEST(world.counters().refreshes == 0U);
    BOOST_TEST(world.counters().unauthorized == 0U);
}

BOOST_AUTO_TEST_CASE(alluvial_refuses_another_audience)
{
    auto p = world.alluvial();
    p.tokens.parameters = {{"audience", "https://api.alluvial.finance"}};
    api.emplace(serial(io), p, world.credentials_for("alluvial"), options());
    auto const refused = get("/eth/v0/status");
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().diag().peer_code == "access_denied");
    BOOST_TEST((refused.error().phase() == phase::token));
    BOOST_TEST(refused.error().safe_to_resend());
    BOOST_TEST(world.counters().api_requests == 0U);
}

BOOST_AUTO_TEST_CASE(a_server_that_wants_the_other_kind_of_body_says_so_and_is_not_probed)
{
    // A19: never probed.
    auto p = world.restoration();
    p.tokens.body = oauth2::body_kind::json;
    api.emplace(serial(io), p, world.credentials_for("restoration"), options());
    auto const refused = get("/accounts/{CLIENT_ID}/orders");
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code() == oauth2::errc::invalid_request));
    BOOST_TEST(token_requests() == 1U);
}

BOOST_AUTO_TEST_CASE(datacrunch_tells_the_balance_and_its_token_is_refreshed)
{
    // A20: the refresh token gets the next access token, without client id and secret.
    use("datacrunch");
    BOOST_TEST(get("/balance")->text() == R"({"amount":1234.56,"currency":"usd"})");
    time->skip(1h);
    BOOST_TEST(get("/balance")->status() == 200);
    BOOST_TEST(token_requests() == 2U);
    BOOST_TEST(world.counters().refreshes == 1U);
    auto const made = post("/instances", R"({"instance_type":"1V100.6V"})");
    BOOST_REQUIRE(made.has_value());
    BOOST_TEST(made->status() == 202);
    BOOST_TEST(get("/instances/" + std::string(made->text()))->status() == 200);
}

BOOST_AUTO_TEST_CASE(a_refused_refresh_falls_back_to_the_credentials_in_the_same_flight)
{
    // A20: 401 to the refresh token, then the client credentials, and the caller sees one outcome.
    use("datacrunch");
    BOOST_TEST(get("/balance")->status() == 200);
    world.revoke_all_tokens();
    time->skip(1h);
    BOOST_TEST(get("/balance")->status() == 200);
    auto const log = world.requests();
    std::string grants;
    for (auto const& r : log)
        grants += r.grant.empty() ? "" : r.grant + ' ';
    BOOST_TEST(grants == "client_credentials refresh_token client_credentials ");
}

BOOST_AUTO_TEST_CASE(a_refresh_and_credentials_that_are_both_refused_are_one_error)
{
    // A20: the second answer is the error.
    use("datacrunch");
    BOOST_TEST(get("/balance")->status() == 200);
    world.token_endpoint_down(fault().status(401, R"({"code":"unauthorized_request","message":"no"})"));
    time->skip(1h);
    auto const refused = get("/balance");
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code() == cond::credentials));
    BOOST_TEST(token_requests() == 3U);
}

BOOST_AUTO_TEST_CASE(restoration_gives_orders_page_by_page)
{
    use("restoration");
    std::size_t orders = 0, pages = 0;
    std::string next;
    do {
        auto page = http::request::get("/accounts/{CLIENT_ID}/orders").query("pageSize", "100");
        if (!next.empty())
            page.query("nextPageToken", next);
        auto const got = run(api->send(std::move(page)));
        BOOST_REQUIRE(got.has_value());
        BOOST_REQUIRE(got->status() == 200);
        auto const body = boost::json::parse({got->text().data(), got->text().size()});
        orders += body.at("data").as_array().size();
        auto const* token = body.as_object().if_contains("nextPageToken");
        next = token == nullptr ? "" : std::string(token->as_string().c_str());
        ++pages;
    } while (!next.empty());
    BOOST_TEST(pages == 3U);
    BOOST_TEST(orders == 250U);
    BOOST_TEST(post("/accounts/{CLIENT_ID}/orders", R"({"orderId":"o-1","trees":3})")->status() == 201);
    BOOST_TEST(get("/accounts/somebody-else/orders")->status() == 403);
    BOOST_TEST(token_requests() == 1U);
}

BOOST_AUTO_TEST_CASE(a_rotated_secret_is_picked_up_without_a_failed_request)
{
    use("alluvial");
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    world.rotate_secret("alluvial");
    time->skip(1h);
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    BOOST_TEST(token_requests() == 2U);
}

BOOST_AUTO_TEST_CASE(a_token_goes_to_its_own_origin_only)
{
    // B7
    use("datacrunch");
    BOOST_TEST(get("/balance")->status() == 200);
    auto const before = world.counters();
    auto const foreign = get("https://127.0.0.1:" + std::to_string(world.port()) + "/datacrunch/v1/balance");
    BOOST_REQUIRE(!foreign);
    BOOST_TEST((foreign.error().code() == oauth2::errc::foreign_origin));
    BOOST_TEST(foreign.error().safe_to_resend());
    BOOST_TEST(world.counters().connections == before.connections);
}

BOOST_AUTO_TEST_CASE(a_server_that_nobody_vouches_for_is_sent_nothing)
{
    // M2: the issuer is unknown, and not one request byte is sent.
    sandbox const other;
    auto o = options();
    o.http.tls.ca_pem = other.ca_pem();
    use("datacrunch", o);
    auto const refused = get("/balance");
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code() == net::errc::certificate_issuer_unknown));
    BOOST_TEST(refused.error().safe_to_resend());
    BOOST_TEST(world.counters().token_requests + world.counters().api_requests + world.counters().rejected == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
