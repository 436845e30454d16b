// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/client.hpp>

#include "client_scene.hpp"
#include "http/request_access.hpp"
#include "support/run.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>
#include <jeton/testing/manual_clock.hpp>
#include <jeton/testing/memory_stream.hpp>

#include <boost/test/unit_test.hpp>

#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>

#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace jeton;
using namespace jeton::testing;

namespace {

// Says whether it came back to where it was, with its setting as it was.
asio::awaitable<result<response>> ask(http::client& api, asio::io_context& home, bool& came_back)
{
    auto what = request::get("https://a.example/");
    auto answer = co_await api.send(std::move(what));
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    came_back = throws && home.get_executor().running_in_this_thread();
    co_return answer;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_client)

BOOST_AUTO_TEST_CASE(connections_are_made_used_again_and_told_apart_by_origin)
{
    scene s;
    auto first = s.send();
    BOOST_TEST(s.board->peers.at(0)->take().starts_with("GET /x?secret=1 HTTP/1.1\r\nHost: a.example\r\n"));
    s.answer(0);
    BOOST_REQUIRE(first->done());
    auto const& made = first->outcome().value();
    BOOST_TEST(!made.reused());
    BOOST_TEST((made.phases().connect == 3ms));
    BOOST_TEST((made.phases().tls == 4ms));

    auto second = s.send();
    s.answer(0);
    BOOST_REQUIRE(second->done());
    BOOST_TEST(second->outcome().value().reused());
    BOOST_TEST((second->outcome().value().phases().connect == 0ms));

    auto other = s.send(request::get("https://a.example:444/"));
    s.answer(1);
    BOOST_REQUIRE(other->done());
    BOOST_TEST(!other->outcome().value().reused());
    BOOST_TEST(s.api().snapshot().size() == 2u);
    BOOST_TEST(s.seen->said == "connected;connected;");
}

BOOST_AUTO_TEST_CASE(a_request_takes_whichever_connection_is_free_first)
{
    scene s;
    auto first = s.send();
    s.board->hold = true;
    auto second = s.send();
    BOOST_TEST(s.board->dialling == 1);
    s.answer(0);
    BOOST_TEST(first->done());
    s.answer(0);
    BOOST_REQUIRE(second->done());
    BOOST_TEST(second->outcome().value().reused());
    s.board->place.wake_all();
    settle(s.io);
    BOOST_TEST(s.api().snapshot().at(0).idle == 2u);
}

BOOST_AUTO_TEST_CASE(a_dial_goes_on_if_the_request_that_caused_it_is_cancelled)
{
    scene s;
    s.board->hold = true;
    auto first = s.send();
    first->cancel();
    settle(s.io);
    BOOST_REQUIRE(first->done());
    BOOST_TEST((first->outcome().error().code() == cond::cancelled));
    BOOST_TEST(first->outcome().error().safe_to_resend());
    auto second = s.send();
    BOOST_TEST(s.board->dialling == 1);
    s.board->place.wake_all();
    settle(s.io);
    s.answer(0);
    BOOST_TEST(second->done());
}

BOOST_AUTO_TEST_CASE(when_too_many_wait_the_next_request_is_refused_at_once)
{
    scene s;
    s.options.connections_per_origin = 1;
    s.options.waiting_requests = 1;
    s.board->hold = true;
    s.send();
    auto second = s.send();
    BOOST_REQUIRE(second->done());
    BOOST_TEST((second->outcome().error().code() == http::errc::queue_full));
    BOOST_TEST((second->outcome().error().code() == cond::overloaded));
    BOOST_TEST(second->outcome().error().safe_to_resend());
}

BOOST_AUTO_TEST_CASE(a_request_that_waits_too_long_says_what_it_waited_for)
{
    scene s;
    s.options.connections_per_origin = 1;
    auto first = s.send();
    auto second = s.send();
    s.pass(5s + 2ms);
    BOOST_REQUIRE(second->done());
    auto const& why = second->outcome().error();
    BOOST_TEST((why.code() == cond::timeout));
    BOOST_TEST((why.phase() == phase::queue));
    BOOST_TEST(why.safe_to_resend());
    BOOST_TEST(why.diag().ours.find("GET https://a.example/x: ") == 0u);
    BOOST_TEST(why.diag().ours.find("1 busy") != std::string::npos);
    BOOST_TEST(why.diag().ours.find("secret") == std::string::npos);
    BOOST_TEST(!first->done());
}

BOOST_AUTO_TEST_CASE(a_dial_in_progress_has_its_own_limits)
{
    scene s;
    s.board->hold = true;
    auto first = s.send(request::get("https://a.example/").deadline(20s));
    s.pass(10s);
    BOOST_TEST(!first->done());
    s.pass(10s + 2ms);
    BOOST_REQUIRE(first->done());
    BOOST_TEST((first->outcome().error().code() == cond::timeout));
    BOOST_TEST(first->outcome().error().diag().ours.find("1 being made") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_connection_handed_to_somebody_who_is_cancelled_goes_to_the_next)
{
    // FAULTS 71
    scene s;
    s.options.connections_per_origin = 1;
    auto first = s.send();
    auto second = s.send();
    auto third = s.send();
    s.board->peers[0]->put(hello);
    // Every interleaving of the hand-over with the cancellation, one handler at a time.
    while (!first->done())
        s.io.poll_one();
    second->cancel();
    settle(s.io);
    BOOST_REQUIRE(second->done());
    BOOST_TEST((second->outcome().error().code() == cond::cancelled));
    BOOST_TEST(s.api().snapshot().at(0).busy == 1u);
    s.answer(0);
    BOOST_TEST(third->done());
    BOOST_TEST(s.board->peers.size() == 1u);
}

BOOST_AUTO_TEST_CASE(whenever_a_waiter_is_cancelled_no_connection_leaks)
{
    // FAULTS 71
    for (int steps = 0; steps < 30; ++steps) {
        BOOST_TEST_CONTEXT("cancelled after " << steps << " handlers")
        {
            scene s;
            s.options.connections_per_origin = 1;
            auto first = s.send();
            auto second = s.send();
            s.board->peers[0]->put(hello);
            for (int i = 0; i < steps; ++i)
                s.io.poll_one();
            second->cancel();
            settle(s.io);
            BOOST_REQUIRE((first->done() && second->done()));
            auto const after = s.api().snapshot().at(0);
            BOOST_TEST(after.busy == 0u);
            BOOST_TEST(after.waiting == 0u);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_failed_dial_is_what_the_request_fails_with)
{
    scene s;
    s.board->fail = true;
    auto one = s.send();
    BOOST_REQUIRE(one->done());
    BOOST_TEST((one->outcome().error().code() == net::errc::refused));
    BOOST_TEST((one->outcome().error().phase() == phase::connect));
    BOOST_TEST(one->outcome().error().safe_to_resend());
    BOOST_TEST(s.seen->said == "failed;");
    s.board->fail = false;
    s.board->throws = true;
    s.pass(101ms);
    auto other = s.send();
    BOOST_REQUIRE(other->done());
    BOOST_TEST((other->outcome().error().code() == jeton::errc::unexpected));
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_after_a_while)
{
    // J20: with a good-bye.
    scene s;
    s.warm();
    s.pass(60s - 2ms);
    BOOST_TEST(!s.board->peers[0]->peer_closed());
    s.pass(4ms);
    BOOST_TEST(s.board->peers[0]->peer_closed());
    BOOST_TEST(s.seen->said == "connected;disconnected idle;");
    BOOST_TEST(s.api().snapshot().at(0).idle == 0u);
}

BOOST_AUTO_TEST_CASE(bytes_on_an_idle_connection_are_answers_to_nobody)
{
    // J13, FAULTS 8
    scene s;
    s.warm();
    s.board->peers[0]->put("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    auto one = s.send();
    BOOST_REQUIRE(s.board->peers.size() == 2u);
    s.answer(1);
    BOOST_REQUIRE(one->done());
    BOOST_TEST(one->outcome().value().text() == "hello");
    BOOST_TEST(s.seen->said == "connected;disconnected unexpected bytes;connected;");
}

BOOST_AUTO_TEST_CASE(a_connection_that_died_while_idle_is_not_used)
{
    // J13, J14, FAULTS 8
    for (bool const noticed : {false, true}) {
        scene s;
        s.warm();
        s.board->peers[0]->reset();
        if (noticed)
            settle(s.io);
        auto one = s.send(request::post("https://a.example/", "{}"));
        BOOST_REQUIRE(s.board->peers.size() == 2u);
        s.answer(1);
        BOOST_REQUIRE(one->done());
        BOOST_TEST(one->outcome().has_value());
    }
}

BOOST_AUTO_TEST_CASE(only_what_can_be_repeated_goes_over_a_connection_used_just_now_without_a_look)
{
    // J13, FAULTS 8
    struct use {
        request what;
        duration later;
        bool looked_at;
    };
    for (auto const& one :
         {use{request::get("https://a.example/"), 0ms, false}, use{request::get("https://a.example/"), 1ms, true},
          use{request::post("https://a.example/", "{}"), 0ms, true},
          use{request::post("https://a.example/", "{}").replayable(), 0ms, false}}) {
        scene s;
        s.warm();
        auto const looks = s.board->calls->looks;
        s.clock->advance(one.later);
        auto const sent = s.send(one.what);
        BOOST_TEST(s.board->calls->looks - looks == (one.looked_at ? 1 : 0));
        s.answer(0);
        BOOST_REQUIRE(sent->done());
        BOOST_TEST(sent->outcome().has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_connection_whose_peer_closes_it_carries_one_request)
{
    // J20
    scene s;
    auto one = s.send();
    s.answer(0, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    BOOST_REQUIRE(one->done());
    BOOST_TEST(s.board->peers[0]->peer_closed());
    BOOST_TEST(s.api().snapshot().at(0).idle == 0u);
}

BOOST_AUTO_TEST_CASE(a_resend_goes_over_a_connection_dialled_after_its_failure)
{
    // J15
    scene s;
    s.warm();
    s.pass(1s);
    auto again = request::get("https://a.example/");
    http::request_access::only_dialled_after(again, s.clock->now());
    auto one = s.send(again);
    BOOST_REQUIRE(s.board->peers.size() == 2u);
    s.answer(1);
    BOOST_TEST(one->done());
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_sends_nothing)
{
    scene s;
    s.warm();
    s.board->peers[0]->take();
    auto one = s.send(request::get("https://a.example/").deadline(0s));
    BOOST_REQUIRE(one->done());
    BOOST_TEST((one->outcome().error().code() == cond::timeout));
    BOOST_TEST(one->outcome().error().safe_to_resend());
    BOOST_TEST(s.board->peers[0]->take() == "");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_request_is_said_before_anything_is_dialled)
{
    // J18
    struct {
        request what;
        std::error_code code;
    } const cases[] = {
        {request::get("/relative"), http::errc::bad_url},
        {request::get("http://a.example/"), http::errc::plain_http},
        {request::get("http://127.0.0.1/"), http::errc::plain_http},
        {request::get("https://a.example/").header("X", "a\r\nb"), http::errc::bad_field},
    };
    for (auto const& c : cases) {
        scene s;
        auto one = s.send(c.what);
        BOOST_REQUIRE(one->done());
        BOOST_TEST((one->outcome().error().code() == c.code));
        BOOST_TEST((one->outcome().error().phase() == phase::configure));
        BOOST_TEST(s.board->hosts.empty());
    }
}

BOOST_AUTO_TEST_CASE(plain_http_is_for_this_machine_and_only_if_allowed)
{
    scene s;
    s.options.plain_http_on_loopback = true;
    auto one = s.send(request::get("http://127.0.0.1:8080/"));
    s.answer(0);
    BOOST_REQUIRE(one->done());
    BOOST_TEST(one->outcome().has_value());
    auto other = s.send(request::get("http://a.example/"));
    BOOST_REQUIRE(other->done());
    BOOST_TEST((other->outcome().error().code() == http::errc::plain_http));
}

BOOST_AUTO_TEST_CASE(shutting_down_lets_requests_finish_and_leaves_no_work_behind)
{
    scene s;
    s.warm();
    auto busy = s.send();
    auto also = s.send();
    BOOST_REQUIRE(s.board->peers.size() == 2u);
    s.answer(1);
    bool down = false;
    asio::co_spawn(s.io, s.api().shut_down(), [&](std::exception_ptr e) { down = !e; });
    settle(s.io);
    BOOST_TEST(!down);
    BOOST_TEST(also->done());
    BOOST_TEST(s.board->peers[1]->peer_closed());
    auto late = s.send();
    BOOST_REQUIRE(late->done());
    BOOST_TEST((late->outcome().error().code() == jeton::errc::shut_down));
    s.answer(0);
    BOOST_TEST(busy->done());
    BOOST_TEST(busy->outcome().has_value());
    BOOST_TEST(down);
    BOOST_TEST(s.board->peers[0]->peer_closed());
    BOOST_TEST(s.clock->alarms_set() == 0u);
}

BOOST_AUTO_TEST_CASE(shutting_down_does_not_wait_for_dials_that_nobody_needs)
{
    scene s;
    s.board->hold = true;
    auto one = s.send();
    one->cancel();
    settle(s.io);
    bool down = false;
    asio::co_spawn(s.io, s.api().shut_down(), [&](std::exception_ptr e) { down = !e; });
    settle(s.io);
    BOOST_TEST(down);
    BOOST_TEST(s.board->dialling == 0);
}

BOOST_AUTO_TEST_CASE(a_client_that_is_destroyed_cancels_what_is_in_flight)
{
    scene s;
    s.options.connections_per_origin = 2;
    auto busy = s.send();
    s.board->hold = true;
    auto waiting = s.send();
    auto also = s.send();
    s.client.reset();
    settle(s.io);
    BOOST_REQUIRE((busy->done() && waiting->done() && also->done()));
    BOOST_TEST((busy->outcome().error().code() == cond::cancelled));
    BOOST_TEST((busy->outcome().error().delivery() == delivery::maybe_processed));
    BOOST_TEST((waiting->outcome().error().code() == cond::cancelled));
    BOOST_TEST(waiting->outcome().error().safe_to_resend());
    BOOST_TEST(s.board->peers[0]->peer_closed());
    BOOST_TEST(s.board->dialling == 0);
    BOOST_TEST(s.clock->alarms_set() == 0u);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_for_a_client_that_was_destroyed_while_a_connection_was_handed_over)
{
    // FAULTS 71, 78
    scene s;
    s.options.connections_per_origin = 1;
    auto busy = s.send();
    auto waiting = s.send();
    s.board->peers[0]->take();
    s.board->peers[0]->put(hello);
    s.io.restart();
    while (!busy->done())
        BOOST_REQUIRE(s.io.poll_one() == 1u);
    BOOST_TEST(!waiting->done());
    s.client.reset();
    settle(s.io);
    BOOST_REQUIRE(waiting->done());
    BOOST_TEST((waiting->outcome().error().code() == cond::cancelled));
    BOOST_TEST(waiting->outcome().error().safe_to_resend());
    BOOST_TEST(s.board->peers[0]->take().empty());
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_between_being_handed_over_and_being_used_is_nobodys_failure)
{
    // J14
    scene s;
    s.options.connections_per_origin = 1;
    auto busy = s.send();
    auto waiting = s.send();
    s.board->peers[0]->take();
    s.board->peers[0]->put(hello);
    s.io.restart();
    while (!busy->done())
        BOOST_REQUIRE(s.io.poll_one() == 1u);
    BOOST_TEST(!waiting->done());
    s.board->peers[0]->close();
    settle(s.io);
    BOOST_TEST(!waiting->done());
    BOOST_REQUIRE(s.board->peers.size() == 2u);
    BOOST_TEST(!s.board->peers[1]->take().empty());
    s.board->peers[1]->put(hello);
    settle(s.io);
    BOOST_REQUIRE(waiting->done());
    BOOST_TEST(waiting->outcome()->status() == 200);
}

BOOST_AUTO_TEST_CASE(an_observer_may_let_go_of_the_client_when_an_idle_connection_is_closed)
{
    // FAULTS 78; the address sanitizer is the judge.
    struct leaver final : observer {
        void on(happening const& what) override
        {
            if (std::holds_alternative<happenings::disconnected>(what))
                client->reset();
        }
        std::optional<http::client>* client = nullptr;
    };
    scene s;
    auto const who = std::make_shared<leaver>();
    who->client = &s.client;
    s.options.watcher = who;
    s.warm();
    s.pass(61s);
    BOOST_TEST(!s.client.has_value());
    settle(s.io);
}

BOOST_AUTO_TEST_CASE(a_context_that_dies_with_requests_in_flight_leaks_nothing)
{
    // FAULTS 75; the leak checker is the judge.
    auto clock = std::make_shared<manual_clock>();
    auto io = std::make_unique<asio::io_context>(1);
    auto board = std::make_shared<switchboard>(*io);
    http::client_options options;
    options.time = clock;
    options.connector = board;
    options.connections_per_origin = 1;
    auto api = std::make_unique<http::client>(serial(*io), options);
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(*io, api->send(request::get("https://a.example/")), [](std::exception_ptr, result<response>) {});
    settle(*io);
    BOOST_TEST(board->peers.size() == 1u);
    board->peers.clear();
    api.reset();
    io.reset();
}

BOOST_AUTO_TEST_CASE(a_caller_on_another_executor_gets_its_answer_there)
{
    scene s;
    asio::io_context elsewhere(1);
    bool came_back = false;
    started<result<response>> one(elsewhere, ask(s.api(), elsewhere, came_back));
    settle(elsewhere);
    settle(s.io);
    s.answer(0);
    settle(elsewhere);
    BOOST_REQUIRE(one.done());
    BOOST_TEST(one.outcome().has_value());
    BOOST_TEST(came_back);
}

BOOST_AUTO_TEST_CASE(a_cancelled_caller_on_another_executor_gets_a_failure_and_no_exception)
{
    scene s;
    asio::io_context elsewhere(1);
    started<result<response>> one(elsewhere, s.api().send(request::get("https://a.example/")));
    settle(elsewhere);
    settle(s.io);
    one.cancel();
    settle(elsewhere);
    settle(s.io);
    settle(elsewhere);
    BOOST_REQUIRE(one.done());
    BOOST_TEST((one.outcome().error().code() == cond::cancelled));
}

BOOST_AUTO_TEST_CASE(options_that_cannot_work_are_refused)
{
    asio::io_context io(1);
    auto const refused = [&](auto change) {
        http::client_options options;
        options.connector = std::make_shared<switchboard>(io);
        change(options);
        BOOST_CHECK_THROW(http::client(serial(io), options), std::invalid_argument);
    };
    refused([](auto& o) { o.connections_per_origin = 0; });
    refused([](auto& o) { o.queue = 0s; });
    refused([](auto& o) { o.first_byte = 0s; });
    refused([](auto& o) { o.total = -1s; });
    refused([](auto& o) { o.idle = 0s; });
    refused([](auto& o) { o.user_agent = "a\r\nb"; });
}

BOOST_AUTO_TEST_SUITE_END()
