// SPDX-License-Identifier: BSL-1.0
#include "http/h1_connection.hpp"

#include "http/request_access.hpp"
#include "http/sansio/h1_request_writer.hpp"
#include "support/exchange.hpp"
#include "support/run.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>
#include <jeton/testing/manual_clock.hpp>
#include <jeton/testing/memory_stream.hpp>

#include <boost/test/unit_test.hpp>

#include <asio/io_context.hpp>

#include <string>

using namespace std::chrono_literals;
using namespace jeton;
using http::h1_connection;
using http::request;
using http::response;
using jeton::testing::manual_clock;
using jeton::testing::memory_stream;
using jeton::testing::settle;
using jeton::testing::started;

namespace {

request resolved(request r)
{
    http::request_access::resolve(r, std::make_shared<http::origin const>(http::origin{true, "a.example", 443}),
                                  r.target());
    return r;
}

// One connection, its peer, and time.
struct scene : h1_connection::keeper {
    explicit scene(http::answer_limits const& limits = {})
    {
        auto ends = memory_stream::make_pair(io.get_executor());
        peer = std::move(ends.second);
        connection = std::make_shared<h1_connection>(std::move(ends.first), timers, limits);
        connection->keep(this);
        connection->start(io.get_executor());
        settle(io);
    }
    virtual ~scene()
    {
        connection->close();
        settle(io);
    }

    void on_spent(http::connection& which) override
    {
        ++spent_while_idle;
        reason = which.spent();
    }

    asio::awaitable<result<response>> send(request what)
    {
        http::exchange_order order{.what = &what,
                                   .origin_head = head,
                                   .begun = clock->now(),
                                   .deadline = clock->now() + total,
                                   .first_byte = first_byte};
        auto op = testing::exchange(*connection, std::move(order));
        co_return co_await std::move(op);
    }

    // A whole exchange with that answer.
    std::string carry(std::string_view answer)
    {
        started<result<response>> one(io, send(resolved(request::get("/"))));
        settle(io);
        peer->take();
        peer->put(answer);
        settle(io);
        BOOST_REQUIRE(one.done());
        return one.outcome() ? std::string(one.outcome()->text()) : one.outcome().error().to_string();
    }

    asio::io_context io{1};
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    timekeeper timers{serial(io), clock};
    std::string head = http::h1_origin_head({true, "a.example", 443}, "");
    duration total = 60s;
    duration first_byte = 30s;
    std::unique_ptr<memory_stream> peer{};
    std::shared_ptr<h1_connection> connection{};
    int spent_while_idle = 0;
    std::string reason{};
};

constexpr std::string_view hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

}  // namespace

BOOST_AUTO_TEST_SUITE(http_h1_connection)

BOOST_AUTO_TEST_CASE(a_request_goes_out_and_its_answer_comes_back_with_its_times)
{
    scene s;
    started<result<response>> one(s.io, s.send(resolved(request::get("/x?y=1"))));
    settle(s.io);
    BOOST_TEST(s.peer->take().starts_with("GET /x?y=1 HTTP/1.1\r\nHost: a.example\r\n"));
    s.clock->advance(20ms);
    s.peer->put(hello.substr(0, 30));
    settle(s.io);
    BOOST_TEST(!one.done());
    s.clock->advance(5ms);
    s.peer->put(hello.substr(30));
    settle(s.io);
    BOOST_REQUIRE(one.done());
    auto const& answer = one.outcome().value();
    BOOST_TEST(answer.status() == 200);
    BOOST_TEST(answer.text() == "hello");
    BOOST_TEST(!answer.reused());
    BOOST_TEST((answer.phases().first_byte == 20ms));
    BOOST_TEST((answer.phases().body == 5ms));
    BOOST_TEST(s.connection->spent() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_connection_is_used_again_after_a_whole_answer)
{
    // J14
    scene s;
    BOOST_TEST(s.carry(hello) == "hello");
    BOOST_TEST(s.connection->fit());
    BOOST_TEST(s.carry(hello) == "hello");
    BOOST_TEST(s.connection->requests() == 2u);
}

BOOST_AUTO_TEST_CASE(a_connection_is_spent_unless_both_sides_keep_it_and_nothing_is_left_over)
{
    // J14, J20
    struct {
        std::string_view answer;
        std::string_view reason;
    } const cases[] = {
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "closed after an answer"},
        {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "closed after an answer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", "unexpected bytes"},
        {"HTTP/1.1 204 No Content\r\n\r\nsurplus", "unexpected bytes"},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(c.answer)
        {
            scene s;
            s.carry(c.answer);
            BOOST_REQUIRE(s.connection->spent() != nullptr);
            BOOST_TEST(s.connection->spent() == c.reason);
            BOOST_TEST(!s.connection->fit());
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_on_a_connection_that_will_be_closed_is_read_to_its_end)
{
    // J20
    struct {
        std::string_view head;
        bool until_close;
    } const cases[] = {
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n", false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n", false},
        {"HTTP/1.1 200 OK\r\n\r\n", true},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(c.head)
        {
            scene s;
            started<result<response>> one(s.io, s.send(resolved(request::get("/"))));
            settle(s.io);
            s.peer->take();
            for (std::string_view piece : {c.head, std::string_view("do"), std::string_view("ne")}) {
                BOOST_TEST(!one.done());
                s.peer->put(piece);
                settle(s.io);
            }
            if (c.until_close) {
                s.peer->end();
                settle(s.io);
            }
            BOOST_REQUIRE(one.done());
            BOOST_REQUIRE(one.outcome().has_value());
            BOOST_TEST(one.outcome()->text() == "done");
        }
    }
}

BOOST_AUTO_TEST_CASE(bytes_on_an_idle_connection_are_never_an_answer)
{
    // J13
    scene s;
    s.carry(hello);
    s.peer->put("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    BOOST_TEST_CONTEXT("seen before reuse, without waiting for the watch")
    {
        BOOST_TEST(!s.connection->fit());
        BOOST_TEST(s.connection->spent() == "unexpected bytes");
    }
}

BOOST_AUTO_TEST_CASE(an_idle_connection_that_hears_something_is_retired_at_once)
{
    // J13
    scene poisoned;
    poisoned.carry(hello);
    poisoned.peer->put("x");
    settle(poisoned.io);
    BOOST_TEST(poisoned.spent_while_idle == 1);
    BOOST_TEST(poisoned.reason == "unexpected bytes");

    scene closed;
    closed.carry(hello);
    closed.peer->end();
    settle(closed.io);
    BOOST_TEST(closed.spent_while_idle == 1);
    BOOST_TEST(closed.reason == "closed by peer");
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_off_is_incomplete)
{
    // J8, J7, M7
    struct {
        std::string_view answer;
        std::error_code end;
        std::error_code code;
    } const cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", net::errc::closed, http::errc::incomplete},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", net::errc::reset, http::errc::incomplete},
        {"HTTP/1.1 200 OK\r\nContent-Le", net::errc::closed, http::errc::incomplete},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n", net::errc::closed,
         http::errc::incomplete},
        {"HTTP/1.1 200 OK\r\n\r\nhell", net::errc::truncated, net::errc::truncated},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(c.answer)
        {
            scene s;
            started<result<response>> one(s.io, s.send(resolved(request::get("/"))));
            settle(s.io);
            s.peer->put(c.answer);
            s.peer->end(c.end);
            settle(s.io);
            BOOST_REQUIRE(one.done());
            BOOST_REQUIRE(!one.outcome());
            BOOST_TEST(one.outcome().error().code() == c.code);
            BOOST_TEST((one.outcome().error().phase() == phase::body));
            BOOST_TEST((one.outcome().error().delivery() == delivery::answered));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_until_the_end_is_whole_if_the_end_is_orderly)
{
    // J7, M7
    scene s;
    started<result<response>> one(s.io, s.send(resolved(request::get("/"))));
    settle(s.io);
    s.peer->put("HTTP/1.1 200 OK\r\n\r\nhello");
    s.peer->end(net::errc::closed);
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST(one.outcome().value().text() == "hello");
    BOOST_TEST(s.connection->spent() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_new_connection_that_dies_before_the_answer_fails_as_the_network_did)
{
    scene s;
    started<result<response>> one(s.io, s.send(resolved(request::get("/"))));
    settle(s.io);
    s.peer->reset();
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().error().code() == net::errc::reset));
    BOOST_TEST((one.outcome().error().delivery() == delivery::maybe_processed));
    BOOST_TEST((one.outcome().error().phase() == phase::first_byte));
}

BOOST_AUTO_TEST_CASE(a_reused_connection_that_dies_before_the_answer_is_called_lost)
{
    // J15: a byte of the request has left.
    scene s;
    s.carry(hello);
    started<result<response>> one(s.io, s.send(resolved(request::get("/"))));
    settle(s.io);
    s.peer->end();
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().error().code() == http::errc::connection_lost));
    BOOST_TEST((one.outcome().error().delivery() == delivery::maybe_processed));
}

BOOST_AUTO_TEST_CASE(a_reused_connection_that_takes_no_byte_leaves_the_request_unsent)
{
    // J15: not a byte of the request has left.
    scene s;
    s.carry(hello);
    s.peer->reset();
    started<result<response>> one(s.io, s.send(resolved(request::post("/", "{}"))));
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().error().code() == http::errc::connection_lost));
    BOOST_TEST(one.outcome().error().safe_to_resend());
}

BOOST_AUTO_TEST_CASE(no_answer_in_time_ends_with_the_phase_it_was_in)
{
    scene silent;
    silent.first_byte = 2s;
    started<result<response>> one(silent.io, silent.send(resolved(request::get("/"))));
    settle(silent.io);
    silent.clock->advance(2s - 2ms);
    settle(silent.io);
    BOOST_TEST(!one.done());
    silent.clock->advance(4ms);
    settle(silent.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().error().code() == cond::timeout));
    BOOST_TEST((one.outcome().error().phase() == phase::first_byte));
    BOOST_TEST((one.outcome().error().delivery() == delivery::maybe_processed));
    BOOST_TEST(silent.connection->spent() != nullptr);
}

BOOST_AUTO_TEST_CASE(an_answer_that_has_begun_has_until_the_deadline)
{
    scene s;
    s.first_byte = 2s;
    s.total = 5s;
    started<result<response>> one(s.io, s.send(resolved(request::get("/"))));
    settle(s.io);
    s.peer->put("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    settle(s.io);
    s.clock->advance(3s);
    settle(s.io);
    BOOST_TEST(!one.done());
    s.clock->advance(2s + 2ms);
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().error().code() == cond::timeout));
    BOOST_TEST((one.outcome().error().phase() == phase::body));
    BOOST_TEST((one.outcome().error().delivery() == delivery::answered));
    BOOST_TEST((one.outcome().error().diag().http_status == 200));
}

BOOST_AUTO_TEST_CASE(a_request_that_the_peer_does_not_take_ends_at_the_deadline)
{
    scene s;
    s.total = 5s;
    s.peer->window(0);
    started<result<response>> one(s.io, s.send(resolved(request::post("/", "{}"))));
    settle(s.io);
    BOOST_TEST(!one.done());
    s.clock->advance(5s + 2ms);
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().error().code() == cond::timeout));
    BOOST_TEST((one.outcome().error().phase() == phase::write));
    BOOST_TEST(one.outcome().error().safe_to_resend());
}

BOOST_AUTO_TEST_CASE(it_can_be_cancelled_at_every_wait)
{
    struct {
        std::string_view answer;
        std::size_t window;
        phase where;
        delivery how_far;
    } const cases[] = {
        {"", 0, phase::write, delivery::not_sent},
        {"", 10, phase::write, delivery::maybe_processed},
        {"", 4096, phase::first_byte, delivery::maybe_processed},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 4096, phase::body, delivery::answered},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(to_string(c.where) << ' ' << to_string(c.how_far))
        {
            scene s;
            s.peer->window(c.window);
            started<result<response>> one(s.io, s.send(resolved(request::post("/", "{}"))));
            settle(s.io);
            if (!c.answer.empty())
                s.peer->put(c.answer);
            settle(s.io);
            BOOST_TEST(!one.done());
            one.cancel();
            settle(s.io);
            BOOST_REQUIRE(one.done());
            BOOST_TEST((one.outcome().error().code() == cond::cancelled));
            BOOST_TEST((one.outcome().error().phase() == c.where));
            BOOST_TEST((one.outcome().error().delivery() == c.how_far));
            BOOST_TEST(s.connection->spent() != nullptr);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_before_all_is_sent_is_delivered_and_the_rest_is_not_sent)
{
    // J17
    scene s;
    s.peer->window(1000);
    std::string const large(1'000'000, 'x');
    started<result<response>> one(s.io, s.send(resolved(request::post("/", large))));
    settle(s.io);
    s.peer->put("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST(one.outcome().value().status() == 413);
    BOOST_TEST(s.connection->spent() != nullptr);
    BOOST_TEST(s.peer->take().size() <= 1000u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_there_when_a_write_fails_is_delivered_however_long_it_is)
{
    // J17: the peer answers and closes while it is being sent to.
    for (bool const whole : {true, false}) {
        scene s;
        s.peer->split(1000);
        s.peer->window(1000);
        std::string const large(1'000'000, 'x');
        started<result<response>> one(s.io, s.send(resolved(request::post("/", large))));
        settle(s.io);
        s.peer->hold();
        s.peer->put("HTTP/1.1 413 Content Too Large\r\nContent-Length: 1000000\r\n\r\n");
        s.peer->put(whole ? large : large.substr(1));
        s.peer->close();
        s.peer->release();
        settle(s.io);
        BOOST_REQUIRE(one.done());
        BOOST_TEST(s.connection->spent() != nullptr);
        if (whole) {
            BOOST_TEST(one.outcome().value().status() == 413);
            BOOST_TEST((one.outcome().value().text() == large));
        } else {
            BOOST_TEST((one.outcome().error().code() == http::errc::incomplete));
            BOOST_TEST((one.outcome().error().delivery() == delivery::answered));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_is_heard_during_an_upload_that_never_has_to_wait)
{
    // J17
    scene s;
    s.peer->split(100);
    std::string const large(1'000'000, 'x');
    started<result<response>> one(s.io, s.send(resolved(request::post("/", large))));
    s.peer->put("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST(one.outcome().value().status() == 413);
    BOOST_TEST(s.connection->spent() != nullptr);
    BOOST_TEST(s.peer->take().size() < large.size());
}

BOOST_AUTO_TEST_CASE(a_large_request_and_a_large_answer_pass_in_pieces)
{
    scene s;
    s.peer->split(777);
    std::string const large(200'000, 'x');
    started<result<response>> one(s.io, s.send(resolved(request::put("/", large))));
    settle(s.io);
    BOOST_TEST(s.peer->take().ends_with("\r\n\r\n" + large));
    s.peer->put("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + large);
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().value().text() == large));
    BOOST_TEST(s.connection->spent() == nullptr);
}

BOOST_AUTO_TEST_CASE(closing_says_good_bye_to_the_peer)
{
    // J20
    scene s;
    s.carry(hello);
    BOOST_TEST(!s.peer->peer_closed());
    s.connection->close();
    settle(s.io);
    BOOST_TEST(s.peer->peer_closed());
}

BOOST_AUTO_TEST_CASE(an_exchange_that_is_aborted_ends_with_the_reason_given)
{
    scene s;
    started<result<response>> one(s.io, s.send(resolved(request::get("/"))));
    settle(s.io);
    s.connection->abort(failure(jeton::errc::cancelled, phase::none, delivery::not_sent, "because"));
    settle(s.io);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().error().code() == cond::cancelled));
    BOOST_TEST((one.outcome().error().delivery() == delivery::maybe_processed));
    BOOST_TEST(one.outcome().error().diag().ours == "because");
}

BOOST_AUTO_TEST_CASE(a_context_that_dies_in_the_middle_of_an_exchange_leaks_nothing)
{
    auto clock = std::make_shared<manual_clock>();
    auto io = std::make_unique<asio::io_context>(1);
    timekeeper timers(serial(*io), clock);
    auto ends = memory_stream::make_pair(io->get_executor());
    auto connection = std::make_shared<h1_connection>(std::move(ends.first), timers, http::answer_limits{});
    connection->start(io->get_executor());
    auto what = resolved(request::get("/"));
    http::exchange_order order{
        .what = &what, .origin_head = "", .begun = clock->now(), .deadline = clock->now() + 5s, .first_byte = 5s};
    asio::co_spawn(*io, testing::exchange(*connection, std::move(order)), [](std::exception_ptr, result<response>) {});
    settle(*io);
    std::weak_ptr<h1_connection> const watched = connection;
    connection.reset();
    BOOST_TEST(!watched.expired());
    io.reset();
    BOOST_TEST(watched.expired());
}

BOOST_AUTO_TEST_SUITE_END()
