// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/sources.hpp>

#include <jeton/oauth2/error.hpp>
#include <jeton/testing/fake_token_source.hpp>
#include <jeton/testing/manual_clock.hpp>

#include "support/run.hpp"

#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace jeton;
using namespace jeton::oauth2;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

struct listening final : observer {
    std::vector<happening> heard{};
    std::function<void(happening const&)> also{};
    void on(happening const& what) override
    {
        heard.push_back(what);
        if (also)
            also(what);
    }
};

refresh_policy exact()
{
    refresh_policy p;
    p.jitter = 0;
    return p;
}

struct fixture {
    asio::io_context io;
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    std::shared_ptr<fake_token_source> upstream = std::make_shared<fake_token_source>(serial(io));
    std::shared_ptr<listening> ear = std::make_shared<listening>();
    std::shared_ptr<caching_token_source> cache = with_cache(upstream, serial(io), time, exact(), ear);

    using caller = started<result<token_ptr>>;
    std::deque<caller> callers;

    caller& call(token_demand demand = {}) { return callers.emplace_back(io, cache->get(std::move(demand))); }

    result<token_ptr> ask(token_demand demand = {})
    {
        auto& c = call(std::move(demand));
        settle(io);
        return c.outcome();
    }

    void will_grant(std::string const& name, duration life = 1h)
    {
        upstream->will_give(fake_token_source::token(name, time->both(), life));
    }

    void pass(duration by)
    {
        time->advance(by);
        settle(io);
    }
};

failure down(std::string ours = "down")
{
    return {make_error_code(oauth2::errc::server_error), phase::first_byte, delivery::maybe_processed, std::move(ours)};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(oauth2_cached_source, fixture)

BOOST_AUTO_TEST_CASE(ten_thousand_callers_share_one_flight)
{
    upstream->hold();
    will_grant("t");
    for (int i = 0; i != 10'000; ++i)
        call();
    settle(io);
    BOOST_TEST(upstream->calls() == 1u);
    BOOST_TEST(cache->snapshot().waiters == 10'000u);
    BOOST_TEST(cache->snapshot().in_flight);

    upstream->release();
    settle(io);
    for (auto const& c : callers)
        BOOST_REQUIRE(c.outcome().value()->access() == "t");
    auto const s = cache->snapshot();
    BOOST_TEST(upstream->calls() == 1u);
    BOOST_TEST(s.waiters == 0u);
    BOOST_TEST(s.waited == 10'000u);
    BOOST_TEST(s.coalesced == 9'999u);
    BOOST_TEST(s.token_requests == 1u);
    BOOST_TEST(s.generation == 1u);
    BOOST_TEST(time->alarms_set() == 0u);
}

BOOST_AUTO_TEST_CASE(the_caller_who_started_the_flight_may_be_cancelled_alone)
{
    // FAULTS 73
    upstream->hold();
    will_grant("t");
    auto& first = call();
    auto& second = call();
    settle(io);

    first.cancel();
    settle(io);
    BOOST_TEST((first.outcome().error().code() == cond::cancelled));
    BOOST_TEST((first.outcome().error().delivery() == delivery::not_sent));
    BOOST_TEST(!second.done());

    upstream->release();
    settle(io);
    BOOST_TEST(second.outcome().has_value());
    BOOST_TEST(upstream->calls() == 1u);
}

BOOST_AUTO_TEST_CASE(when_every_waiter_is_cancelled_the_flight_still_lands)
{
    // FAULTS 74
    upstream->hold();
    will_grant("t");
    for (int i = 0; i != 100; ++i)
        call();
    settle(io);
    for (auto& c : callers)
        c.cancel();
    settle(io);
    BOOST_TEST(cache->snapshot().waiters == 0u);
    BOOST_TEST(cache->snapshot().in_flight);
    upstream->release();
    settle(io);
    BOOST_TEST(!cache->snapshot().in_flight);
    BOOST_TEST(ask().value()->access() == "t");
    BOOST_TEST(upstream->calls() == 1u);
    BOOST_TEST(time->alarms_set() == 0u);
}

BOOST_AUTO_TEST_CASE(one_failure_reaches_all_who_wait_once_and_the_next_caller_at_once)
{
    // FAULTS 37
    upstream->hold();
    upstream->will_give(down());
    for (int i = 0; i != 100; ++i)
        call();
    settle(io);
    upstream->release();
    settle(io);
    for (auto const& c : callers) {
        auto const& why = c.outcome().error();
        BOOST_REQUIRE((why.code() == oauth2::errc::server_error));
        BOOST_REQUIRE((why.phase() == phase::token));
        BOOST_REQUIRE((why.delivery() == delivery::not_sent));
        BOOST_REQUIRE(why.diag().retry_at.has_value());
    }
    BOOST_TEST(ask().error().diag().ours == "down");
    BOOST_TEST(upstream->calls() == 1u);

    pass(500ms);
    will_grant("t");
    BOOST_TEST(ask().has_value());
    BOOST_TEST(upstream->calls() == 2u);
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_one_wait_and_nothing_else)
{
    // FAULTS 36
    upstream->hold();
    will_grant("t");
    auto& patient = call();
    auto& hasty = call(token_demand().by(time->now() + 2s));
    settle(io);
    pass(1999ms);
    BOOST_TEST(!hasty.done());
    pass(3ms);
    BOOST_TEST((hasty.outcome().error().code() == cond::timeout));
    BOOST_TEST(!patient.done());
    upstream->release();
    settle(io);
    BOOST_TEST(patient.outcome().has_value());
}

BOOST_AUTO_TEST_CASE(a_flight_has_a_limit_of_its_own)
{
    // FAULTS 36
    upstream->hold();
    auto& c = call();
    settle(io);
    pass(9'990ms);
    BOOST_TEST(!c.done());
    pass(12ms);
    BOOST_TEST((c.outcome().error().code() == cond::timeout));
    BOOST_TEST(!cache->snapshot().in_flight);
    BOOST_TEST(time->alarms_set() == 0u);
}

BOOST_AUTO_TEST_CASE(a_source_that_does_not_listen_is_abandoned_and_what_it_brings_late_is_dropped)
{
    upstream->hold();
    upstream->ignore_cancellation();
    will_grant("late");
    auto& c = call();
    settle(io);
    pass(10'002ms);
    BOOST_TEST((c.outcome().error().code() == cond::timeout));
    upstream->release();
    settle(io);
    BOOST_TEST(cache->snapshot().generation == 0u);
    pass(1s);
    will_grant("t");
    BOOST_TEST(ask().value()->access() == "t");
}

BOOST_AUTO_TEST_CASE(a_source_that_throws_fails_its_callers_and_no_more)
{
    upstream->otherwise([](auto const&) -> result<token_ptr> { throw std::runtime_error("o\nops"); });
    auto const why = ask().error();
    BOOST_TEST((why.code() == jeton::errc::unexpected));
    BOOST_TEST(why.diag().ours == "the token source threw: o\\nops");
    pass(1s);
    upstream->otherwise([](auto const&) -> result<token_ptr> { throw error(down("thrown")); });
    BOOST_TEST((ask().error().code() == oauth2::errc::server_error));
    pass(1s);
    upstream->otherwise([](auto const&) -> result<token_ptr> { throw 1; });
    BOOST_TEST((ask().error().code() == jeton::errc::unexpected));
}

BOOST_AUTO_TEST_CASE(ten_thousand_refusals_of_one_token_are_one_flight)
{
    // B4
    will_grant("first");
    auto const first = ask().value();
    upstream->hold();
    will_grant("second");
    for (int i = 0; i != 10'000; ++i)
        call(token_demand::instead_of(first));
    settle(io);
    upstream->release();
    settle(io);
    for (std::size_t i = 1; i != callers.size(); ++i)
        BOOST_REQUIRE(callers[i].outcome().value()->access() == "second");
    BOOST_TEST(upstream->calls() == 2u);
}

BOOST_AUTO_TEST_CASE(a_token_that_is_refused_as_soon_as_it_comes_opens_the_circuit)
{
    // B4, FAULTS 54
    int made = 0;
    upstream->otherwise([&](auto const&) -> result<token_ptr> {
        return fake_token_source::token("t" + std::to_string(++made), time->both(), 1h);
    });
    for (int i = 0; i != 1000; ++i) {
        auto const t = ask().value();
        auto const next = ask(token_demand::instead_of(t));
        if (!next)
            BOOST_REQUIRE((next.error().code() == oauth2::errc::token_refused));
    }
    BOOST_TEST(made == 2);
    BOOST_TEST(cache->snapshot().circuit_open);
    pass(10s);
    for (int i = 0; i != 1000; ++i)
        (void)ask(token_demand::instead_of(ask().value()));
    BOOST_TEST(made == 3);
    cache->retry_now();
    BOOST_TEST(!cache->snapshot().circuit_open);
}

BOOST_AUTO_TEST_CASE(an_ageing_token_is_handed_out_while_its_successor_is_fetched)
{
    will_grant("first", 100s);
    (void)ask();
    upstream->hold();
    will_grant("second", 100s);
    pass(85s);
    BOOST_TEST(ask().value()->access() == "first");
    BOOST_TEST(ask().value()->access() == "first");
    BOOST_TEST(upstream->calls() == 2u);
    upstream->release();
    settle(io);
    BOOST_TEST(ask().value()->access() == "second");
    BOOST_TEST(cache->snapshot().waited == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_at_hand_is_given_up_as_soon_as_it_is_refused_or_the_clock_moves)
{
    // FAULTS 59
    will_grant("first", 30min);
    (void)ask();
    auto const at_hand = ask().value();
    BOOST_TEST(ask().value().get() == at_hand.get());
    will_grant("second", 30min);
    BOOST_TEST(ask(token_demand::instead_of(at_hand)).value()->access() == "second");
    BOOST_TEST(ask().value()->access() == "second");
    time->jump_wall(1h);
    time->advance(1s);
    will_grant("third", 30min);
    BOOST_TEST(ask().value()->access() == "third");
    BOOST_TEST(upstream->calls() == 3u);
}

BOOST_AUTO_TEST_CASE(callers_elsewhere_are_served_where_they_are)
{
    asio::thread_pool pool(4);
    auto const guard = asio::make_work_guard(io);
    std::thread home([this] { io.run(); });
    std::atomic<int> made = 0;
    upstream->otherwise([&](auto const&) -> result<token_ptr> {
        return fake_token_source::token("t" + std::to_string(++made), time->both(), 1h);
    });
    std::atomic<int> served = 0;
    for (int i = 0; i != 2000; ++i)
        asio::co_spawn(pool, cache->get({}),
                       [&](std::exception_ptr, result<token_ptr> got) { served += got.has_value(); });
    pool.join();
    BOOST_TEST(served == 2000);
    BOOST_TEST(made == 1);
    io.stop();
    home.join();
}

BOOST_AUTO_TEST_CASE(callers_elsewhere_may_be_cancelled_while_the_flight_goes_on)
{
    asio::thread_pool elsewhere(1);
    auto const guard = asio::make_work_guard(io);
    upstream->hold();
    will_grant("t");
    std::thread home([this] { io.run(); });
    std::atomic<int> cancelled = 0;
    std::vector<std::unique_ptr<asio::cancellation_signal>> stops;
    for (int i = 0; i != 200; ++i)
        stops.push_back(std::make_unique<asio::cancellation_signal>());
    for (auto& s : stops)
        asio::co_spawn(elsewhere, cache->get({}),
                       asio::bind_cancellation_slot(s->slot(), [&](std::exception_ptr e, result<token_ptr> got) {
                           cancelled += !e && !got && got.error().code() == cond::cancelled;
                       }));
    asio::post(elsewhere, [&] {
        for (auto& s : stops)
            s->emit(asio::cancellation_type::terminal);
    });
    elsewhere.join();
    BOOST_TEST(cancelled == 200);
    asio::post(io, [this] { upstream->release(); });
    asio::post(io, [this] { io.stop(); });
    home.join();
    settle(io);
    BOOST_TEST(ask().value()->access() == "t");
}

BOOST_AUTO_TEST_CASE(shutting_down_wakes_everyone_and_ends_the_flight)
{
    upstream->hold();
    call();
    call();
    settle(io);
    cache->shut_down();
    settle(io);
    for (auto const& c : callers)
        BOOST_TEST((c.outcome().error().code() == jeton::errc::shut_down));
    BOOST_TEST((ask().error().code() == jeton::errc::shut_down));
    BOOST_TEST(!cache->snapshot().in_flight);
    BOOST_TEST(time->alarms_set() == 0u);
    cache->shut_down();
    settle(io);
}

BOOST_AUTO_TEST_CASE(shutting_down_lets_go_of_the_token)
{
    will_grant("t");
    std::weak_ptr<secret const> left = ask().value()->authorization();
    (void)ask();  // at hand now
    callers.clear();
    BOOST_TEST(!left.expired());
    cache->shut_down();
    settle(io);
    BOOST_TEST(left.expired());
}

BOOST_AUTO_TEST_CASE(a_cache_that_is_destroyed_ends_its_flight)
{
    upstream->hold();
    auto& c = call();
    settle(io);
    cache.reset();
    settle(io);
    BOOST_TEST((c.outcome().error().code() == jeton::errc::shut_down));
    BOOST_TEST(upstream.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_context_that_dies_with_callers_and_a_flight_leaks_nothing)
{
    // FAULTS 75
    auto own = std::make_unique<asio::io_context>();
    auto source = std::make_shared<fake_token_source>(serial(*own));
    source->hold();
    auto kept = with_cache(source, serial(*own), time, exact());
    for (int i = 0; i != 10; ++i)
        asio::co_spawn(*own, kept->get(token_demand().by(time->now() + 1h)), asio::detached);
    settle(*own);
    own.reset();
    kept.reset();
    BOOST_TEST(source.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_cache_may_live_in_a_frame_of_the_context_that_dies)
{
    auto own = std::make_unique<asio::io_context>();
    auto source = std::make_shared<fake_token_source>(serial(*own));
    source->hold();
    auto const holds = [](std::shared_ptr<token_source> s) -> asio::awaitable<void> { (void)co_await s->get({}); };
    asio::co_spawn(*own, holds(with_cache(source, serial(*own), time, exact())), asio::detached);
    settle(*own);
    own.reset();
    BOOST_TEST(source.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(nothing_but_a_flight_keeps_the_context_at_work)
{
    will_grant("t");
    asio::co_spawn(io, cache->get({}), asio::detached);
    io.restart();
    io.run();  // returns
    BOOST_TEST(ask().has_value());
}

BOOST_AUTO_TEST_CASE(a_snapshot_tells_where_things_stand)
{
    using state = token_snapshot::state;
    BOOST_TEST((cache->snapshot().is == state::none));
    will_grant("t", 100s);
    (void)ask();
    pass(20s);
    auto s = cache->snapshot();
    BOOST_TEST((s.is == state::fresh));
    BOOST_TEST((s.age == 20s));
    BOOST_TEST((s.left == 70s));
    BOOST_TEST((s.refresh_in == 65s));
    BOOST_TEST(s.fingerprint.size() == 16u);
    BOOST_TEST(!s.last_failure.has_value());
    pass(66s);
    BOOST_TEST((cache->snapshot().is == state::ageing));
    upstream->will_give(down());
    (void)ask();
    s = cache->snapshot();
    BOOST_TEST((s.last_failure.value().code() == oauth2::errc::server_error));
    BOOST_TEST((s.retry_in.value() <= 500ms));
    pass(4s);
    BOOST_TEST((cache->snapshot().is == state::expired));
}

BOOST_AUTO_TEST_CASE(retrying_now_forgets_a_refusal)
{
    // A14, FAULTS 51
    upstream->will_give(failure(oauth2::errc::invalid_client, phase::token, delivery::answered, "no"));
    BOOST_TEST((ask().error().code() == cond::credentials));
    will_grant("t");
    BOOST_TEST((ask().error().code() == cond::credentials));
    cache->retry_now();
    BOOST_TEST(ask().has_value());
}

BOOST_AUTO_TEST_CASE(an_observer_hears_of_each_flight_and_may_call_back)
{
    ear->also = [this](happening const&) {
        (void)cache->snapshot();
        throw std::runtime_error("only looking");
    };
    upstream->will_give(down());
    (void)ask();
    pass(1s);
    will_grant("t");
    (void)ask();
    BOOST_REQUIRE(ear->heard.size() == 2u);
    auto const& failed = std::get<happenings::token_failed>(ear->heard[0]);
    BOOST_TEST(failed.failures_in_a_row == 1);
    BOOST_TEST((failed.pause > 0s));
    auto const& granted = std::get<happenings::token_granted>(ear->heard[1]);
    BOOST_TEST(granted.generation == 1u);
    BOOST_TEST((granted.lifetime == 1h));
}

BOOST_AUTO_TEST_CASE(a_policy_that_contradicts_itself_is_refused_at_construction)
{
    refresh_policy bad;
    bad.budget = 0;
    BOOST_CHECK_THROW(with_cache(upstream, serial(io), time, bad), std::invalid_argument);
    BOOST_CHECK_THROW(with_cache(nullptr, serial(io), time), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(awaiting_from_a_coroutine_reads_like_this)
{
    will_grant("t");
    auto const user = [](token_source& source) -> awaitable<bool> {
        token_ptr const first = (co_await source.get({})).value();
        auto const second = co_await source.get(token_demand::lasting(30min));
        bool const throws = co_await asio::this_coro::throw_if_cancelled();
        co_return second&&* second == first&& throws;
    };
    started<bool> ran(io, user(*cache));
    settle(io);
    BOOST_TEST(ran.outcome());
}

BOOST_AUTO_TEST_SUITE_END()
