// SPDX-License-Identifier: BSL-1.0
#include "base/parking.hpp"

#include <jeton/testing/manual_clock.hpp>

#include "support/run.hpp"

#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace jeton {

std::ostream& operator<<(std::ostream& out, woken why)
{
    constexpr char const* names[] = {"signalled", "timed_out", "cancelled"};
    return out << names[static_cast<int>(why)];
}

}  // namespace jeton

namespace {

using waiter = started<woken>;

struct fixture {
    asio::io_context io;
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    timekeeper timers{serial(io), time};
    parking place;
    std::deque<waiter> waiters;

    waiter& park() { return waiters.emplace_back(io, place.wait()); }
    waiter& park(parking::spot& me) { return waiters.emplace_back(io, place.wait(me)); }
    waiter& park(duration limit) { return waiters.emplace_back(io, place.wait(&timers, time->now() + limit)); }

    // Throws out of run() when it is woken.
    void spawn_thrower()
    {
        auto const thrower = [](parking& at) -> asio::awaitable<void> {
            co_await at.wait();
            throw std::runtime_error("out of run()");
        };
        asio::co_spawn(io, thrower(place), [](std::exception_ptr e) {
            if (e)
                std::rethrow_exception(e);
        });
    }

    waiter& parked()
    {
        auto& one = park();
        settle(io);
        return one;
    }
};

asio::awaitable<void> note_when_woken(std::shared_ptr<parking> place, int number, std::vector<int>& order)
{
    co_await place->wait();
    order.push_back(number);
}

/// Tells a counter that a frame has gone.
struct counted {
    explicit counted(std::atomic<int>& count) : alive(count) { ++alive; }
    counted(counted const&) = delete;
    counted& operator=(counted const&) = delete;
    ~counted() { --alive; }
    std::atomic<int>& alive;
};

asio::awaitable<woken> wait_and_count(std::shared_ptr<parking> place, std::atomic<int>& frames,
                                      std::atomic<int>& resumed)
{
    counted const frame(frames);
    auto const why = co_await place->wait();
    ++resumed;
    co_return why;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(base_parking, fixture)

BOOST_AUTO_TEST_CASE(whoever_waits_goes_on_when_woken_and_not_before)
{
    auto& one = parked();
    BOOST_TEST(!one.done());
    BOOST_TEST(place.size() == 1U);

    place.wake_one();
    BOOST_TEST(place.empty());
    BOOST_TEST(!one.done());  // not in the middle of the caller's work
    settle(io);
    BOOST_TEST(one.outcome() == woken::signalled);
}

BOOST_AUTO_TEST_CASE(first_come_first_served)
{
    auto const shared = std::make_shared<parking>();
    std::vector<int> order;
    for (int i = 0; i != 5; ++i)
        asio::co_spawn(io, note_when_woken(shared, i, order), asio::detached);
    settle(io);
    shared->wake_one();
    shared->wake_one();
    settle(io);
    BOOST_TEST(order == (std::vector<int>{0, 1}), boost::test_tools::per_element());
    shared->wake_all();
    settle(io);
    BOOST_TEST(order == (std::vector<int>{0, 1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(waking_when_nobody_waits_is_not_remembered)
{
    place.wake_one();
    place.wake_all();
    auto& one = parked();
    BOOST_TEST(!one.done());
    place.wake_all();
    settle(io);
}

BOOST_AUTO_TEST_CASE(the_reason_is_what_the_waker_says)
{
    auto& one = parked();
    auto& two = parked();
    place.wake_one(woken::timed_out);
    place.wake_all(woken::cancelled);
    settle(io);
    BOOST_TEST(one.outcome() == woken::timed_out);
    BOOST_TEST(two.outcome() == woken::cancelled);
}

BOOST_AUTO_TEST_CASE(the_waker_may_choose)
{
    parking::spot a;
    parking::spot b;
    auto& first = park(a);
    auto& second = park(b);
    settle(io);
    BOOST_TEST(a.waiting());
    BOOST_TEST(b.waiting());

    place.wake(b);
    BOOST_TEST(!b.waiting());
    place.wake(b, woken::cancelled);  // does not wait any more
    settle(io);
    BOOST_TEST(!first.done());
    BOOST_TEST(second.outcome() == woken::signalled);

    parking elsewhere;
    elsewhere.wake(a);  // does not wait there
    settle(io);
    BOOST_TEST(!first.done());
    place.wake(a);
    settle(io);
    BOOST_TEST(first.done());
}

BOOST_AUTO_TEST_CASE(a_spot_may_wait_again)
{
    parking::spot me;
    for (int i = 0; i != 3; ++i) {
        auto& one = park(me);
        settle(io);
        BOOST_TEST(me.waiting());
        place.wake(me);
        settle(io);
        BOOST_TEST(one.done());
        BOOST_TEST(!me.waiting());
    }
}

BOOST_AUTO_TEST_CASE(cancelling_one_leaves_the_others_waiting)
{
    auto& a = parked();
    auto& b = parked();
    auto& c = parked();
    b.cancel();
    settle(io);
    BOOST_TEST(b.outcome() == woken::cancelled);
    BOOST_TEST(!a.done());
    BOOST_TEST(!c.done());
    BOOST_TEST(place.size() == 2U);
    place.wake_all();
    settle(io);
    BOOST_TEST(a.outcome() == woken::signalled);
    BOOST_TEST(c.outcome() == woken::signalled);
}

BOOST_AUTO_TEST_CASE(one_that_has_been_woken_and_is_then_cancelled_has_been_woken)
{
    auto& one = parked();
    place.wake_one();
    one.cancel();
    settle(io);
    BOOST_TEST(one.outcome() == woken::signalled);
}

BOOST_AUTO_TEST_CASE(one_that_has_been_cancelled_takes_no_wake_from_the_next)
{
    auto& a = parked();
    auto& b = parked();
    a.cancel();
    io.restart();
    while (!a.done() && place.size() == 2U)
        io.poll_one();
    place.wake_one();
    settle(io);
    BOOST_TEST(a.outcome() == woken::cancelled);
    BOOST_TEST(b.outcome() == woken::signalled);
}

BOOST_AUTO_TEST_CASE(a_coroutine_that_was_cancelled_before_does_not_wait)
{
    auto const twice = [](parking& at) -> asio::awaitable<woken> {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await at.wait();
        co_return co_await at.wait();
    };
    waiter one(io, twice(place));
    settle(io);
    one.cancel();
    settle(io);
    BOOST_TEST(one.outcome() == woken::cancelled);
    BOOST_TEST(place.empty());
}

BOOST_AUTO_TEST_CASE(cancellation_does_not_throw_even_if_it_might_and_the_state_stays_as_it_was)
{
    auto const as_it_is = [](parking& at) -> asio::awaitable<std::string> {
        std::string told = co_await asio::this_coro::throw_if_cancelled() ? "throws, " : "";
        told += co_await at.wait() == woken::cancelled ? "cancelled, " : "";
        told += co_await asio::this_coro::throw_if_cancelled() ? "throws" : "";
        told += (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none ? "!" : "";
        co_return told;
    };
    started<std::string> one(io, as_it_is(place));
    settle(io);
    one.cancel();
    settle(io);
    BOOST_TEST(one.outcome() == "throws, cancelled, throws!");
}

BOOST_AUTO_TEST_CASE(every_kind_of_cancellation_that_the_coroutine_lets_through_counts)
{
    for (auto const kind :
         {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
        auto const all_kinds = [](parking& at) -> asio::awaitable<woken> {
            co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
            co_return co_await at.wait();
        };
        asio::cancellation_signal stop;
        std::optional<woken> outcome;
        asio::co_spawn(
            io, all_kinds(place),
            asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr, woken why) { outcome = why; }));
        settle(io);
        stop.emit(kind);
        settle(io);
        BOOST_TEST(outcome.value() == woken::cancelled);
    }
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_the_wait)
{
    auto& one = park(5s);
    auto& two = park(10s);
    settle(io);
    time->advance(5s - 1ns);
    settle(io);
    BOOST_TEST(!one.done());
    time->advance(1ns);
    settle(io);
    BOOST_TEST(one.outcome() == woken::timed_out);
    BOOST_TEST(!two.done());
    BOOST_TEST(place.size() == 1U);
    time->advance(5s);
    settle(io);
    BOOST_TEST(two.outcome() == woken::timed_out);
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_does_not_wait)
{
    auto& one = park(0s);
    auto& two = park(-1s);
    settle(io);
    BOOST_TEST(one.outcome() == woken::timed_out);
    BOOST_TEST(two.outcome() == woken::timed_out);
}

BOOST_AUTO_TEST_CASE(one_that_is_woken_has_no_deadline_any_more)
{
    auto& one = park(5s);
    settle(io);
    place.wake_one();
    time->advance(5s);
    settle(io);
    BOOST_TEST(one.outcome() == woken::signalled);

    auto& two = park(5s);
    settle(io);
    two.cancel();
    time->advance(5s);
    settle(io);
    BOOST_TEST(two.done());
    timers.rest();
    BOOST_TEST(time->alarms_set() == 0U);
}

BOOST_AUTO_TEST_CASE(a_spot_that_waits_again_has_nothing_left_of_its_former_deadline)
{
    parking::spot me;
    auto& one = waiters.emplace_back(io, place.wait(me, &timers, time->now() + 5s));
    settle(io);
    place.wake(me);
    settle(io);
    BOOST_TEST(one.outcome() == woken::signalled);
    auto& two = park(me);
    settle(io);
    time->advance(5s);
    settle(io);
    BOOST_TEST(!two.done());
    place.wake(me);
    settle(io);
}

BOOST_AUTO_TEST_CASE(a_crowd_is_resumed_in_batches_and_others_get_their_turn_in_between)
{
    auto const shared = std::make_shared<parking>();
    std::vector<int> order;
    for (int i = 0; i != 200; ++i)
        asio::co_spawn(io, note_when_woken(shared, i, order), asio::detached);
    settle(io);

    shared->wake_all();
    std::size_t seen = 0;
    asio::post(io, [&] { seen = order.size(); });
    settle(io);
    BOOST_TEST(seen == 64U);
    BOOST_TEST(order.size() == 200U);
    BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(one_that_waits_again_when_woken_waits_for_the_next_time)
{
    int rounds = 0;
    auto const loop = [](parking& at, int& count) -> asio::awaitable<void> {
        for (;;) {
            co_await at.wait();
            ++count;
        }
    };
    asio::co_spawn(io, loop(place, rounds), asio::detached);
    settle(io);
    for (int i = 1; i != 5; ++i) {
        place.wake_all();
        settle(io);
        BOOST_TEST(rounds == i);
    }
}

BOOST_AUTO_TEST_CASE(whoever_is_woken_may_destroy_the_place)
{
    auto own = std::make_unique<parking>();
    int woken_up = 0;
    auto const destroyer = [](std::unique_ptr<parking>& at, int& count) -> asio::awaitable<void> {
        co_await at->wait();
        ++count;
        at.reset();
    };
    for (int i = 0; i != 3; ++i)
        asio::co_spawn(io, destroyer(own, woken_up), asio::detached);
    settle(io);
    own->wake_all();
    settle(io);
    BOOST_TEST(woken_up == 3);
}

BOOST_AUTO_TEST_CASE(an_exception_out_of_one_who_was_woken_does_not_take_the_others_along)
{
    spawn_thrower();
    auto& other = parked();
    place.wake_all();
    BOOST_CHECK_THROW(settle(io), std::runtime_error);
    settle(io);
    BOOST_TEST(other.outcome() == woken::signalled);
}

BOOST_AUTO_TEST_CASE(whoever_has_done_his_work_may_resume_them_there_and_then)
{
    auto const at = std::make_shared<parking>();
    std::vector<int> order;
    for (int i = 0; i != 3; ++i)
        asio::co_spawn(io, note_when_woken(at, i, order), asio::detached);
    settle(io);
    asio::post(io, [&] {
        at->resume_all();
        order.push_back(3);
    });
    settle(io);
    BOOST_TEST(order == (std::vector<int>{0, 1, 2, 3}), boost::test_tools::per_element());
    at->resume_all();
    BOOST_TEST(order.size() == 4U);
}

BOOST_AUTO_TEST_CASE(what_one_throws_who_is_resumed_there_and_then_comes_out_of_run)
{
    spawn_thrower();
    auto& other = parked();
    asio::post(io, [&] { place.resume_all(); });
    BOOST_CHECK_THROW(settle(io), std::runtime_error);
    settle(io);
    BOOST_TEST(other.outcome() == woken::signalled);
}

BOOST_AUTO_TEST_CASE(a_place_that_dies_leaves_its_waiters_their_deadline_and_their_cancellation)
{
    auto brief = std::make_unique<parking>();
    waiter late(io, brief->wait(&timers, time->now() + 1s));
    waiter cancelled(io, brief->wait());
    settle(io);
    brief.reset();
    cancelled.cancel();
    time->advance(1s);
    settle(io);
    BOOST_TEST(late.outcome() == woken::timed_out);
    BOOST_TEST(cancelled.outcome() == woken::cancelled);
}

BOOST_AUTO_TEST_CASE(a_context_that_dies_takes_its_waiters_along_without_resuming_them)
{
    std::atomic<int> frames = 0;
    std::atomic<int> resumed = 0;
    auto const shared = std::make_shared<parking>();
    {
        asio::io_context brief;
        for (int i = 0; i != 1000; ++i)
            asio::co_spawn(brief, wait_and_count(shared, frames, resumed), asio::detached);
        settle(brief);
        BOOST_TEST(shared->size() == 1000U);
        BOOST_TEST(frames == 1000);
    }
    BOOST_TEST(frames == 0);
    BOOST_TEST(resumed == 0);
    BOOST_TEST(shared->empty());
}

BOOST_AUTO_TEST_CASE(a_context_that_dies_takes_those_along_who_have_been_woken_but_did_not_run)
{
    std::atomic<int> frames = 0;
    std::atomic<int> resumed = 0;
    auto const shared = std::make_shared<parking>();
    {
        asio::io_context brief;
        for (int i = 0; i != 200; ++i)
            asio::co_spawn(brief, wait_and_count(shared, frames, resumed), asio::detached);
        settle(brief);
        shared->wake_one();
        shared->wake_all();
        brief.restart();
        brief.poll_one();  // the first batch, of one
        brief.poll_one();  // 64 of the second
        BOOST_TEST(resumed == 65);
    }
    BOOST_TEST(frames == 0);
    BOOST_TEST(resumed == 65);
}

BOOST_AUTO_TEST_CASE(frames_that_die_with_their_context_may_own_the_place_the_timers_and_each_other)
{
    struct owner {
        explicit owner(asio::io_context& io, std::shared_ptr<jeton::clock> clock)
            : timers(std::make_unique<timekeeper>(serial(io), std::move(clock)))
        {}
        parking place;
        parking other;
        std::unique_ptr<timekeeper> timers;
    };
    auto const in_both = [](std::shared_ptr<owner> own, bool first) -> asio::awaitable<void> {
        auto& at = first ? own->place : own->other;
        co_await at.wait(own->timers.get(), own->timers->now() + 1h);
    };
    auto const holder = [](std::unique_ptr<parking> own, parking* at) -> asio::awaitable<void> {
        co_await at->wait();
        own.reset();
    };
    std::weak_ptr<owner> gone;
    {
        asio::io_context brief;
        auto own = std::make_shared<owner>(brief, time);
        gone = own;
        for (int i = 0; i != 10; ++i)
            asio::co_spawn(brief, in_both(own, i % 2 == 0), asio::detached);
        own.reset();

        // Each of these two owns the place in which the other waits.
        auto a = std::make_unique<parking>();
        auto b = std::make_unique<parking>();
        auto* const in_a = a.get();
        auto* const in_b = b.get();
        asio::co_spawn(brief, holder(std::move(a), in_b), asio::detached);
        asio::co_spawn(brief, holder(std::move(b), in_a), asio::detached);
        settle(brief);
        BOOST_TEST(!gone.expired());
    }
    BOOST_TEST(gone.expired());
    BOOST_TEST(time->alarms_set() == 0U);
}

BOOST_AUTO_TEST_CASE(strands_of_a_context_that_dies_take_their_waiters_along)
{
    std::atomic<int> frames = 0;
    std::atomic<int> resumed = 0;
    auto const on_the_context = std::make_shared<parking>();
    auto const on_a_strand = std::make_shared<parking>();
    {
        asio::io_context brief;
        // The service of the parked is made before that of the strands, and so outlives its shut-down.
        asio::co_spawn(brief, wait_and_count(on_the_context, frames, resumed), asio::detached);
        settle(brief);
        auto const strand = asio::make_strand(brief);
        for (int i = 0; i != 10; ++i)
            asio::co_spawn(strand, wait_and_count(on_a_strand, frames, resumed), asio::detached);
        settle(brief);
        on_a_strand->wake_one();
    }
    BOOST_TEST(frames == 0);
    BOOST_TEST(resumed == 0);
}

BOOST_AUTO_TEST_CASE(two_strands_of_one_context_do_not_disturb_each_other)
{
    constexpr int rounds = 2000;
    std::atomic<int> frames = 0;
    std::atomic<int> resumed = 0;
    auto const ping = [](std::shared_ptr<parking> at, std::atomic<int>& count) -> asio::awaitable<void> {
        for (int i = 0; i != rounds; ++i) {
            co_await at->wait();
            ++count;
        }
    };
    auto const wake = [](std::shared_ptr<parking> at) -> asio::awaitable<void> {
        for (int woken_up = 0; woken_up != 2 * rounds;) {
            woken_up += static_cast<int>(at->size());
            at->wake_all();
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        }
    };
    asio::thread_pool pool(2);
    for (int i = 0; i != 2; ++i) {
        auto const strand = asio::make_strand(pool);
        auto const own = std::make_shared<parking>();
        asio::co_spawn(strand, ping(own, resumed), asio::detached);
        asio::co_spawn(strand, ping(own, resumed), asio::detached);
        asio::co_spawn(strand, wake(own), asio::detached);
    }
    pool.join();
    BOOST_TEST(resumed == 4 * rounds);
    BOOST_TEST(frames == 0);
}

BOOST_AUTO_TEST_CASE(a_pool_of_threads_that_stops_takes_its_waiters_along)
{
    std::atomic<int> frames = 0;
    std::atomic<int> resumed = 0;
    {
        asio::thread_pool pool(2);
        std::atomic<int> begun = 0;
        std::vector<std::shared_ptr<parking>> places;
        for (int i = 0; i != 2; ++i) {
            auto const strand = asio::make_strand(pool);
            auto const own = places.emplace_back(std::make_shared<parking>());
            for (int k = 0; k != 100; ++k)
                asio::co_spawn(strand, wait_and_count(own, frames, resumed), asio::detached);
            asio::post(strand, [&begun] { begun.fetch_add(1), begun.notify_all(); });
        }
        for (int seen = 0; seen != 2; seen = begun)
            begun.wait(seen);
        pool.stop();
        pool.join();
    }
    BOOST_TEST(frames == 0);
    BOOST_TEST(resumed == 0);
}

BOOST_AUTO_TEST_SUITE_END()
