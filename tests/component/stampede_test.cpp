// SPDX-License-Identifier: BSL-1.0
#include "component/sandboxed.hpp"

#include <jeton/oauth2/error.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/detached.hpp>

#include <algorithm>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

constexpr int many = 10'000;

// One of the ten thousand: what it got, and when.
struct caller {
    std::optional<result<oauth2::token_ptr>> got{};
    std::optional<result<http::response>> answer{};
    time_point at{};
    duration late{};  // past its own deadline
};

struct fixture : sandboxed {
    std::deque<caller> callers;
    int done = 0;

    static asio::awaitable<void> ask_for_token(fixture* self, caller* me)
    {
        auto got = co_await self->api->token();
        me->got.emplace(std::move(got));
        me->at = machine_clock()->now();
        ++self->done;
    }
    static asio::awaitable<void> ask(fixture* self, caller* me, duration within)
    {
        auto const begin = machine_clock()->now();
        auto what = http::request::get("/eth/v0/status").deadline(within);
        auto answer = co_await self->api->send(std::move(what));
        me->answer.emplace(std::move(answer));
        me->at = machine_clock()->now();
        me->late = me->at - begin - within;
        ++self->done;
    }

    void stampede(int n = many)
    {
        for (int i = 0; i != n; ++i)
            asio::co_spawn(io, ask_for_token(this, &callers.emplace_back()), asio::detached);
    }
    void all_done()
    {
        until([&] { return done == static_cast<int>(callers.size()); });
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(component_stampede, fixture)

BOOST_AUTO_TEST_CASE(ten_thousand_callers_at_expiry_are_one_token_request)
{
    // A21, and DESIGN's promise: everyone has the token within the round trip and 50 ms.
    use("alluvial");
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    world.set_token_latency(200ms);
    time->skip(1h);
    world.reset_counters();

    auto const begin = machine_clock()->now();
    stampede();
    all_done();
    duration last{};
    for (auto const& c : callers) {
        BOOST_REQUIRE(c.got->has_value());
        last = std::max(last, c.at - begin);
    }
    auto const granted = happened->all<happenings::token_granted>();
    auto const round_trip = granted.back().took;
    BOOST_TEST(token_requests() == 1U);
    BOOST_TEST(in_ms(last) <= in_ms(round_trip) + 50 * slack);
    BOOST_TEST_MESSAGE("token round trip " << in_ms(round_trip) << " ms, last of " << many << " served after "
                                           << in_ms(last) << " ms");
}

BOOST_AUTO_TEST_CASE(ten_thousand_refusals_of_one_token_are_one_token_request)
{
    // B4
    auto o = options();
    // The token request stands in the same queue as ten thousand others, which instrumented code takes its time for.
    o.refresh.flight_limit = 1min;
    use("alluvial", o);
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    world.revoke_all_tokens();
    world.reset_counters();
    for (int i = 0; i != many; ++i)
        asio::co_spawn(io, ask(this, &callers.emplace_back(), 2min), asio::detached);
    all_done();
    int served = 0;
    std::string why;
    for (auto const& c : callers) {
        served += c.answer->has_value() && (**c.answer).status() == 200;
        if (!c.answer->has_value() && why.empty())
            why = c.answer->error().to_string();
    }
    BOOST_TEST(served == many, served << " served; the first who was not: " << why);
    BOOST_TEST(token_requests() == 1U);
    BOOST_TEST(world.counters().unauthorized >= 1U);
    BOOST_TEST_MESSAGE("401s " << world.counters().unauthorized);
}

BOOST_AUTO_TEST_CASE(with_a_dead_token_endpoint_every_caller_ends_by_its_own_deadline)
{
    use("alluvial");
    world.token_endpoint_down(fault().hang());
    constexpr int n = 2'000;
    for (int i = 0; i != n; ++i)
        asio::co_spawn(io, ask(this, &callers.emplace_back(), 500ms + i * 100us), asio::detached);
    all_done();
    duration latest{};
    for (auto const& c : callers) {
        BOOST_REQUIRE(!c.answer->has_value());
        BOOST_TEST((c.answer->error().code() == cond::timeout));
        BOOST_TEST((c.answer->error().phase() == phase::token));
        BOOST_TEST(c.answer->error().safe_to_resend());
        latest = std::max(latest, c.late);
    }
    BOOST_TEST(in_ms(latest) <= 20 * slack);
    BOOST_TEST(token_requests() == 1U);
    BOOST_TEST(world.counters().api_requests == 0U);
    BOOST_TEST_MESSAGE("latest end after its deadline: " << in_ms(latest) << " ms");
}

BOOST_AUTO_TEST_CASE(a_failing_token_endpoint_is_tried_one_at_a_time_and_at_a_pace)
{
    use("alluvial");
    world.token_endpoint_down(fault().status(503));
    for (int i = 0; i != 200; ++i)
        asio::co_spawn(io, ask(this, &callers.emplace_back(), 2s), asio::detached);
    all_done();
    for (auto const& c : callers) {
        BOOST_TEST(!c.answer->has_value());
        BOOST_TEST(in_ms(c.late) <= 20 * slack);
    }
    // Pauses of 0.25 to 0.5 s and twice that each time.
    BOOST_TEST(token_requests() >= 1U);
    BOOST_TEST(token_requests() <= 4U);
    BOOST_TEST(world.counters().most_token_requests_at_once == 1U);

    world.token_endpoint_up();
    time->skip(1min);
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
}

BOOST_AUTO_TEST_CASE(the_leader_may_be_cancelled_and_nobody_notices)
{
    use("alluvial");
    world.set_token_latency(200ms);
    asio::cancellation_signal stop;
    asio::co_spawn(io, ask_for_token(this, &callers.emplace_back()),
                   asio::bind_cancellation_slot(stop.slot(), asio::detached));
    until([&] { return token_requests() == 1; });
    stampede(1'000);
    until([&] { return api->snapshot().token.waiters == 1'001; });
    stop.emit(asio::cancellation_type::terminal);
    until([&] { return done == 1; });
    BOOST_REQUIRE(!callers.front().got->has_value());
    BOOST_TEST((callers.front().got->error().code() == cond::cancelled));

    all_done();
    for (auto c = callers.begin() + 1; c != callers.end(); ++c)
        BOOST_TEST(c->got->has_value());
    BOOST_TEST(token_requests() == 1U);
}

BOOST_AUTO_TEST_CASE(every_waiter_may_be_cancelled_and_the_state_is_clean)
{
    use("alluvial");
    world.set_token_latency(100ms);
    std::deque<asio::cancellation_signal> stops;
    for (int i = 0; i != 1'000; ++i)
        asio::co_spawn(io, ask_for_token(this, &callers.emplace_back()),
                       asio::bind_cancellation_slot(stops.emplace_back().slot(), asio::detached));
    until([&] { return token_requests() == 1; });
    for (auto& s : stops)
        s.emit(asio::cancellation_type::terminal);
    all_done();
    for (auto const& c : callers) {
        BOOST_REQUIRE(!c.got->has_value());
        BOOST_TEST((c.got->error().code() == cond::cancelled));
    }
    BOOST_TEST(api->snapshot().token.waiters == 0U);
    BOOST_TEST(get("/eth/v0/status")->status() == 200);
    BOOST_TEST(token_requests() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
