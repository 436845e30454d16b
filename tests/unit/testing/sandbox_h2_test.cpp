// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/manual_clock.hpp>
#include <jeton/testing/sandbox.hpp>

#include "support/h2_wire_client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

BOOST_TEST_DONT_PRINT_LOG_VALUE(jeton::testing::wire_client::end)

namespace {

constexpr std::string_view balance = R"({"amount":1234.56,"currency":"usd"})";
constexpr std::string_view balance_path = "/datacrunch/v1/balance";

struct fixture {
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    sandbox world{sandbox_options{.time = time}};
    h2_wire_client client{world.port(), world.ca_pem()};
    std::string token{};

    h2_wire_client another() { return {world.port(), world.ca_pem()}; }

    void get_token()
    {
        auto const who = world.identity_of("datacrunch");
        auto const body = R"({"grant_type":"client_credentials","client_id":")" + who.id + R"(","client_secret":")"
                          + std::string(who.key.reveal()) + "\"}";
        auto const& granted = client.answer(
            client.ask("/datacrunch/v1/oauth2/token", {}, {{"content-type", "application/json"}}, "POST", body));
        BOOST_REQUIRE(granted.status == "200");
        auto const begin = granted.body.find(R"("access_token":")") + 16;
        token = granted.body.substr(begin, granted.body.find('"', begin) - begin);
    }
    std::uint32_t ask(h2_wire_client& from) { return from.ask(balance_path, token); }
    std::uint32_t ask() { return ask(client); }
    h2_listener::answer const& get() { return client.answer(ask()); }

    template <class Predicate>
    bool wait(Predicate enough)
    {
        return world.wait_until(enough, 5s);
    }
};

struct with_token : fixture {
    with_token() { get_token(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(testing_sandbox_h2, with_token)

BOOST_AUTO_TEST_CASE(the_same_providers_answer_over_http_2)
{
    BOOST_TEST(client.wire.protocol() == "h2");
    auto const& one = get();
    BOOST_TEST(one.status == "200");
    BOOST_TEST(one.body == balance);
    BOOST_TEST(one.field("content-length") == "35");
    auto const& bare = client.answer(client.ask(balance_path));
    BOOST_TEST(bare.status == "401");
    BOOST_TEST(bare.field("www-authenticate").starts_with("Bearer realm="));
    auto const& head = client.answer(client.ask(balance_path, token, {}, "HEAD"));
    BOOST_TEST(head.status == "200");
    BOOST_TEST(head.field("content-length") == "35");
    BOOST_TEST(head.body == "");
    BOOST_TEST(client.listener.stream_limits.back() == 100U);
}

BOOST_AUTO_TEST_CASE(alpn_decides_among_what_is_offered)
{
    BOOST_TEST(wire_client(world.port(), world.ca_pem()).protocol() == "");
    BOOST_TEST(wire_client(world.port(), world.ca_pem(), "localhost", "http/1.1").protocol() == "http/1.1");
    auto const ask = "GET /x HTTP/1.1\r\nHost: localhost:" + std::to_string(world.port()) + "\r\n\r\n";
    BOOST_TEST(wire_client(world.port(), world.ca_pem()).ask(ask).starts_with("HTTP/1.1 404"));

    sandbox old(sandbox_options{.protocols = {"http/1.1"}});
    BOOST_TEST(wire_client(old.port(), old.ca_pem(), "localhost", "h2").protocol() == "");
    sandbox modern(sandbox_options{.protocols = {"h2"}, .max_streams = 7});
    wire_client plain(modern.port(), modern.ca_pem());
    BOOST_TEST((plain.how_it_ends() != wire_client::end::open));
    h2_wire_client c(modern.port(), modern.ca_pem());
    BOOST_TEST(c.settled());
    BOOST_TEST(c.listener.stream_limits.back() == 7U);
    BOOST_CHECK_THROW(sandbox(sandbox_options{.protocols = {}}), std::invalid_argument);
    BOOST_CHECK_THROW(sandbox(sandbox_options{.protocols = {"h3"}}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_log_and_the_counters_tell_protocol_and_stream)
{
    get();
    auto const ask = "GET /x HTTP/1.1\r\nHost: localhost:" + std::to_string(world.port()) + "\r\n\r\n";
    wire_client(world.port(), world.ca_pem()).ask(ask);
    auto const log = world.requests();
    BOOST_REQUIRE(log.size() == 3U);
    BOOST_TEST(log[0].stream == 1U);
    BOOST_TEST(log[0].grant == "client_credentials");
    BOOST_TEST(log[1].stream == 3U);
    BOOST_TEST(log[1].connection == log[0].connection);
    BOOST_TEST(log[1].status == 200);
    BOOST_TEST(log[2].stream == 0U);
    BOOST_TEST(log[2].connection == 2U);
    auto const c = world.counters();
    BOOST_TEST(c.connections == 2U);
    BOOST_TEST(c.handshakes == 2U);
    BOOST_TEST(c.h2_connections == 1U);
    BOOST_TEST(c.resumed == 0U);
    BOOST_TEST(c.streams == 2U);
    BOOST_TEST(c.most_streams_at_once == 1U);
    BOOST_TEST(world.seen("GET", balance_path) == 1U);
}

BOOST_AUTO_TEST_CASE(a_resumed_handshake_is_counted)
{
    wire_client const next(world.port(), world.ca_pem(), "localhost", "h2", &client.wire);
    BOOST_TEST(next.connected());
    BOOST_TEST(next.protocol() == "h2");
    BOOST_TEST(wait([](auto const& c) { return c.handshakes == 2; }));
    BOOST_TEST(world.counters().resumed == 1U);
}

BOOST_AUTO_TEST_CASE(a_hundred_streams_are_answered_at_a_time)
{
    world.set_api_latency(1h);
    std::vector<std::uint32_t> all;
    for (int i = 0; i != 100; ++i)
        all.push_back(ask());
    BOOST_TEST(wait([](auto const& c) { return c.most_streams_at_once == 100; }));
    BOOST_TEST(client.settled());
    BOOST_TEST(!client.listener.answers.contains(all.front()));
    time->advance(1h);
    // By now the token has expired, but it was looked at before.
    for (auto const id : all)
        BOOST_TEST(client.answer(id).body == balance);
    BOOST_TEST(world.counters().streams == 101U);
    BOOST_TEST(world.counters().most_token_requests_at_once == 1U);
}

BOOST_AUTO_TEST_CASE(a_long_body_is_taken_with_window_given_back)
{
    // RFC 9113 §6.9
    auto c = another();
    BOOST_TEST(c.settled());
    auto const host = "localhost:" + std::to_string(world.port());
    std::uint32_t const id = 1;
    c.send(h2::head(
        id, {{":method", "POST"}, {":scheme", "https"}, {":authority", host}, {":path", "/datacrunch/v1/instances"}}));
    std::string const piece(16'000, 'x');
    std::size_t sent = 0;
    auto const allowed = [&] { return 65'535 + std::min(c.listener.window[0], c.listener.window[id]); };
    while (sent < 1'000'000) {
        if (sent + piece.size() > allowed())
            BOOST_REQUIRE(c.until([&] { return sent + piece.size() <= allowed(); }));
        c.send(h2::body(id, piece, false));
        sent += piece.size();
    }
    c.send(h2::body(id, "", true));
    BOOST_TEST(c.answer(id).status == "401");
    BOOST_TEST(world.requests().back().target == "/datacrunch/v1/instances");
}

BOOST_AUTO_TEST_CASE(faults_of_http_1_1_strike_as_well)
{
    auto const order = world.on_api_request(fault().status(503, "{}").header("Retry-After", "7"));
    auto const& busy = get();
    BOOST_TEST(busy.status == "503");
    BOOST_TEST(busy.field("retry-after") == "7");
    BOOST_TEST(busy.body == "{}");
    BOOST_TEST(world.struck(order) == 1U);

    world.on_api_request(fault().status(421));
    BOOST_TEST(get().status == "421");

    // A delay and silence are the stream's alone.
    world.on_api_request(fault().delay(1h));
    world.on_api_request(fault().hang());
    auto const late = ask(), never = ask();
    BOOST_TEST(get().body == balance);
    BOOST_TEST(client.settled());
    BOOST_TEST(!client.listener.answers.contains(late));
    time->advance(1h);
    BOOST_TEST(client.answer(late).body == balance);
    BOOST_TEST(client.settled());
    BOOST_TEST(!client.listener.answers[never].over());

    get_token();
    world.on_api_request(fault().raw("\x01\x02\x03"));
    ask();
    BOOST_TEST(client.until([&] { return client.listener.incomplete() == "\x01\x02\x03"; }));
}

BOOST_AUTO_TEST_CASE(an_answer_can_be_cut_with_the_connection)
{
    using end = wire_client::end;
    struct {
        fault what;
        end ends;
        std::size_t body;
    } const cases[] = {
        {fault().half_a_body(), end::notified, 17},
        {fault().half_a_body().then(fault::ending::close_without_notify), end::truncated, 17},
        {fault().close_after(), end::notified, 35},
        {fault().reset(), end::reset, 0},
    };
    for (auto const& one : cases) {
        world.on_api_request(one.what);
        h2_wire_client c(world.port(), world.ca_pem());
        BOOST_TEST(c.settled());  // nothing of ours is on the way that would be answered with an RST
        auto const id = ask(c);
        BOOST_TEST((c.how_it_ends() == one.ends));
        BOOST_TEST(c.listener.answers[id].body.size() == one.body);
        BOOST_TEST(c.listener.answers[id].ended == (one.body == 35));
        BOOST_TEST(c.listener.farewells.empty());
    }
    BOOST_TEST(get().body == balance);
}

BOOST_AUTO_TEST_CASE(a_stream_can_be_reset_and_the_others_go_on)
{
    world.on_api_request(fault().reset_stream());
    world.on_api_request(fault().reset_stream(h2_error::enhance_your_calm, fault::part::half));
    BOOST_TEST(get().reset.value_or(99) == h2::internal_error);
    auto const& half = get();
    BOOST_TEST(half.reset.value_or(99) == h2::enhance_your_calm);
    BOOST_TEST(half.body.size() == 17U);
    BOOST_TEST(get().body == balance);
    // They were carried out.
    BOOST_TEST(world.most_repeated("GET") == 3U);
    BOOST_TEST(world.counters().refused == 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_request_is_not_carried_out)
{
    auto const order = world.on_api_request(fault().refuse_stream().only("POST"));
    auto const create = [&] {
        return client.answer(client.ask("/datacrunch/v1/instances", token, {{"content-type", "application/json"}},
                                        "POST", R"({"instance_type":"1V100.6V"})"));
    };
    auto const refused = create();
    BOOST_TEST(refused.reset.value_or(99) == h2::refused_stream);
    BOOST_TEST(refused.status == "");
    auto const again = create();
    BOOST_TEST(again.status == "202");
    BOOST_TEST(world.struck(order) == 1U);
    BOOST_TEST(world.counters("datacrunch").refused == 1U);
    BOOST_TEST(world.seen("POST", "/datacrunch/v1/instances") == 2U);
    BOOST_TEST(world.most_repeated("POST") == 1U);
    auto const log = world.requests();
    BOOST_TEST(log[1].status == 0);
    BOOST_TEST(log[2].status == 202);

    world.on_api_request(fault().require_http_1_1());
    BOOST_TEST(get().reset.value_or(99) == h2::http_1_1_required);
    BOOST_TEST(world.counters().refused == 2U);
}

BOOST_AUTO_TEST_CASE(go_away_comes_after_as_many_requests_as_ordered)
{
    world.on_api_request(fault().after(2).delay(1h).go_away(h2_error::enhance_your_calm));
    get();
    get();
    auto const third = ask();
    BOOST_TEST(client.until([&] { return !client.listener.farewells.empty(); }));
    BOOST_TEST(client.listener.farewells[0].last == third);
    BOOST_TEST(client.listener.farewells[0].code == h2::enhance_your_calm);
    BOOST_TEST(!client.listener.answers.contains(third));
    auto const beyond = ask();
    BOOST_TEST(client.settled());
    time->advance(1h);
    BOOST_TEST(client.answer(third).body == balance);
    BOOST_TEST((client.how_it_ends() == wire_client::end::notified));
    BOOST_TEST(!client.listener.answers.contains(beyond));
    BOOST_TEST(world.counters().api_requests == 3U);
}

BOOST_AUTO_TEST_CASE(go_away_may_leave_the_request_out_or_warn_only)
{
    using last = fault::last_stream;
    for (auto const which : {last::the_one_before, last::none}) {
        auto c = std::make_unique<h2_wire_client>(world.port(), world.ca_pem());
        world.on_api_request(fault().delay(1h));
        auto const first = ask(*c);
        BOOST_TEST(c->settled());
        world.on_api_request(fault().go_away(h2_error::no_error, which));
        auto const second = ask(*c);
        BOOST_TEST(c->until([&] { return !c->listener.farewells.empty(); }));
        BOOST_TEST(c->listener.farewells[0].last == (which == last::none ? 0 : first));
        if (which == last::the_one_before) {
            BOOST_TEST(c->settled());
            time->advance(1h);
            BOOST_TEST(c->answer(first).body == balance);
        }
        BOOST_TEST((c->how_it_ends() == wire_client::end::notified));
        BOOST_TEST(!c->listener.answers[second].over());
    }
    BOOST_TEST(world.counters().refused == 2U);

    get_token();
    world.on_api_request(fault().go_away(h2_error::no_error, last::any));
    BOOST_TEST(get().body == balance);
    BOOST_REQUIRE(client.listener.farewells.size() == 1U);
    BOOST_TEST(client.listener.farewells[0].last == 0x7fffffffU);
    BOOST_TEST(get().body == balance);

    world.on_api_request(fault().go_away().send(fault::part::nothing).then(fault::ending::close));
    auto const lost = ask();
    BOOST_TEST((client.how_it_ends() == wire_client::end::notified));
    BOOST_TEST(!client.listener.answers[lost].over());
    BOOST_TEST(client.listener.farewells.back().last == lost);
}

BOOST_AUTO_TEST_CASE(streams_can_be_lowered_with_a_request_for_all_and_from_the_beginning)
{
    world.on_api_request(fault().max_streams(0).delay(1h));
    auto const begun = ask();
    BOOST_TEST(client.until([&] { return client.listener.stream_limits.back() == 0; }));
    time->advance(1h);
    BOOST_TEST(client.answer(begun).body == balance);

    world.set_max_streams(3);
    BOOST_TEST(client.until([&] { return client.listener.stream_limits.back() == 3; }));
    auto c = another();
    BOOST_TEST(c.settled());
    BOOST_TEST(c.listener.stream_limits == std::vector<std::uint32_t>{3});

    world.on_connection(fault().max_streams(1));
    auto d = another();
    d.acknowledges = false;
    BOOST_TEST(d.settled());
    BOOST_TEST(d.listener.stream_limits == std::vector<std::uint32_t>{1});
    world.set_api_latency(1h);
    ask(d);
    BOOST_TEST(d.answer(ask(d)).reset.value_or(99) == h2::refused_stream);
    BOOST_TEST(wait([](auto const& n) { return n.streams_over_limit == 1; }));
    // Whoever knows the limit and does not keep it has no connection any more.
    d.send(h2::settings_ack());
    ask(d);
    BOOST_TEST((d.how_it_ends() == wire_client::end::notified));
    BOOST_REQUIRE(d.listener.farewells.size() == 1U);
    BOOST_TEST(d.listener.farewells[0].code == h2::protocol_error);
    BOOST_TEST(world.counters().rejected == 1U);
}

BOOST_AUTO_TEST_CASE(a_stalled_connection_says_nothing_and_a_stalled_body_gets_no_window)
{
    world.on_api_request(fault().send(fault::part::head).then(fault::ending::stall));
    auto const id = ask();
    BOOST_TEST(client.until([&] { return client.listener.answers.contains(id); }));
    client.send(h2::frame(h2::ping, 0, 0, "are you?"));
    ask();
    BOOST_TEST(!world.wait_until([](auto const& c) { return c.api_requests > 1; }, 20ms));
    BOOST_TEST(world.counters().open_connections == 1U);
    world.close_connections();
    client.how_it_ends();
    BOOST_TEST(client.listener.pongs.empty());

    world.on_connection(fault().no_window_updates());
    auto c = another();
    for (int i = 0; i != 4; ++i)
        c.ask("/nowhere", {}, {}, "POST", std::string(16'000, 'x'));
    BOOST_TEST(c.answer(7).status == "404");
    BOOST_TEST(c.listener.windows_given == 0);
}

BOOST_AUTO_TEST_CASE(what_only_http_2_has_passes_http_1_1_by)
{
    auto const order = world.on_api_request(fault().refuse_stream());
    auto const plain = world.on_api_request(fault().status(500).over("http/1.1"));
    world.token_endpoint_down(fault().refuse_stream());
    auto const head = "Host: localhost:" + std::to_string(world.port()) + "\r\n\r\n";
    wire_client old(world.port(), world.ca_pem());
    BOOST_TEST(old.ask("GET /x HTTP/1.1\r\n" + head).starts_with("HTTP/1.1 500"));
    BOOST_TEST(old.ask("GET /x HTTP/1.1\r\n" + head).starts_with("HTTP/1.1 404"));
    BOOST_TEST(old.ask("GET /datacrunch/v1/oauth2/token HTTP/1.1\r\n" + head).starts_with("HTTP/1.1 405"));
    BOOST_TEST(world.struck(order) == 0U);
    BOOST_TEST(get().reset.has_value());
    BOOST_TEST(world.struck(order) == 1U);
    BOOST_TEST(world.struck(plain) == 1U);
    BOOST_TEST(client.answer(client.ask("/datacrunch/v1/oauth2/token")).reset.value_or(99) == h2::refused_stream);
}

BOOST_AUTO_TEST_CASE(what_is_no_proper_request_is_rejected_and_the_connection_kept)
{
    BOOST_TEST(client.answer(client.ask("/x", {}, {{"connection", "close"}})).reset.value_or(99) == h2::protocol_error);
    BOOST_TEST(client.answer(client.ask("/x", {}, {{"host", "elsewhere"}})).status == "400");
    client.send(
        h2::head(7, {{":method", "GET"}, {":scheme", "https"}, {":authority", "elsewhere"}, {":path", "/x"}}, true));
    BOOST_TEST(client.answer(7).status == "421");
    BOOST_TEST(world.counters().rejected == 3U);
    client.send(h2::frame(h2::data, 0, 99, "idle"));
    BOOST_TEST((client.how_it_ends() == wire_client::end::notified));
    BOOST_TEST(world.counters().rejected == 4U);
    wire_client confused(world.port(), world.ca_pem(), "localhost", "h2");
    confused.send("GET / HTTP/1.1\r\n\r\n");
    BOOST_TEST((confused.how_it_ends() == wire_client::end::notified));
    BOOST_TEST(world.counters().rejected == 5U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_stream_is_counted_and_a_token_request_over_with_it)
{
    world.set_token_latency(1h);
    auto const id = client.ask("/datacrunch/v1/oauth2/token", {}, {}, "POST", "{}");
    BOOST_TEST(wait([](auto const& c) { return c.token_requests == 2; }));
    client.send(h2::reset(id, h2::cancel));
    BOOST_TEST(wait([](auto const& c) { return c.streams_cancelled == 1; }));
    world.set_token_latency({});
    get_token();
    BOOST_TEST(world.counters().most_token_requests_at_once == 1U);
}

BOOST_AUTO_TEST_CASE(connections_end_after_so_many_requests_and_when_idle)
{
    world.set_requests_per_connection(2);
    auto c = another();
    BOOST_TEST(c.answer(ask(c)).body == balance);
    BOOST_TEST(c.listener.farewells.empty());
    BOOST_TEST(c.answer(ask(c)).body == balance);
    BOOST_TEST((c.how_it_ends() == wire_client::end::notified));
    BOOST_REQUIRE(c.listener.farewells.size() == 1U);
    BOOST_TEST(c.listener.farewells[0].last == 3U);

    sandbox impatient(sandbox_options{.idle = 30s, .time = time});
    h2_wire_client idle(impatient.port(), impatient.ca_pem());
    BOOST_TEST(idle.settled());
    BOOST_TEST(!impatient.wait_until([](auto const& n) { return n.open_connections == 0; }, 20ms));
    time->advance(31s);
    BOOST_TEST((idle.how_it_ends() == wire_client::end::notified));
    BOOST_REQUIRE(idle.listener.farewells.size() == 1U);
    BOOST_TEST(idle.listener.farewells[0].code == h2::no_error);
}

BOOST_AUTO_TEST_CASE(stopping_ends_streams_that_hang_and_wait)
{
    world.on_api_request(fault().hang());
    world.on_api_request(fault().delay(1h));
    ask();
    ask();
    BOOST_TEST(wait([](auto const& c) { return c.api_requests == 2; }));
    world.stop();
    BOOST_TEST((client.how_it_ends() != wire_client::end::open));
    BOOST_TEST(world.counters().open_connections == 0U);
}

BOOST_AUTO_TEST_CASE(connections_can_be_closed_and_reset_without_being_told)
{
    world.close_connections();
    BOOST_TEST((client.how_it_ends() == wire_client::end::notified));
    BOOST_TEST(client.listener.farewells.empty());
    auto c = another();
    BOOST_TEST(c.settled());
    world.reset_connections();
    BOOST_TEST((c.how_it_ends() == wire_client::end::reset));
}

BOOST_AUTO_TEST_SUITE_END()
