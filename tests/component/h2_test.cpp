// SPDX-License-Identifier: BSL-1.0
#include "component/sandboxed.hpp"

#include "base/timekeeper.hpp"
#include "http/connection.hpp"
#include "http/request_access.hpp"
#include "http/sansio/h1_request_writer.hpp"
#include "interop/delay_relay.hpp"
#include "net/tcp_connector.hpp"
#include "support/exchange.hpp"
#include "support/run.hpp"

#include <jeton/http/error.hpp>

#include <algorithm>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;
using http::request;

namespace {

constexpr std::string_view balance = R"({"amount":1234.56,"currency":"usd"})";

using exchanged = started<result<http::response>>;

// One HTTP/2 connection to the sandbox over TLS, without a pool above it.
struct fixture : sandboxed {
    fixture()
    {
        auto tls = world.options().http.tls;
        tls.alpn = {"h2"};
        connector = net::make_connector(serial(io), timers, std::move(tls));
        origin = std::make_shared<http::origin const>(http::origin{true, "localhost", world.port()});
        head = http::h1_origin_head(*origin, "test");
        connection = dial();
        auto const who = world.identity_of("datacrunch");
        auto const granted = ask(request::post("/datacrunch/v1/oauth2/token",
                                               R"({"grant_type":"client_credentials","client_id":")" + who.id
                                                   + R"(","client_secret":")" + std::string(who.key.reveal()) + "\"}"));
        BOOST_REQUIRE(granted);
        auto const text = std::string(granted->text());
        auto const begin = text.find(R"("access_token":")") + 16;
        authorization = std::make_shared<secret const>("Authorization: Bearer "
                                                       + text.substr(begin, text.find('"', begin) - begin) + "\r\n");
    }

    ~fixture()
    {
        connection->close();
        connection.reset();
        connector.reset();
        timers->rest();
        io.restart();
        io.run_for(10s);
        BOOST_TEST(io.stopped(), "something keeps the context from ending");
    }

    std::shared_ptr<http::connection> dial()
    {
        auto made = run(connector->connect(net::destination("localhost", world.port(), true)));
        BOOST_REQUIRE(made);
        BOOST_REQUIRE(made->stream->protocol() == "h2");
        auto c = http::make_connection(std::move(made->stream), *timers, {});
        c->start(io.get_executor());
        return c;
    }

    asio::awaitable<result<http::response>> exchange(request what)
    {
        http::exchange_order order{
            .what = &what, .origin_head = head, .begun = time->now(), .deadline = time->now() + 60s, .first_byte = 60s};
        auto const kept = connection;
        auto op = testing::exchange(*kept, std::move(order));
        co_return co_await std::move(op);
    }

    request prepared(request r)
    {
        std::string target(r.target());
        http::request_access::resolve(r, origin, std::move(target));
        if (authorization)
            http::request_access::authorize(r, authorization);
        return r;
    }

    answer ask(request r) { return run(exchange(prepared(std::move(r)))); }
    answer get_balance() { return ask(request::get("/datacrunch/v1/balance")); }

    exchanged& start(request r = request::get("/datacrunch/v1/balance"))
    {
        return *running.emplace_back(std::make_unique<exchanged>(io, exchange(prepared(std::move(r)))));
    }
    void finish(exchanged const& one)
    {
        until([&] { return one.done(); });
    }

    // Until the sandbox says so, while the client goes on.
    template <class Predicate>
    void until_counted(Predicate enough)
    {
        until([&] { return enough(world.counters()); });
    }

    void check_failure(answer const& r, std::error_code code, delivery how_far)
    {
        BOOST_REQUIRE(!r);
        BOOST_TEST((r.error().code() == code), r.error().to_string());
        BOOST_TEST((r.error().delivery() == how_far), r.error().to_string());
    }

    std::shared_ptr<timekeeper> timers = std::make_shared<timekeeper>(serial(io), time);
    std::shared_ptr<net::connector> connector{};
    std::shared_ptr<http::origin const> origin{};
    std::string head{};
    std::shared_ptr<http::connection> connection{};
    std::shared_ptr<secret const> authorization{};
    std::vector<std::unique_ptr<exchanged>> running{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(component_h2, fixture)

BOOST_AUTO_TEST_CASE(requests_are_answered_over_one_connection)
{
    BOOST_TEST(get_balance()->text() == balance);
    BOOST_TEST(get_balance()->text() == balance);
    auto const head_only = ask(request::head("/datacrunch/v1/balance"));
    BOOST_TEST(head_only->status() == 200);
    BOOST_TEST(head_only->text() == "");
    auto const c = world.counters();
    BOOST_TEST(c.connections == 1U);
    BOOST_TEST(c.h2_connections == 1U);
    BOOST_TEST(c.streams == 4U);
    BOOST_TEST(c.rejected == 0U);
    BOOST_TEST(connection->requests() == 4U);
}

BOOST_AUTO_TEST_CASE(a_megabyte_is_sent_as_the_server_gives_window)
{
    std::string body(1'000'000, 'x');
    for (std::size_t i = 0; i < body.size(); i += 97)
        body[i] = static_cast<char>('a' + i % 26);
    // No JSON: refused, but read to the end, twice the same.
    BOOST_TEST(ask(request::post("/datacrunch/v1/instances", body))->status() == 400);
    BOOST_TEST(ask(request::post("/datacrunch/v1/instances", body))->status() == 400);
    BOOST_TEST(world.most_repeated("POST") == 2U);
    BOOST_TEST(get_balance()->text() == balance);
    BOOST_TEST(world.counters().connections == 1U);
}

BOOST_AUTO_TEST_CASE(a_hundred_requests_share_the_connection)
{
    until([&] { return connection->capacity() == 100; });
    world.set_api_latency(50ms);
    for (int i = 0; i != 100; ++i)
        start();
    for (auto const& one : running) {
        finish(*one);
        BOOST_REQUIRE(one->outcome());
        BOOST_TEST(one->outcome()->text() == balance);
    }
    BOOST_TEST(world.counters().most_streams_at_once == 100U);
    BOOST_TEST(world.counters().connections == 1U);
    BOOST_TEST(connection->slots() == 100U);
}

BOOST_AUTO_TEST_CASE(go_away_amid_requests_tells_which_were_looked_at)
{
    // K1
    world.set_api_latency(20ms);
    auto const order = world.on_api_request(fault().after(4).go_away());
    for (int i = 0; i != 10; ++i)
        start();
    for (auto const& one : running)
        finish(*one);
    for (std::size_t i = 0; i != 5; ++i) {
        BOOST_REQUIRE(running[i]->outcome());
        BOOST_TEST(running[i]->outcome()->text() == balance);
    }
    for (std::size_t i = 5; i != 10; ++i) {
        BOOST_REQUIRE(!running[i]->outcome());
        BOOST_TEST((running[i]->outcome().error().delivery() == delivery::not_sent),
                   running[i]->outcome().error().to_string());
    }
    BOOST_TEST(world.struck(order) == 1U);
    BOOST_TEST(connection->spent() != nullptr);
    BOOST_TEST(connection->slots() == 0U);
    until_counted([](auto const& c) { return c.open_connections == 0; });
}

BOOST_AUTO_TEST_CASE(a_refused_stream_was_not_looked_at_and_its_connection_lives)
{
    // K2
    world.on_api_request(fault().refuse_stream());
    check_failure(ask(request::post("/datacrunch/v1/instances", R"({"instance_type":"1V100.6V"})")),
                  http::errc::stream_refused, delivery::not_sent);
    BOOST_TEST(world.counters().refused == 1U);
    BOOST_TEST(world.most_repeated("POST") == 0U);
    BOOST_TEST(connection->spent() == nullptr);
    BOOST_TEST(get_balance()->text() == balance);
    BOOST_TEST(world.counters().connections == 1U);
}

BOOST_AUTO_TEST_CASE(a_reset_stream_may_have_been_looked_at_and_its_connection_lives)
{
    // K2
    world.on_api_request(fault().reset_stream());
    check_failure(get_balance(), http::errc::stream_reset, delivery::maybe_processed);
    world.on_api_request(fault().reset_stream(h2_error::cancel, fault::part::half));
    check_failure(get_balance(), http::errc::stream_reset, delivery::answered);
    BOOST_TEST(connection->spent() == nullptr);
    BOOST_TEST(get_balance()->text() == balance);
    BOOST_TEST(world.counters().connections == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_server_wants_otherwise_is_told)
{
    // K13
    world.on_api_request(fault().require_http_1_1());
    check_failure(get_balance(), http::errc::http_1_1_required, delivery::not_sent);
    world.on_api_request(fault().status(421));
    BOOST_TEST(get_balance()->status() == 421);
    BOOST_TEST(get_balance()->text() == balance);
}

BOOST_AUTO_TEST_CASE(a_cancelled_request_leaves_the_connection_to_the_others)
{
    // K16
    world.on_api_request(fault().hang());
    auto& stuck = start();
    until_counted([](auto const& c) { return c.api_requests == 1; });
    world.set_api_latency(50ms);
    auto& other = start();
    until_counted([](auto const& c) { return c.api_requests == 2; });
    stuck.cancel();
    finish(stuck);
    BOOST_REQUIRE(!stuck.outcome());
    BOOST_TEST((stuck.outcome().error().code() == cond::cancelled));
    finish(other);
    BOOST_TEST(other.outcome()->text() == balance);
    until_counted([](auto const& c) { return c.streams_cancelled == 1; });
    BOOST_TEST(get_balance()->text() == balance);
    BOOST_TEST(connection->spent() == nullptr);
    BOOST_TEST(world.counters().connections == 1U);
}

BOOST_AUTO_TEST_CASE(streams_lowered_while_requests_run_are_kept_to)
{
    // K3
    until([&] { return connection->capacity() == 100; });
    world.on_api_request(fault().max_streams(0).delay(50ms));
    auto& one = start();
    until([&] { return connection->capacity() == 0; });
    BOOST_TEST(connection->slots() == 0U);
    finish(one);
    BOOST_TEST(one.outcome()->text() == balance);
    BOOST_TEST(connection->slots() == 0U);
    world.set_max_streams(2);
    until([&] { return connection->slots() == 2; });
    BOOST_TEST(get_balance()->text() == balance);
    BOOST_TEST(world.counters().streams_over_limit == 0U);
    BOOST_TEST(world.counters().rejected == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_burst_over_new_connections_keeps_to_a_limit_that_is_not_known_yet, sandboxed)
{
    // K3
    world.set_max_streams(2);
    delay_relay const wire(world.port(), 10ms);  // so that the SETTINGS are not there before the first request
    auto o = options().http;
    o.protocol = http::protocol_choice::http_2;
    http::client over(serial(io), std::move(o));
    int answered = 0;
    for (int i = 0; i != 40; ++i)
        asio::co_spawn(io, over.send(request::get("https://localhost:" + std::to_string(wire.port()) + "/datacrunch")),
                       [&](std::exception_ptr, result<http::response> got) {
                           BOOST_TEST(got.has_value(), (got ? "" : got.error().to_string()));
                           ++answered;
                       });
    until([&] { return answered == 40; });
    BOOST_TEST(world.counters().streams_over_limit == 0U);
    BOOST_TEST(world.counters().most_streams_at_once == 2U);
    run(over.shut_down());
}

BOOST_AUTO_TEST_CASE(a_connection_that_breaks_takes_its_requests_along)
{
    world.on_api_request(fault().hang());
    auto& stuck = start();
    until_counted([](auto const& c) { return c.api_requests == 1; });
    world.on_api_request(fault().reset());
    auto const broken = get_balance();
    BOOST_REQUIRE(!broken);
    BOOST_TEST((broken.error().delivery() == delivery::maybe_processed), broken.error().to_string());
    finish(stuck);
    BOOST_REQUIRE(!stuck.outcome());
    BOOST_TEST((stuck.outcome().error().delivery() == delivery::maybe_processed));
    BOOST_TEST(connection->spent() != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
