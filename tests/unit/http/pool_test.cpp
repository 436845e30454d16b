// SPDX-License-Identifier: BSL-1.0
#include "client_scene.hpp"

#include <jeton/http/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace std::chrono_literals;
using namespace jeton;
using namespace jeton::testing;

namespace {

constexpr std::string_view hinting =
    "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=2\r\nContent-Length: 5\r\n\r\nhello";

struct warming {
    warming(scene& s, std::size_t requests, std::string url = "https://a.example/")
        : it(s.io, s.api().warm(std::move(url), requests))
    {
        settle(s.io);
    }
    started<result<void>> it;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_pool)

BOOST_AUTO_TEST_CASE(a_busy_connection_that_grows_old_is_replaced_before_it_is_closed)
{
    // J14, FAULTS 3
    scene s;
    s.options.first_byte = 1h;
    s.warm();
    s.board->hold = true;
    auto one = s.send(request::get("https://a.example/").deadline(1h));
    s.pass(8min - 1s);
    BOOST_TEST(s.board->dialling == 0);
    s.pass(2min + 1s);
    BOOST_TEST(s.board->dialling == 1);
    BOOST_TEST(s.api().snapshot().at(0).retired == 0u);
    s.board->place.wake_all();
    settle(s.io);
    BOOST_TEST(s.api().snapshot().at(0).retired == 1u);
    s.answer(0);
    BOOST_REQUIRE(one->done());
    BOOST_TEST(one->outcome().has_value());
    BOOST_TEST(s.board->peers[0]->peer_closed());
    BOOST_TEST(s.seen->said == "connected;connected;disconnected age;");
}

BOOST_AUTO_TEST_CASE(a_connection_is_closed_after_its_last_request_and_its_successor_is_there_by_then)
{
    // J14
    scene s;
    s.options.requests_per_connection = 3;
    s.warm();
    s.warm();
    BOOST_TEST(s.board->peers.size() == 2u);
    BOOST_TEST(s.board->peers[0]->peer_closed());
    BOOST_TEST(s.api().snapshot().at(0).idle == 1u);
    auto third = s.send();
    s.answer(1);
    BOOST_TEST(third->done());
    BOOST_TEST(s.seen->said == "connected;connected;disconnected number of requests;");
}

BOOST_AUTO_TEST_CASE(a_keep_alive_field_says_when_and_after_how_many_requests_to_let_go)
{
    // J14
    scene s;
    auto one = s.send();
    s.answer(0, hinting);
    BOOST_REQUIRE(one->done());
    BOOST_TEST((s.api().snapshot().at(0).idle_limit == 4s));
    s.pass(4s - 2ms);
    BOOST_TEST(!s.board->peers[0]->peer_closed());
    s.pass(4ms);
    BOOST_TEST(s.board->peers[0]->peer_closed());
    BOOST_TEST(s.seen->said == "connected;disconnected idle;");
}

BOOST_AUTO_TEST_CASE(what_a_server_shows_by_closing_idle_connections_is_learned)
{
    // J14
    scene s;
    for (int i = 0; i < 2; ++i) {
        s.warm();
        s.pass(10s);
        s.board->peers.back()->end();
        settle(s.io);
    }
    BOOST_TEST((s.api().snapshot().at(0).idle_limit == 9s));
    s.warm();
    s.pass(9s + 2ms);
    BOOST_TEST(s.board->peers.back()->peer_closed());
}

BOOST_AUTO_TEST_CASE(warming_up_makes_connections_that_requests_then_find)
{
    scene s;
    s.board->hold = true;
    warming two(s, 2);
    BOOST_TEST(s.board->dialling == 2);
    BOOST_TEST(!two.it.done());
    s.board->place.wake_all();
    settle(s.io);
    BOOST_REQUIRE(two.it.done());
    BOOST_TEST(two.it.outcome().has_value());
    BOOST_TEST(s.api().snapshot().at(0).idle == 2u);
    auto one = s.send();
    s.answer(1);
    BOOST_REQUIRE(one->done());
    BOOST_TEST(s.board->peers.size() == 2u);
    BOOST_TEST_CONTEXT("what is there is warm enough")
    {
        warming again(s, 2);
        BOOST_TEST(again.it.done());
        BOOST_TEST(s.board->peers.size() == 2u);
    }
}

BOOST_AUTO_TEST_CASE(warming_up_fails_with_the_dial_and_with_what_is_wrong)
{
    scene s;
    s.board->fail = true;
    warming refused(s, 1);
    BOOST_REQUIRE(refused.it.done());
    BOOST_TEST((refused.it.outcome().error().code() == net::errc::refused));
    warming plain(s, 1, "http://a.example/");
    BOOST_REQUIRE(plain.it.done());
    BOOST_TEST((plain.it.outcome().error().code() == http::errc::plain_http));
    warming bad(s, 1, "/relative");
    BOOST_REQUIRE(bad.it.done());
    BOOST_TEST((bad.it.outcome().error().code() == http::errc::bad_url));
}

BOOST_AUTO_TEST_CASE(warming_up_can_be_cancelled_timed_out_and_shut_down)
{
    for (int how = 0; how < 4; ++how) {
        scene s;
        s.board->hold = true;
        warming one(s, 1);
        BOOST_TEST(!one.it.done());
        switch (how) {
        case 0: one.it.cancel(); break;
        case 1: s.pass(60s + 2ms); break;
        case 2: asio::co_spawn(s.io, s.api().shut_down(), [](std::exception_ptr) {}); break;
        default: s.client.reset(); break;
        }
        settle(s.io);
        BOOST_REQUIRE(one.it.done());
        auto const code = one.it.outcome().error().code();
        BOOST_TEST((code == cond::cancelled) == (how == 0 || how == 3));
        BOOST_TEST((code == cond::timeout) == (how == 1));
        BOOST_TEST((code == jeton::errc::shut_down) == (how == 2));
        if (s.client && how < 2) {
            s.board->place.wake_all();
            settle(s.io);
            BOOST_TEST(s.api().snapshot().at(0).idle == 1u);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_origin_that_has_been_used_keeps_connections_ready)
{
    scene s;
    s.options.ready_per_origin = 2;
    auto one = s.send();
    BOOST_TEST(s.board->peers.size() == 3u);
    s.answer(0);
    BOOST_REQUIRE(one->done());
    s.board->peers[1]->end();
    s.board->peers[2]->end();
    settle(s.io);
    s.pass(1s);
    BOOST_TEST(s.api().snapshot().at(0).idle == 2u);
}

BOOST_AUTO_TEST_CASE(after_a_failed_dial_a_request_with_time_waits_and_one_without_hears_why_and_when)
{
    scene s;
    s.options.dialling = {.first_pause = 2s, .longest_pause = 2s};
    s.board->fail = true;
    auto first = s.send();
    BOOST_REQUIRE(first->done());
    BOOST_TEST((first->outcome().error().code() == net::errc::refused));
    auto const state = s.api().snapshot().at(0);
    BOOST_TEST(state.connects_failed == 1u);
    BOOST_TEST(state.failures_in_a_row == 1u);
    BOOST_TEST((state.next_attempt >= s.clock->now() + 1s));
    BOOST_REQUIRE(state.last_failure.has_value());

    auto hasty = s.send(request::get("https://a.example/").deadline(500ms));
    BOOST_REQUIRE(hasty->done());
    auto const& why = hasty->outcome().error();
    BOOST_TEST((why.code() == net::errc::refused));
    BOOST_TEST(why.safe_to_resend());
    BOOST_TEST((why.diag().retry_at == state.next_attempt));
    BOOST_TEST(why.diag().ours.find("the next attempt is due in") != std::string::npos);

    auto patient = s.send();
    BOOST_TEST(!patient->done());
    BOOST_TEST(s.board->hosts.size() == 1u);
    s.board->fail = false;
    s.pass(2s + 2ms);
    BOOST_TEST(s.board->hosts.size() == 2u);
    s.answer(0);
    BOOST_REQUIRE(patient->done());
    BOOST_TEST(patient->outcome().has_value());
}

BOOST_AUTO_TEST_CASE(a_request_that_waits_in_vain_says_what_failed_and_when_it_is_tried_again)
{
    scene s;
    s.options.connections_per_origin = 1;
    s.options.queue = 1s;
    s.options.dialling = {.at_once = 1, .first_pause = 60s, .longest_pause = 60s};
    auto busy = s.send();
    s.options.queue = 1s;
    s.board->fail = true;
    s.answer(0, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    BOOST_REQUIRE(busy->done());
    auto second = s.send();
    BOOST_REQUIRE(second->done());
    BOOST_TEST((second->outcome().error().code() == net::errc::refused));
    auto third = s.send();
    BOOST_REQUIRE(third->done());
    BOOST_TEST((third->outcome().error().code() == net::errc::refused));
    BOOST_TEST(third->outcome().error().diag().retry_at.has_value());
}

BOOST_AUTO_TEST_CASE(when_the_peer_restarts_it_is_not_run_over)
{
    // FAULTS 70
    scene s;
    s.options.dialling.at_once = 4;
    s.board->hold = true;
    for (int i = 0; i < 20; ++i)
        s.send();
    int most = 0;
    for (int i = 0; i < 20; ++i) {
        most = std::max(most, s.board->dialling);
        s.board->place.wake_all();
        settle(s.io);
    }
    BOOST_TEST(most == 4);
    BOOST_TEST(s.board->peers.size() == 20u);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_of_another_origin_makes_room)
{
    // FAULTS 72
    scene s;
    s.options.connections = 1;
    s.warm();
    auto other = s.send(request::get("https://b.example/"));
    BOOST_TEST(s.board->peers[0]->peer_closed());
    BOOST_REQUIRE(s.board->peers.size() == 2u);
    s.answer(1);
    BOOST_REQUIRE(other->done());
    BOOST_TEST(other->outcome().has_value());
    BOOST_TEST(s.seen->said == "connected;disconnected made room;connected;");
}

BOOST_AUTO_TEST_CASE(no_origin_starves_though_others_have_more_to_do_than_there_are_connections)
{
    // FAULTS 72
    scene s;
    s.options.connections = 2;
    for (int i = 0; i < 12; ++i)
        s.send(request::get("https://a.example/"));
    auto one = s.send(request::get("https://b.example/"));
    auto other = s.send(request::get("https://c.example/"));
    int rounds = 0;
    for (; rounds < 12 && !(one->done() && other->done()); ++rounds)
        for (std::size_t p = 0; p < s.board->peers.size(); ++p)
            if (!s.board->peers[p]->peer_closed() && !s.board->peers[p]->take().empty())
                s.answer(p);
    BOOST_TEST(rounds <= 4);
    BOOST_TEST((one->done() && one->outcome().has_value()));
    BOOST_TEST((other->done() && other->outcome().has_value()));
    for (int i = 0; i < 40; ++i)
        for (std::size_t p = 0; p < s.board->peers.size(); ++p)
            if (!s.board->peers[p]->peer_closed() && !s.board->peers[p]->take().empty())
                s.answer(p);
    for (auto const& each : s.all) {
        BOOST_REQUIRE(each->done());
        BOOST_TEST(each->outcome().has_value());
    }
}

BOOST_AUTO_TEST_CASE(pool_options_that_cannot_work_are_refused)
{
    asio::io_context io(1);
    auto const refused = [&](auto change) {
        http::client_options options;
        options.connector = std::make_shared<switchboard>(io);
        change(options);
        BOOST_CHECK_THROW(http::client(serial(io), options), std::invalid_argument);
    };
    refused([](auto& o) { o.age = -1s; });
    refused([](auto& o) { o.connections = 0; });
    refused([](auto& o) { o.dialling.at_once = 0; });
    refused([](auto& o) { o.dialling.first_pause = 0s; });
    refused([](auto& o) { o.dialling.longest_pause = o.dialling.first_pause - 1ns; });
}

BOOST_AUTO_TEST_SUITE_END()
