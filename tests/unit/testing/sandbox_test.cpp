// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/sandbox.hpp>

#include <jeton/testing/manual_clock.hpp>

#include "support/wire_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <unistd.h>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

BOOST_TEST_DONT_PRINT_LOG_VALUE(jeton::testing::wire_client::end)

namespace {

int status_of(std::string const& answer) { return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3)); }

std::string body_of(std::string const& answer)
{
    auto const head = answer.find("\r\n\r\n");
    return head == answer.npos ? std::string() : answer.substr(head + 4);
}

std::string member(std::string const& answer, std::string const& name)
{
    boost::json::error_code error;
    auto const value = boost::json::parse(body_of(answer), error);
    auto const* found = error || !value.is_object() ? nullptr : value.get_object().if_contains(name);
    return found == nullptr || !found->is_string() ? std::string() : std::string(found->get_string().c_str());
}

bool has(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

struct fixture {
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    sandbox world{sandbox_options{.time = time}};
    wire_client wire{world.port(), world.ca_pem()};

    std::string head(std::string_view method, std::string_view target)
    {
        return std::string(method) + ' ' + std::string(target)
               + " HTTP/1.1\r\nHost: localhost:" + std::to_string(world.port()) + "\r\n";
    }
    std::string post(std::string_view target, std::string_view type, std::string const& body,
                     std::string_view token = {})
    {
        return wire.ask(head("POST", target)
                        + (token.empty() ? std::string() : "Authorization: Bearer " + std::string(token) + "\r\n")
                        + "Content-Type: " + std::string(type) + "\r\nContent-Length: " + std::to_string(body.size())
                        + "\r\n\r\n" + body);
    }
    std::string get(std::string_view target, std::string_view token)
    {
        return wire.ask(head("GET", target) + "Authorization: Bearer " + std::string(token) + "\r\n\r\n");
    }

    std::string id(std::string_view name) { return world.identity_of(name).id; }
    std::string key(std::string_view name) { return std::string(world.identity_of(name).key.reveal()); }
    std::string audience() { return world.alluvial().base_url; }

    std::string alluvial_json(std::string const& secret_text, std::string const& for_audience)
    {
        return R"({"audience":")" + for_audience + R"(","grant_type":"client_credentials","client_id":")"
               + id("alluvial") + R"(","client_secret":")" + secret_text + "\"}";
    }
    std::string alluvial_token()
    {
        return post("/alluvial/oauth/token", "application/json", alluvial_json(key("alluvial"), audience()));
    }
    std::string datacrunch_token()
    {
        return post("/datacrunch/v1/oauth2/token", "application/json",
                    R"({"grant_type":"client_credentials","client_id":")" + id("datacrunch") + R"(","client_secret":")"
                        + key("datacrunch") + "\"}");
    }
    std::string restoration_token()
    {
        return post("/restoration/authenticate", "application/x-www-form-urlencoded",
                    "client_id=" + id("restoration") + "&client_secret=" + key("restoration")
                        + "&grant_type=client_credentials");
    }
    std::string refresh(std::string const& token)
    {
        return post("/datacrunch/v1/oauth2/token", "application/json",
                    R"({"grant_type":"refresh_token","refresh_token":")" + token + "\"}");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(testing_sandbox, fixture)

BOOST_AUTO_TEST_CASE(alluvial_grants_a_token_for_the_right_json)
{
    auto const granted = alluvial_token();
    BOOST_TEST(status_of(granted) == 200);
    BOOST_TEST(has(granted, "Cache-Control: no-store\r\n"));
    BOOST_TEST(has(granted, R"("expires_in":3600)"));
    BOOST_TEST(member(granted, "token_type") == "Bearer");
    BOOST_TEST(member(granted, "scope") == "read:eth-oracle read:eth-contracts read:eth-operators");
    BOOST_TEST(member(granted, "refresh_token") == "");
    BOOST_TEST(member(granted, "access_token").size() >= 800U);

    auto const status = get("/alluvial/eth/v0/status", member(granted, "access_token"));
    BOOST_TEST(status_of(status) == 200);
    BOOST_TEST(body_of(status).size() > 450U);
    BOOST_TEST(body_of(status).size() < 550U);
}

BOOST_AUTO_TEST_CASE(alluvial_is_strict_about_body_audience_and_secret)
{
    auto const as_form =
        post("/alluvial/oauth/token", "application/x-www-form-urlencoded",
             "grant_type=client_credentials&client_id=" + id("alluvial") + "&client_secret=" + key("alluvial"));
    BOOST_TEST(status_of(as_form) == 400);
    BOOST_TEST(member(as_form, "error") == "invalid_request");

    auto const elsewhere = post("/alluvial/oauth/token", "application/json",
                                alluvial_json(key("alluvial"), "https://api.alluvial.finance"));
    BOOST_TEST(status_of(elsewhere) == 403);
    BOOST_TEST(member(elsewhere, "error") == "access_denied");

    auto const wrong = post("/alluvial/oauth/token", "application/json", alluvial_json("wrong", audience()));
    BOOST_TEST(status_of(wrong) == 401);
    BOOST_TEST(member(wrong, "error") == "invalid_client");

    auto const grant = post("/alluvial/oauth/token", "application/json", R"({"grant_type":"password"})");
    BOOST_TEST(status_of(grant) == 400);
    BOOST_TEST(member(grant, "error") == "unsupported_grant_type");
    BOOST_TEST(status_of(post("/alluvial/oauth/token", "application/json", "[]")) == 400);
    BOOST_TEST(world.counters("alluvial").token_requests == 5U);
    BOOST_TEST(world.counters("alluvial").tokens_issued == 0U);
}

BOOST_AUTO_TEST_CASE(alluvial_answers_wallets_rewards_and_accounts)
{
    auto const token = member(alluvial_token(), "access_token");
    std::string const address = "0x2B7ff5d4C14A9Da8d5C9354c7A52aB40DdC1C01e";
    BOOST_TEST(has(get("/alluvial/v0/wallets/" + address, token), R"("balance":"128000000000000000000")"));
    BOOST_TEST(status_of(get("/alluvial/v0/wallets/0x12", token)) == 400);
    BOOST_TEST(has(get("/alluvial/eth/v0/protocol?unit=ether", token), "794112.000000000000000000"));
    BOOST_TEST(status_of(get("/alluvial/eth/v0/protocol?unit=gwei", token)) == 400);

    auto const rewards = "/alluvial/eth/v0/wallet/" + address + "/rewards";
    std::size_t entries = 0, pages = 0;
    std::string cursor;
    do {
        auto const page = get(rewards + (cursor.empty() ? "" : "?cursor=" + cursor), token);
        BOOST_REQUIRE(status_of(page) == 200);
        entries += boost::json::parse(body_of(page)).at("data").as_array().size();
        cursor = member(page, "next_cursor");
        ++pages;
    } while (!cursor.empty());
    BOOST_TEST(pages == 3U);
    BOOST_TEST(entries == 250U);
    BOOST_TEST(status_of(get(rewards + "?page_size=101", token)) == 400);
    BOOST_TEST(status_of(get(rewards + "?cursor=made-up", token)) == 400);

    auto const account = [&](std::string const& name) {
        return post("/alluvial/v0/platform/accounts", "application/json",
                    R"({"client_request_id":"r1","name":")" + name + "\"}", token);
    };
    BOOST_TEST(status_of(account("a")) == 201);
    BOOST_TEST(status_of(account("a")) == 200);
    BOOST_TEST(status_of(account("b")) == 409);
    BOOST_TEST(has(account("b"), R"("error":{"code":"conflict")"));
    BOOST_TEST(status_of(post("/alluvial/v0/platform/accounts", "application/json", "{}", token)) == 400);
    BOOST_TEST(status_of(get("/alluvial/v0/nowhere", token)) == 404);
    BOOST_TEST(status_of(post("/alluvial/eth/v0/status", "application/json", "{}", token)) == 405);
}

BOOST_AUTO_TEST_CASE(datacrunch_refreshes_without_credentials_and_rotates)
{
    auto const first = datacrunch_token();
    BOOST_TEST(status_of(first) == 200);
    BOOST_TEST(member(first, "scope") == "fullAccess");
    auto const second = refresh(member(first, "refresh_token"));
    BOOST_TEST(status_of(second) == 200);
    BOOST_TEST(member(second, "refresh_token") != member(first, "refresh_token"));
    auto const again = refresh(member(first, "refresh_token"));
    BOOST_TEST(status_of(again) == 401);
    BOOST_TEST(member(again, "code") == "unauthorized_request");
    BOOST_TEST(status_of(refresh("made up")) == 401);

    auto const count = world.counters("datacrunch");
    BOOST_TEST(count.token_requests == 4U);
    BOOST_TEST(count.refreshes == 3U);
    BOOST_TEST(count.tokens_issued == 2U);
    BOOST_TEST(count.most_token_requests_at_once == 1U);
    BOOST_TEST(world.counters("alluvial").token_requests == 0U);

    auto const token = member(second, "access_token");
    BOOST_TEST(body_of(get("/datacrunch/v1/balance", token)) == R"({"amount":1234.56,"currency":"usd"})");
    auto const made = post("/datacrunch/v1/instances", "application/json", R"({"instance_type":"1V100.6V"})", token);
    BOOST_TEST(status_of(made) == 202);
    BOOST_TEST(has(made, "Content-Type: text/plain\r\n"));
    BOOST_TEST(status_of(get("/datacrunch/v1/instances/" + body_of(made), token)) == 200);
    BOOST_TEST(boost::json::parse(body_of(get("/datacrunch/v1/instances", token))).as_array().size() == 3U);
    BOOST_TEST(member(get("/datacrunch/v1/instances/none", token), "code") == "not_found");
    BOOST_TEST(status_of(post("/datacrunch/v1/oauth2/token", "application/x-www-form-urlencoded",
                              "grant_type=client_credentials"))
               == 400);
}

BOOST_AUTO_TEST_CASE(restoration_takes_forms_only_and_pages_its_orders)
{
    auto const granted = restoration_token();
    BOOST_TEST(status_of(granted) == 200);
    BOOST_TEST(member(granted, "scope") == "");
    BOOST_TEST(
        status_of(post("/restoration/authenticate", "application/json", R"({"grant_type":"client_credentials"})"))
        == 415);
    BOOST_TEST(member(post("/restoration/authenticate", "application/x-www-form-urlencoded",
                           "client_id=x&client_secret=y&grant_type=client_credentials"),
                      "error")
               == "invalid_client");

    auto const token = member(granted, "access_token");
    auto const orders = "/restoration/accounts/" + id("restoration") + "/orders";
    std::size_t entries = 0;
    std::string next;
    do {
        auto const page = get(orders + "?pageSize=120" + (next.empty() ? "" : "&nextPageToken=" + next), token);
        BOOST_REQUIRE(status_of(page) == 200);
        entries += boost::json::parse(body_of(page)).at("data").as_array().size();
        next = member(page, "nextPageToken");
    } while (!next.empty());
    BOOST_TEST(entries == 250U);
    BOOST_TEST(status_of(get(orders + "?pageSize=301", token)) == 400);
    BOOST_TEST(status_of(get(orders + "?nextPageToken=page.120.120", token)) == 400);
    BOOST_TEST(status_of(get("/restoration/accounts/somebody/orders", token)) == 403);

    BOOST_TEST(status_of(post(orders, "application/json", R"({"orderId":"n1","trees":5})", token)) == 201);
    BOOST_TEST(status_of(get(orders + "/n1", token)) == 200);
    BOOST_TEST(status_of(post(orders, "application/json", "{}", token)) == 400);
    for (int i = 1; i != 300; ++i)
        post(orders, "application/json", R"({"orderId":"n2"})", token);
    auto const limited = post(orders, "application/json", R"({"orderId":"n3"})", token);
    BOOST_TEST(status_of(limited) == 429);
    BOOST_TEST(has(limited, "Retry-After: 60\r\n"));
    time->advance(60s);
    BOOST_TEST(status_of(post(orders, "application/json", R"({"orderId":"n3"})", token)) == 201);
}

BOOST_AUTO_TEST_CASE(a_token_that_is_missing_foreign_expired_or_revoked_gets_a_challenge)
{
    auto const bare = wire.ask(head("GET", "/datacrunch/v1/balance") + "\r\n");
    BOOST_TEST(status_of(bare) == 401);
    BOOST_TEST(has(bare, "WWW-Authenticate: Bearer realm="));
    BOOST_TEST(
        has(get("/datacrunch/v1/balance", member(alluvial_token(), "access_token")), R"(error="invalid_token")"));

    auto const token = member(datacrunch_token(), "access_token");
    BOOST_TEST(status_of(get("/datacrunch/v1/balance", token)) == 200);
    time->advance(1h);
    BOOST_TEST(has(get("/datacrunch/v1/balance", token), R"(error="invalid_token", error_description="expired")"));

    auto const next = member(datacrunch_token(), "access_token");
    BOOST_TEST(world.revoke_token(next));
    BOOST_TEST(has(get("/datacrunch/v1/balance", next), R"(error="invalid_token", error_description="revoked")"));
    auto const last = member(datacrunch_token(), "access_token");
    world.revoke_all_tokens();
    BOOST_TEST(status_of(get("/datacrunch/v1/balance", last)) == 401);
    world.refuse_every_token(true);
    BOOST_TEST(status_of(get("/datacrunch/v1/balance", member(datacrunch_token(), "access_token"))) == 401);
    BOOST_TEST(world.counters("datacrunch").unauthorized == 6U);
}

BOOST_AUTO_TEST_CASE(a_rotated_secret_is_followed_by_the_credentials)
{
    auto const before = key("datacrunch");
    auto const who = world.credentials_for("datacrunch");
    world.rotate_secret("datacrunch");
    BOOST_TEST(key("datacrunch") != before);
    BOOST_TEST(who.read()->key.reveal() == key("datacrunch"));
    BOOST_TEST(status_of(datacrunch_token()) == 200);
    BOOST_CHECK_THROW(world.rotate_secret("nobody"), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(presets_name_the_sandbox)
{
    auto const base = "https://localhost:" + std::to_string(world.port());
    BOOST_TEST(world.alluvial().tokens.url == base + "/alluvial/oauth/token");
    BOOST_TEST((world.alluvial().tokens.parameters.at(0)
                == std::pair<std::string, std::string>("audience", base + "/alluvial")));
    BOOST_TEST(world.provider_named("datacrunch").base_url == base + "/datacrunch/v1");
    BOOST_TEST(world.restoration().tokens.url == base + "/restoration/authenticate");
    BOOST_CHECK_THROW(world.provider_named("nobody"), std::invalid_argument);
    BOOST_TEST(world.options().http.tls.ca_pem == world.ca_pem());

    auto const file = std::filesystem::temp_directory_path() / ("jeton-ca-" + std::to_string(::getpid()) + ".pem");
    world.write_ca_file(file);
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    BOOST_TEST(text.str() == world.ca_pem());
    std::filesystem::remove(file);
    BOOST_CHECK_THROW(world.write_ca_file(file / "no such directory"), std::system_error);
}

BOOST_AUTO_TEST_CASE(requests_in_one_write_are_answered_in_order)
{
    auto const request = head("GET", "/nowhere") + "\r\n" + head("GET", "/alluvial/eth/v0/status") + "\r\n";
    BOOST_TEST(status_of(wire.ask(request)) == 404);
    BOOST_TEST(status_of(wire.answer()) == 401);
    BOOST_TEST(world.counters().connections == 1U);
    BOOST_TEST(world.seen("GET", "/nowhere") == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_no_request_or_not_for_this_host_is_rejected)
{
    BOOST_TEST(status_of(wire.ask("GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n")) == 421);
    BOOST_TEST(status_of(wire.ask("GET\r\n\r\n")) == 400);
    BOOST_TEST((wire.how_it_ends() == wire_client::end::notified));
    BOOST_TEST(world.counters().rejected == 2U);
}

BOOST_AUTO_TEST_CASE(faults_reach_the_wire)
{
    auto const token = member(datacrunch_token(), "access_token");
    auto const again = [&] { return wire_client(world.port(), world.ca_pem()); };
    auto const ask = head("GET", "/datacrunch/v1/balance") + "Authorization: Bearer " + token + "\r\n\r\n";

    auto const order = world.on_api_request(fault().status(503, "{}").header("Retry-After", "7"));
    BOOST_TEST(has(wire.ask(ask), "\r\nRetry-After: 7\r\n"));
    BOOST_TEST(status_of(wire.ask(ask)) == 200);
    BOOST_TEST(world.struck(order) == 1U);

    world.on_api_request(fault().half_a_body());
    {
        auto client = again();
        BOOST_TEST(body_of(client.ask(ask)).size() == 17U);
        BOOST_TEST((client.how_it_ends() == wire_client::end::notified));
    }
    world.on_api_request(fault().half_a_body().then(fault::ending::close_without_notify));
    {
        auto client = again();
        BOOST_TEST(body_of(client.ask(ask)).size() == 17U);
        BOOST_TEST((client.how_it_ends() == wire_client::end::truncated));
    }
    for (auto const after : {fault::part::nothing, fault::part::half, fault::part::whole}) {
        world.on_api_request(fault().reset(after));
        auto client = again();
        client.send(ask);
        BOOST_TEST((client.how_it_ends() == wire_client::end::reset));
    }
    world.on_api_request(fault().surplus("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"));
    BOOST_TEST(status_of(wire.ask(ask)) == 200);
    BOOST_TEST(body_of(wire.answer()) == "poison");

    world.on_token_request(fault().expires_in("-1").without_member("scope"));
    auto const strange = datacrunch_token();
    BOOST_TEST(has(strange, R"("expires_in":-1)"));
    BOOST_TEST(!has(strange, "scope"));

    world.token_endpoint_down(fault().status(500));
    BOOST_TEST(status_of(datacrunch_token()) == 500);
    BOOST_TEST(status_of(datacrunch_token()) == 500);
    world.token_endpoint_up();
    BOOST_TEST(status_of(datacrunch_token()) == 200);
}

BOOST_AUTO_TEST_CASE(connections_can_be_refused_before_tls)
{
    world.on_connection(fault().reset());
    BOOST_TEST(!wire_client(world.port(), world.ca_pem()).connected());
    world.on_connection(fault().raw("HTTP/1.1 400 Bad Request\r\n\r\n"));
    BOOST_TEST(!wire_client(world.port(), world.ca_pem()).connected());
    BOOST_TEST(wire_client(world.port(), world.ca_pem()).connected());
    BOOST_TEST(wire_client(world.port(), world.ca_pem(), "127.0.0.1").connected());
    BOOST_TEST(!wire_client(world.port(), world.ca_pem(), "other.example").connected());
}

BOOST_AUTO_TEST_CASE(a_latency_and_a_time_out_pass_on_the_clock_of_the_sandbox)
{
    world.set_token_latency(1h);
    auto const body = alluvial_json(key("alluvial"), audience());
    wire.send(head("POST", "/alluvial/oauth/token")
              + "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    BOOST_TEST(world.wait_until([](auto const& c) { return c.token_requests == 1; }, 5s));
    while (time->alarms_set() == 0)
        std::this_thread::yield();
    time->advance(1h);
    BOOST_TEST(status_of(wire.answer()) == 200);

    sandbox impatient(sandbox_options{.idle = 30s, .time = time});
    wire_client idle(impatient.port(), impatient.ca_pem());
    BOOST_TEST(idle.connected());
    BOOST_TEST(!impatient.wait_until([](auto const& c) { return c.open_connections == 0; }, 20ms));
    time->advance(31s);
    BOOST_TEST((idle.how_it_ends() == wire_client::end::notified));
}

BOOST_AUTO_TEST_CASE(connections_end_after_so_many_requests_and_on_demand)
{
    world.set_requests_per_connection(2);
    BOOST_TEST(status_of(wire.ask(head("GET", "/x") + "\r\n")) == 404);
    auto const second = wire.ask(head("GET", "/x") + "\r\n");
    BOOST_TEST(status_of(second) == 404);
    BOOST_TEST(!has(second, "Connection: close"));
    BOOST_TEST((wire.how_it_ends() == wire_client::end::notified));

    wire_client a(world.port(), world.ca_pem());
    BOOST_TEST(world.wait_until([](auto const& c) { return c.open_connections == 1 && c.handshakes == 2; }, 5s));
    world.close_connections();
    BOOST_TEST((a.how_it_ends() == wire_client::end::notified));
    wire_client b(world.port(), world.ca_pem());
    BOOST_TEST(world.wait_until([](auto const& c) { return c.open_connections == 1 && c.handshakes == 3; }, 5s));
    world.reset_connections();
    BOOST_TEST((b.how_it_ends() == wire_client::end::reset));
}

BOOST_AUTO_TEST_CASE(the_log_tells_what_was_asked_and_no_secret)
{
    datacrunch_token();
    get("/datacrunch/v1/balance?a=b", "some-token");
    auto const log = world.requests();
    BOOST_REQUIRE(log.size() == 2U);
    BOOST_TEST(log[0].grant == "client_credentials");
    BOOST_TEST(log[0].body_hash == 0U);
    BOOST_TEST(log[0].status == 200);
    BOOST_TEST(log[1].target == "/datacrunch/v1/balance?a=b");
    BOOST_TEST(log[1].provider == "datacrunch");
    BOOST_TEST(log[1].status == 401);
    BOOST_TEST(log[1].connection == log[0].connection);
    world.reset_counters();
    BOOST_TEST(world.requests().empty());
    BOOST_TEST(world.counters().tokens_issued == 0U);
    BOOST_TEST(world.counters().open_connections == 1U);
}

BOOST_AUTO_TEST_CASE(head_gets_the_head_of_get)
{
    auto const token = member(datacrunch_token(), "access_token");
    wire.send(head("HEAD", "/datacrunch/v1/balance") + "Authorization: Bearer " + token + "\r\n\r\n"
              + head("GET", "/nowhere") + "\r\n");
    auto const first = wire.answer();
    BOOST_TEST(status_of(first) == 200);
    BOOST_TEST(body_of(first).starts_with("HTTP/1.1 404"));
}

BOOST_AUTO_TEST_CASE(stopping_ends_what_is_open_and_can_be_done_twice)
{
    world.on_api_request(fault().hang());
    wire.send(head("GET", "/x") + "\r\n");
    BOOST_TEST(world.wait_until([](auto const& c) { return c.api_requests == 1; }, 5s));
    world.stop();
    BOOST_TEST((wire.how_it_ends() != wire_client::end::open));
    BOOST_TEST(!wire_client(world.port(), world.ca_pem()).connected());
    BOOST_TEST(world.counters().open_connections == 0U);
    world.stop();
}

BOOST_AUTO_TEST_CASE(options_that_break_their_rules_are_refused)
{
    BOOST_CHECK_THROW(sandbox(sandbox_options{.host = "other.example"}), std::invalid_argument);
    BOOST_CHECK_THROW(sandbox(sandbox_options{.token_lifetime = 0s}), std::invalid_argument);
    BOOST_CHECK_THROW(sandbox(sandbox_options{.idle = -1s}), std::invalid_argument);
    BOOST_CHECK_THROW(sandbox(sandbox_options{.port = world.port()}), std::system_error);
    sandbox named(sandbox_options{.host = "api.example", .names = {"api.example"}});
    BOOST_TEST(named.datacrunch().base_url.starts_with("https://api.example:"));
}

BOOST_AUTO_TEST_SUITE_END()
