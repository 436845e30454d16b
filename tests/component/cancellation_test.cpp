// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/async.hpp>

#include "component/sandboxed.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include <iterator>
#include <list>
#include <random>
#include <set>
#include <utility>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

// A client without a connection or a token, a request that has begun, and so many steps of the executor: every place in
// which a request can be, from the look-up of the token endpoint's name to the last byte of the answer, is one of them.
struct in_the_middle {
    asio::io_context io{1};
    std::optional<client> api{};
    asio::cancellation_signal stop{};
    std::optional<result<http::response>> outcome{};
    int times = 0;

    in_the_middle(sandbox& world, http::request what, int steps)
    {
        auto options = world.options();
        options.http.queue = options.http.total = 2min;
        api.emplace(serial(io), world.alluvial(), world.credentials_for("alluvial"), std::move(options));
        async_send(*api, std::move(what), asio::bind_cancellation_slot(stop.slot(), [this](result<http::response> r) {
            outcome.emplace(std::move(r));
            ++times;
        }));
        for (int i = 0; i != steps && !outcome; ++i)
            io.run_one_for(10s);
    }

    void finish()
    {
        io.restart();
        io.run_for(30s);
        BOOST_TEST(io.stopped(), "something is left that keeps the context at work");
    }
};

constexpr int more_steps_than_a_request_takes = 500;

}  // namespace

BOOST_AUTO_TEST_SUITE(component_cancellation)

BOOST_AUTO_TEST_CASE(a_request_can_be_cancelled_at_every_step)
{
    sandbox world;
    std::set<phase> met;
    auto const missed = [&] {
        return !met.contains(phase::token) || !met.contains(phase::queue) || !met.contains(phase::first_byte);
    };
    bool with_token = true;
    // What the sandbox sends is not cut the same each time, so a step may be passed over: then once more.
    for (int round = 0; round < 2 || (missed() && round != 20); ++round) {
        with_token = !with_token;
        for (int steps = 0;; ++steps) {
            BOOST_REQUIRE(steps != more_steps_than_a_request_takes);
            auto what = http::request::post("/eth/v0/status", "{}");
            what.anonymous(!with_token);
            in_the_middle one(world, std::move(what), steps);
            bool const over = one.outcome.has_value();
            one.stop.emit(asio::cancellation_type::terminal);
            bool down = false;
            asio::co_spawn(one.io, one.api->shut_down(), [&](std::exception_ptr e) {
                BOOST_TEST(!e);
                down = true;
            });
            one.finish();
            BOOST_TEST(down);
            BOOST_REQUIRE(one.times == 1);
            if (over)
                break;
            if (!*one.outcome) {
                auto const& why = one.outcome->error();
                BOOST_TEST((why.code() == cond::cancelled), why.to_string());
                met.insert(why.phase());
                bool const on_the_wire = why.phase() == phase::first_byte || why.phase() == phase::body;
                BOOST_TEST(why.safe_to_resend() == !on_the_wire, why.to_string());
            }
        }
    }
    for (auto const p : {phase::token, phase::queue, phase::first_byte})
        BOOST_TEST(met.contains(p), "never cancelled in the phase " << to_string(p));
}

BOOST_AUTO_TEST_CASE(a_client_can_be_destroyed_at_every_step_of_a_request)
{
    sandbox world;
    for (int steps = 0;; ++steps) {
        BOOST_REQUIRE(steps != more_steps_than_a_request_takes);
        in_the_middle one(world, http::request::get("/eth/v0/status"), steps);
        bool const over = one.outcome.has_value();
        one.api.reset();
        one.finish();
        BOOST_REQUIRE(one.times == 1);
        if (over)
            break;
    }
}

BOOST_AUTO_TEST_CASE(a_context_can_be_destroyed_at_every_step_of_a_request)
{
    sandbox world;
    for (int steps = 0;; ++steps) {
        BOOST_REQUIRE(steps != more_steps_than_a_request_takes);
        in_the_middle one(world, http::request::get("/eth/v0/status"), steps);
        bool const over = one.outcome.has_value();
        one.api.reset();
        if (over)
            break;
    }
}

namespace {

struct at_random : sandboxed {
    void ten_thousand(http::protocol_choice protocol);
};

void at_random::ten_thousand(http::protocol_choice protocol)
{
    constexpr int all = 10'000;
    constexpr int at_a_time = 200;
    auto o = options();
    o.http.connections_per_origin = 16;
    o.http.protocol = protocol;
    o.refresh.circuit_pause = 0s;  // tokens are revoked often here
    use("alluvial", std::move(o));

    struct call {
        asio::cancellation_signal stop{};
        int times = 0;
    };
    std::list<call> calls;
    std::minstd_rand dice(1);
    int begun = 0;
    int ended = 0;
    int served = 0;
    int revoke_at = 1000;
    int cancelled = 0;
    auto begin = [&] {
        auto& one = calls.emplace_back();
        ++begun;
        auto const done = [&, me = &one](auto const& r) {
            ++me->times;
            ++ended;
            if (r)
                ++served;
            else if (r.error().code() == cond::cancelled)
                ++cancelled;
            else
                BOOST_TEST(false, r.error().to_string());
        };
        if (dice() % 8 == 0)
            async_token(*api, oauth2::token_demand(), asio::bind_cancellation_slot(one.stop.slot(), done));
        else
            async_send(*api, http::request::get("/eth/v0/status"), asio::bind_cancellation_slot(one.stop.slot(), done));
    };
    until([&] {
        while (begun != all && begun - ended < at_a_time)
            begin();
        if (dice() % 4 == 0) {
            auto one =
                std::prev(calls.end(), 1 + static_cast<int>(dice() % at_a_time) % static_cast<int>(calls.size()));
            one->stop.emit(asio::cancellation_type::terminal);
        }
        if (served >= revoke_at) {
            world.revoke_all_tokens();
            revoke_at += 1000;
        }
        return ended == all;
    });
    for (auto const& one : calls)
        BOOST_TEST_REQUIRE(one.times == 1);
    BOOST_TEST(served > 0);
    BOOST_TEST(cancelled > all / 20);
    BOOST_TEST_MESSAGE(served << " served, " << cancelled << " cancelled");
    auto const left = api->snapshot();
    BOOST_TEST(left.token.waiters == 0U);
    for (auto const& p : left.pools) {
        BOOST_TEST(p.busy == 0U);
        BOOST_TEST(p.waiting == 0U);
    }
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(ten_thousand_cancelled_at_random_lose_nothing, at_random)
{
    ten_thousand(http::protocol_choice::http_1_1);
}

BOOST_FIXTURE_TEST_CASE(ten_thousand_cancelled_at_random_keep_their_http_2_connections_and_reset_few_streams, at_random)
{
    // K18
    auto const begun = std::chrono::steady_clock::now();
    ten_thousand(http::protocol_choice::http_2);
    auto const seconds = std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begun).count();
    auto const c = world.counters();
    // Each for some hundreds of requests, not for the 33 that may be reset at once.
    BOOST_TEST(c.h2_connections <= 20U);
    BOOST_TEST(c.streams_cancelled <= c.h2_connections * 33U * static_cast<std::uint64_t>(1 + seconds));
    BOOST_TEST(c.streams_over_limit == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
