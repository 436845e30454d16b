// SPDX-License-Identifier: BSL-1.0
#include "http/h2_connection.hpp"

#include "http/request_access.hpp"
#include "http/sansio/h1_request_writer.hpp"
#include "support/counted_stream.hpp"
#include "support/exchange.hpp"
#include "support/h2_frames.hpp"
#include "support/run.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>
#include <jeton/testing/manual_clock.hpp>
#include <jeton/testing/memory_stream.hpp>

#include <boost/test/unit_test.hpp>

#include <asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace jeton;
using http::h2_connection;
using http::request;
using http::response;
using jeton::testing::manual_clock;
using jeton::testing::memory_stream;
using jeton::testing::settle;
using jeton::testing::started;
namespace h2 = jeton::testing::h2;

namespace {

using exchanged = started<result<response>>;

request resolved(request r)
{
    http::request_access::resolve(r, std::make_shared<http::origin const>(http::origin{true, "a.example", 443}),
                                  r.target());
    return r;
}

// One connection, its peer, and time.
struct scene : http::connection::keeper {
    explicit scene(std::string_view greeting = h2::greeting(), http::h2_limits const& limits = {})
    {
        auto ends = memory_stream::make_pair(io.get_executor(), "h2");
        peer = std::move(ends.second);
        connection = std::make_shared<h2_connection>(
            std::make_unique<testing::counted_stream>(std::move(ends.first), calls), timers, limits);
        connection->keep(this);
        connection->start(io.get_executor());
        settle(io);
        put(greeting);
        peer->take();
        calls->writes = 0;
    }
    virtual ~scene()
    {
        if (connection)
            connection->close();
        settle(io);
    }

    void on_spent(http::connection& which) override
    {
        ++spent_while_idle;
        reason = which.spent();
    }
    void on_capacity(http::connection& which) override { told_capacity = static_cast<int>(which.capacity()); }

    asio::awaitable<result<response>> exchange(request what)
    {
        http::exchange_order order{.what = &what,
                                   .origin_head = head,
                                   .begun = clock->now(),
                                   .deadline = clock->now() + total,
                                   .first_byte = first_byte};
        auto const kept = connection;  // as by the pool, which outlives its exchanges
        auto op = testing::exchange(*kept, std::move(order));
        co_return co_await std::move(op);
    }

    std::unique_ptr<exchanged> start(request what = request::get("/"))
    {
        return std::make_unique<exchanged>(io, exchange(resolved(std::move(what))));
    }
    std::unique_ptr<exchanged> send(request what = request::get("/"))
    {
        auto one = start(std::move(what));
        settle(io);
        return one;
    }

    void put(std::string_view bytes)
    {
        peer->put(bytes);
        settle(io);
    }
    void advance(duration by)
    {
        clock->advance(by);
        settle(io);
    }

    std::vector<h2::seen_frame> take(unsigned kind)
    {
        auto all = h2::frames_of(peer->take());
        std::erase_if(all, [&](auto const& f) { return f.kind != kind; });
        return all;
    }

    asio::io_context io{1};
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    timekeeper timers{serial(io), clock};
    std::string head = http::h1_origin_head({true, "a.example", 443}, "test");
    duration total = 60s;
    duration first_byte = 30s;
    std::shared_ptr<testing::stream_calls> calls = std::make_shared<testing::stream_calls>();
    std::unique_ptr<memory_stream> peer{};
    std::shared_ptr<h2_connection> connection{};
    int spent_while_idle = 0;
    int told_capacity = -1;
    std::string reason{};
};

void check_failure(exchanged const& one, std::error_code code, phase where, delivery how_far)
{
    BOOST_REQUIRE(one.done());
    BOOST_REQUIRE(!one.outcome());
    auto const& why = one.outcome().error();
    BOOST_TEST((why.code() == code), why.to_string());
    BOOST_TEST((why.phase() == where), why.to_string());
    BOOST_TEST((why.delivery() == how_far), why.to_string());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_h2_connection)

BOOST_AUTO_TEST_CASE(a_request_goes_out_and_its_answer_comes_back_with_its_times)
{
    scene s;
    auto const one = s.send(request::get("/x?y=1").header("X-Key", "k"));
    BOOST_TEST(s.take(h2::headers).size() == 1u);
    s.advance(20ms);
    s.put(h2::head(1, {{":status", "200"}, {"x-a", "b"}}));
    BOOST_TEST(!one->done());
    s.advance(5ms);
    s.put(h2::body(1, "hel", false) + h2::body(1, "lo", false) + h2::head(1, {{"x-sum", "1"}}, true));
    BOOST_REQUIRE(one->done());
    auto const& answer = one->outcome().value();
    BOOST_TEST(answer.status() == 200);
    BOOST_TEST(answer.text() == "hello");
    BOOST_TEST(answer.headers().find("X-A").value_or("") == "b");
    BOOST_TEST(answer.trailers().find("x-sum").value_or("") == "1");
    BOOST_TEST(!answer.reused());
    BOOST_TEST((answer.phases().first_byte == 20ms));
    BOOST_TEST((answer.phases().body == 5ms));
    BOOST_TEST(s.connection->spent() == nullptr);
    auto const next = s.send();
    s.put(h2::answer(3));
    BOOST_TEST(next->outcome().value().reused());
    BOOST_TEST(s.connection->requests() == 2u);
}

BOOST_AUTO_TEST_CASE(a_turn_of_the_loop_is_one_write_however_many_ask)
{
    scene s;
    std::vector<std::unique_ptr<exchanged>> all;
    for (int i = 0; i != 50; ++i)
        all.push_back(s.start());
    settle(s.io);
    BOOST_TEST(s.calls->writes == 1);
    BOOST_TEST(s.take(h2::headers).size() == 50u);

    // Those who are woken by one record ask again: one more.
    struct again {
        static asio::awaitable<result<response>> twice(scene& s)
        {
            auto first = co_await s.exchange(resolved(request::get("/")));
            if (!first)
                co_return first;
            co_return co_await s.exchange(resolved(request::get("/")));
        }
    };
    std::vector<std::unique_ptr<exchanged>> more;
    for (int i = 0; i != 20; ++i)
        more.push_back(std::make_unique<exchanged>(s.io, again::twice(s)));
    settle(s.io);
    s.peer->take();
    s.calls->writes = 0;
    std::string answers;
    for (std::uint32_t i = 50; i != 70; ++i)
        answers += h2::answer(2 * i + 1);
    s.put(answers);
    BOOST_TEST(s.calls->writes == 1);
    BOOST_TEST(s.take(h2::headers).size() == 20u);
}

BOOST_AUTO_TEST_CASE(its_keeper_hears_how_many_requests_the_peer_takes_even_if_that_was_assumed)
{
    // K3
    scene s(h2::greeting({{3, 100}}));
    BOOST_TEST(s.told_capacity == 100);
    BOOST_TEST(s.connection->capacity_known());
    scene silent("");
    BOOST_TEST(silent.told_capacity == -1);
    BOOST_TEST(!silent.connection->capacity_known());
}

BOOST_AUTO_TEST_CASE(a_thousand_requests_share_a_connection)
{
    http::h2_limits how;
    how.streams = 1000;
    scene s(h2::greeting({{3, 1000}}), how);
    BOOST_TEST(s.connection->slots() == 1000u);
    std::vector<std::unique_ptr<exchanged>> all;
    for (int i = 0; i != 1000; ++i)
        all.push_back(s.start());
    settle(s.io);
    BOOST_TEST(s.connection->slots() == 0u);
    BOOST_TEST(s.connection->capacity() == 1000u);
    std::string answers;
    for (std::uint32_t i = 1000; i-- != 0;)
        answers += h2::answer(2 * i + 1, std::to_string(i));
    s.put(answers);
    for (std::size_t i = 0; i != all.size(); ++i) {
        BOOST_REQUIRE(all[i]->done());
        BOOST_TEST(all[i]->outcome().value().text() == std::to_string(i));
    }
    BOOST_TEST(s.connection->slots() == 1000u);
    BOOST_TEST(s.connection->requests() == 1000u);
}

BOOST_AUTO_TEST_CASE(a_body_that_waits_for_the_peer_blocks_nobody)
{
    // K7
    scene s(h2::greeting({{4, 10}}));
    auto const large = s.send(request::post("/", std::string(1000, 'b')));
    auto const small = s.send();
    s.put(h2::answer(3));
    BOOST_TEST(small->outcome().value().text() == "hello");
    BOOST_TEST(!large->done());
    s.put(h2::window(1, 10000));
    s.put(h2::answer(1));
    BOOST_TEST(large->outcome().value().text() == "hello");
}

BOOST_AUTO_TEST_CASE(a_large_body_passes_a_stream_that_takes_little_at_a_time)
{
    scene s(h2::greeting({{4, 0x7fffffff}}));
    s.put(h2::window(0, 0x7fff0000 - 65535));
    s.peer->window(5000);
    std::string const body(1000000, 'b');
    auto const one = s.send(request::post("/", body));
    std::string got;
    for (int i = 0; i != 1000; ++i) {
        got += s.peer->take();
        settle(s.io);
    }
    std::size_t sent = 0;
    bool ended = false;
    for (auto const& f : h2::frames_of(got)) {
        if (f.kind == h2::data)
            sent += f.payload.size();
        ended = ended || (f.kind == h2::data && (f.flags & h2::end_stream) != 0);
    }
    BOOST_TEST(sent == body.size());
    BOOST_TEST(ended);
    s.put(h2::answer(1));
    BOOST_TEST(one->outcome().value().text() == "hello");
}

// Cancelling and deadlines.

BOOST_AUTO_TEST_CASE(cancelling_a_request_ends_its_stream_and_nothing_else)
{
    // K18, K16
    scene s;
    auto const one = s.send();
    auto const other = s.send();
    s.peer->take();
    one->cancel();
    settle(s.io);
    check_failure(*one, jeton::errc::cancelled, phase::first_byte, delivery::maybe_processed);
    auto const all = h2::frames_of(s.peer->take());
    BOOST_REQUIRE(all.size() == 2u);
    BOOST_TEST(all[0].kind == h2::rst_stream);
    BOOST_TEST(all[0].number() == h2::cancel);
    BOOST_TEST(all[1].kind == h2::ping);
    BOOST_TEST(s.told_capacity == 255);
    s.put(h2::frame(h2::ping, h2::ack, 0, all[1].payload));
    BOOST_TEST(s.told_capacity == 256);
    s.put(h2::answer(1, "nobody's"));
    s.put(h2::answer(3));
    BOOST_TEST(other->outcome().value().text() == "hello");
    BOOST_TEST(s.connection->spent() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_request_can_be_cancelled_wherever_it_waits)
{
    // K18
    BOOST_TEST_CONTEXT("before its frames were written")
    {
        scene s;
        auto const one = s.start();
        s.io.restart();
        s.io.poll_one();
        one->cancel();
        settle(s.io);
        BOOST_REQUIRE(one->done());
        BOOST_TEST((one->outcome().error().code() == cond::cancelled));
        BOOST_TEST((one->outcome().error().delivery() == delivery::not_sent) == s.take(h2::headers).empty());
        BOOST_TEST(s.connection->spent() == nullptr);
    }
    BOOST_TEST_CONTEXT("while its body waits for the peer's window")
    {
        scene s(h2::greeting({{4, 10}}));
        auto const one = s.send(request::post("/", std::string(1000, 'b')));
        one->cancel();
        settle(s.io);
        check_failure(*one, jeton::errc::cancelled, phase::write, delivery::maybe_processed);
        BOOST_TEST(s.take(h2::rst_stream).size() == 1u);
        auto const next = s.send();
        s.put(h2::window(0, 100000) + h2::answer(3));
        BOOST_TEST(next->done());
    }
    BOOST_TEST_CONTEXT("while the stream takes nothing: it will be sent all the same")
    {
        scene s;
        s.peer->window(0);
        auto const one = s.send();
        one->cancel();
        settle(s.io);
        BOOST_REQUIRE(one->done());
        BOOST_TEST((one->outcome().error().delivery() == delivery::maybe_processed));
        s.peer->window(100000);
        settle(s.io);
        auto const all = h2::frames_of(s.peer->take());
        BOOST_REQUIRE(all.size() >= 2u);
        BOOST_TEST(all[0].kind == h2::headers);
        BOOST_TEST(all[1].kind == h2::rst_stream);
    }
    BOOST_TEST_CONTEXT("in the midst of the answer")
    {
        scene s;
        auto const one = s.send();
        s.put(h2::head(1, {{":status", "200"}}) + h2::body(1, "hel", false));
        one->cancel();
        settle(s.io);
        check_failure(*one, jeton::errc::cancelled, phase::body, delivery::answered);
        s.put(h2::body(1, "lo"));
        BOOST_TEST(s.connection->spent() == nullptr);
    }
    BOOST_TEST_CONTEXT("when the answer is there already")
    {
        scene s;
        auto const one = s.send();
        s.peer->put(h2::answer(1));
        s.io.restart();
        for (int i = 0; i != 2; ++i)
            s.io.poll_one();
        one->cancel();
        settle(s.io);
        BOOST_TEST(one->done());
        BOOST_TEST(s.connection->spent() == nullptr);
    }
}

BOOST_AUTO_TEST_CASE(deadlines_end_a_stream_and_keep_the_connection)
{
    // K16
    scene s;
    s.total = 10s;
    s.first_byte = 3s;
    auto const silent = s.send();
    auto const slow = s.send();
    s.put(h2::head(3, {{":status", "200"}}));
    s.advance(3s);
    check_failure(*silent, jeton::errc::timed_out, phase::first_byte, delivery::maybe_processed);
    BOOST_TEST(!slow->done());
    s.advance(7s);
    check_failure(*slow, jeton::errc::timed_out, phase::body, delivery::answered);
    BOOST_TEST(s.take(h2::rst_stream).size() == 2u);
    BOOST_TEST(s.connection->spent() == nullptr);
}

BOOST_AUTO_TEST_CASE(the_first_byte_is_waited_for_from_the_end_of_writing)
{
    scene s(h2::greeting({{4, 10}}));
    s.first_byte = 3s;
    auto const one = s.send(request::post("/", std::string(20, 'b')));
    s.advance(5s);
    BOOST_TEST(!one->done());
    s.put(h2::window(1, 100));
    s.advance(2s);
    BOOST_TEST(!one->done());
    s.advance(1s);
    check_failure(*one, jeton::errc::timed_out, phase::first_byte, delivery::maybe_processed);
}

BOOST_AUTO_TEST_CASE(a_context_that_is_destroyed_takes_its_exchanges_with_it)
{
    auto s = std::make_unique<scene>();
    auto const one = s->send();
    auto const body = s->send(request::post("/", std::string(1000000, 'b')));
    s->connection.reset();
    BOOST_TEST(!one->done());
}

// Ends.

BOOST_AUTO_TEST_CASE(a_connection_that_dies_says_of_each_request_how_far_it_got)
{
    // J8, J15
    struct {
        std::error_code how;
        bool used;
    } const cases[] = {{net::errc::closed, false}, {net::errc::truncated, true}, {net::errc::reset, true}};
    for (auto const& c : cases) {
        scene s;
        std::uint32_t id = 1;
        if (c.used) {
            auto const first = s.send();
            s.put(h2::answer(1));
            BOOST_REQUIRE(first->done());
            id = 3;
        }
        auto const waiting = s.send();
        auto const begun = s.send();
        auto const unsent = [&] {
            s.put(h2::head(id + 2, {{":status", "200"}}));
            s.peer->take();
            s.peer->window(0);
            return s.send();
        }();
        s.peer->end(c.how);
        settle(s.io);
        check_failure(*waiting, c.used ? std::error_code(http::errc::connection_lost) : c.how, phase::first_byte,
                      delivery::maybe_processed);
        check_failure(*begun, http::errc::incomplete, phase::body, delivery::answered);
        BOOST_REQUIRE(unsent->done());
        BOOST_TEST((unsent->outcome().error().delivery() == delivery::not_sent));
        BOOST_TEST(s.connection->spent() == "closed by peer");
        // Not one byte more of what was reported as not sent.
        s.peer->window(100000);
        settle(s.io);
        BOOST_TEST(s.take(h2::headers).empty());
        auto const late = s.send();
        BOOST_REQUIRE(late->done());
        BOOST_TEST((late->outcome().error().delivery() == delivery::not_sent));
        BOOST_TEST((late->outcome().error().code() == cond::transient));
    }
}

BOOST_AUTO_TEST_CASE(what_a_dead_connection_brought_before_still_counts)
{
    scene s;
    auto const one = s.send();
    s.peer->put(h2::answer(1));
    s.peer->end();
    settle(s.io);
    BOOST_TEST(one->outcome().value().text() == "hello");
}

BOOST_AUTO_TEST_CASE(a_connection_that_goes_away_is_left_in_peace)
{
    // K1
    scene s;
    auto const served = s.send();
    auto const given_back = s.send(request::post("/", "money"));
    s.put(h2::go_away(1));
    check_failure(*given_back, http::errc::stream_refused, phase::first_byte, delivery::not_sent);
    BOOST_TEST(given_back->outcome().error().safe_to_resend());
    BOOST_TEST(s.connection->slots() == 0u);
    BOOST_TEST(s.told_capacity == 1);
    BOOST_TEST(s.spent_while_idle == 0);
    BOOST_TEST(s.connection->spent() == "told to go away");
    auto const late = s.send();
    BOOST_REQUIRE(late->done());
    BOOST_TEST((late->outcome().error().delivery() == delivery::not_sent));
    s.put(h2::answer(1));
    BOOST_TEST(served->outcome().value().text() == "hello");
}

BOOST_AUTO_TEST_CASE(an_idle_connection_that_goes_away_is_given_up_at_once)
{
    // K1, J14
    {
        scene s;
        s.put(h2::go_away(0));
        BOOST_TEST(s.spent_while_idle == 1);
        BOOST_TEST(!s.connection->fit());
    }
    scene s;
    s.peer->end();
    settle(s.io);
    BOOST_TEST(s.spent_while_idle == 1);
    BOOST_TEST(s.reason == "closed by peer");
}

BOOST_AUTO_TEST_CASE(a_connection_is_looked_at_before_it_is_used_again)
{
    // J13, J14: bytes on an idle connection are never an answer
    {
        scene s;
        s.peer->put(h2::set({{3, 7}}));
        BOOST_TEST(s.connection->fit());
        BOOST_TEST(s.connection->slots() == 7u);
    }
    {
        scene s;
        s.peer->put(h2::go_away(0));
        BOOST_TEST(!s.connection->fit());
    }
    {
        scene s;
        s.peer->end();
        BOOST_TEST(!s.connection->fit());
    }
    scene s;
    s.peer->put(h2::answer(1, "poison"));
    BOOST_TEST(!s.connection->fit());
    auto const one = s.send();
    BOOST_REQUIRE(one->done());
    BOOST_TEST((one->outcome().error().delivery() == delivery::not_sent));
}

BOOST_AUTO_TEST_CASE(an_idle_connection_answers_pings_and_hears_of_settings)
{
    // K3, K4
    scene s;
    BOOST_TEST(!s.connection->tidy());  // the handshake's buffers
    s.connection->release_buffers();
    s.put(h2::frame(h2::ping, 0, 0, "01234567") + h2::set({{3, 5}}));
    auto const all = h2::frames_of(s.peer->take());
    BOOST_REQUIRE(all.size() == 2u);
    BOOST_TEST((all[0].flags & h2::ack) != 0u);
    BOOST_TEST((all[1].flags & h2::ack) != 0u);
    BOOST_TEST(s.told_capacity == 5);
    BOOST_TEST(s.connection->tidy());
}

BOOST_AUTO_TEST_CASE(a_reset_fails_one_request)
{
    // K2, K13
    struct {
        std::uint32_t code;
        http::errc becomes;
        delivery how_far;
    } const cases[] = {
        {h2::refused_stream, http::errc::stream_refused, delivery::not_sent},
        {h2::http_1_1_required, http::errc::http_1_1_required, delivery::not_sent},
        {h2::internal_error, http::errc::stream_reset, delivery::maybe_processed},
    };
    for (auto const& c : cases) {
        scene s;
        auto const one = s.send(request::post("/", "x"));
        auto const other = s.send();
        s.put(h2::reset(1, c.code));
        check_failure(*one, c.becomes, phase::first_byte, c.how_far);
        BOOST_TEST(!one->outcome().error().diag().peer_code.empty());
        s.put(h2::answer(3));
        BOOST_TEST(other->outcome().has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_peer_that_breaks_the_rules_is_told_so_and_dropped)
{
    // K12, K9
    scene s;
    auto const one = s.send();
    auto const other = s.send();
    s.peer->take();
    s.put(h2::frame(h2::ping, 0, 0, "short"));
    check_failure(*one, http::errc::h2_frame_size, phase::first_byte, delivery::maybe_processed);
    check_failure(*other, http::errc::h2_frame_size, phase::first_byte, delivery::maybe_processed);
    auto const told = s.take(h2::goaway);
    BOOST_REQUIRE(told.size() == 1u);
    BOOST_TEST(told[0].number(4) == h2::frame_size_error);
    BOOST_TEST(s.connection->spent() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_peer_that_has_died_is_noticed_within_twenty_seconds)
{
    // K16
    scene s;
    auto const one = s.send();
    s.advance(15s);
    auto const pings = s.take(h2::ping);
    BOOST_TEST(pings.size() == 1u);
    s.advance(5s);
    check_failure(*one, http::errc::not_responding, phase::first_byte, delivery::maybe_processed);
    BOOST_TEST((one->outcome().error().code() == cond::timeout));
    BOOST_TEST(!s.connection->fit());
}

BOOST_AUTO_TEST_CASE(a_peer_that_answers_pings_may_take_its_time)
{
    // K16
    scene s;
    auto const one = s.send();
    s.first_byte = 60s;
    s.advance(15s);
    s.put(h2::frame(h2::ping, h2::ack, 0, s.take(h2::ping).at(0).payload));
    s.advance(14s);
    s.put(h2::answer(1));
    BOOST_TEST(one->outcome().value().text() == "hello");
}

BOOST_AUTO_TEST_CASE(abandoning_fails_everybody_and_closing_says_good_bye)
{
    scene s;
    auto const one = s.send();
    s.connection->abort({jeton::errc::cancelled, phase::none, delivery::not_sent, "the client was destroyed"});
    settle(s.io);
    check_failure(*one, jeton::errc::cancelled, phase::first_byte, delivery::maybe_processed);

    scene other;
    other.connection->close();
    auto const told = other.take(h2::goaway);
    BOOST_REQUIRE(told.size() == 1u);
    BOOST_TEST(told[0].number(4) == h2::no_error);
    BOOST_TEST(other.peer->peer_closed());
}

BOOST_AUTO_TEST_CASE(answers_survive_every_cut_of_the_bytes)
{
    // K11
    for (std::size_t const at_most : {1u, 3u, 10u}) {
        scene s;
        s.peer->split(at_most);
        auto const one = s.send(request::post("/", "body"));
        auto const other = s.send();
        s.put(h2::answer(3, "three") + h2::answer(1, "one"));
        BOOST_TEST(one->outcome().value().text() == "one");
        BOOST_TEST(other->outcome().value().text() == "three");
    }
}

BOOST_AUTO_TEST_SUITE_END()
