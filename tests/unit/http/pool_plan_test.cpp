// SPDX-License-Identifier: BSL-1.0
#include "pool_plan_words.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using jeton::time_point;
using jeton::http::pool_plan;
using namespace jeton::http::words;

BOOST_AUTO_TEST_SUITE(http_pool_plan)

BOOST_AUTO_TEST_CASE(the_first_request_waits_for_a_dial)
{
    pool_plan plan({});
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 0");
    BOOST_TEST(told(plan.todo()) == "dial 0");
    BOOST_TEST(told(plan.on_dialled(0, at(1s))) == "hand 0>0");
    BOOST_TEST(plan.busy() == 1u);
}

BOOST_AUTO_TEST_CASE(who_goes_first_overtakes_all_and_is_never_turned_away)
{
    pool_plan plan({.connections = 1, .waiters = 2});
    (void)plan.on_demand(at(0s));
    (void)plan.on_dialled(0, at(0s));
    BOOST_TEST(told(plan.on_demand(at(1s))) == "wait 0");
    BOOST_TEST(told(plan.on_demand(at(2s))) == "wait 1");
    BOOST_TEST(told(plan.on_demand(at(3s))) == "full");
    BOOST_TEST(told(plan.on_demand(at(3s), {}, true)) == "wait 2");
    BOOST_TEST(told(plan.on_released(0, at(4s), true)) == "hand 0>2");
    BOOST_TEST(told(plan.on_released(0, at(5s), true)) == "hand 0>0");
}

BOOST_AUTO_TEST_CASE(a_released_connection_is_used_again_and_the_last_one_first)
{
    auto plan = with_idle(3);
    BOOST_TEST(plan.idle() == 3u);
    BOOST_TEST(told(plan.on_demand(at(1s))) == "use 2");
    BOOST_TEST(told(plan.todo()) == "");
    BOOST_TEST(told(plan.on_demand(at(1s))) == "use 1");
    BOOST_TEST(told(plan.on_released(2, at(2s), true)) == "");
    BOOST_TEST(told(plan.on_demand(at(2s))) == "use 2");
}

BOOST_AUTO_TEST_CASE(a_waiter_takes_whichever_connection_comes_first)
{
    auto plan = with_idle(1);
    BOOST_TEST(told(plan.on_demand(at(0s))) == "use 0");
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 0");
    BOOST_TEST(told(plan.todo()) == "dial 1");
    BOOST_TEST(told(plan.on_released(0, at(1s), true)) == "hand 0>0");
    BOOST_TEST_CONTEXT("the dial that nobody waits for any more becomes idle")
    {
        BOOST_TEST(told(plan.on_dialled(1, at(2s))) == "");
        BOOST_TEST(plan.idle() == 1u);
        BOOST_TEST(told(plan.on_demand(at(2s))) == "use 1");
    }
}

BOOST_AUTO_TEST_CASE(a_dial_in_progress_that_nobody_waits_for_covers_the_next_request)
{
    pool_plan plan({});
    (void)plan.on_demand(at(0s));
    plan.on_gave_up(0);
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 0");
    BOOST_TEST(told(plan.todo()) == "");
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 1");
    BOOST_TEST(told(plan.todo()) == "dial 1");
}

BOOST_AUTO_TEST_CASE(no_more_connections_than_allowed_are_made_and_waiters_are_served_in_order)
{
    pool_plan plan({.connections = 2});
    std::string dials;
    for (int i = 0; i < 4; ++i) {
        (void)plan.on_demand(at(0s));
        dials += told(plan.todo()) + ";";
    }
    BOOST_TEST(dials == "dial 0;dial 1;;;");
    BOOST_TEST(told(plan.on_dialled(1, at(1s))) == "hand 1>0");
    BOOST_TEST(told(plan.on_dialled(0, at(1s))) == "hand 0>1");
    BOOST_TEST(told(plan.on_released(0, at(2s), true)) == "hand 0>2");
    BOOST_TEST_CONTEXT("one that cannot be kept makes room for a new one")
    BOOST_TEST(told(plan.on_released(1, at(2s), false)) == "close 1, dial 1");
}

BOOST_AUTO_TEST_CASE(when_too_many_wait_the_next_one_is_turned_away_at_once)
{
    pool_plan plan({.connections = 1, .waiters = 2});
    (void)plan.on_demand(at(0s));
    (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_demand(at(0s))) == "full");
    BOOST_TEST(told(plan.todo()) == "");
    plan.on_gave_up(1);
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 1");
}

BOOST_AUTO_TEST_CASE(a_failed_dial_fails_the_oldest_waiter_and_the_others_get_another_dial)
{
    pool_plan plan({.connections = 2});
    for (int i = 0; i < 4; ++i)
        (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_dial_failed(1, at(0s))) == "refuse 0");
    BOOST_TEST(told(plan.on_dial_failed(0, at(0s))) == "refuse 1");
    BOOST_TEST(told(plan.on_time(at(1s))) == "dial 0");
    BOOST_TEST(told(plan.on_dial_failed(0, at(1s))) == "refuse 2");
    BOOST_TEST(told(plan.on_time(at(2s))) == "dial 0");
    BOOST_TEST(told(plan.on_dial_failed(0, at(2s))) == "refuse 3");
    BOOST_TEST(plan.dialling() == 0u);
    BOOST_TEST(plan.busy() == 0u);
}

BOOST_AUTO_TEST_CASE(a_failed_dial_that_nobody_needs_fails_nobody)
{
    auto plan = with_idle(1);
    (void)plan.on_demand(at(0s));
    (void)plan.on_demand(at(0s));
    (void)plan.on_released(0, at(1s), true);
    BOOST_TEST(told(plan.on_dial_failed(1, at(0s))) == "");
}

BOOST_AUTO_TEST_CASE(idle_connections_are_closed_when_their_time_is_over_the_longest_unused_first)
{
    auto plan = with_idle(3, {.idle = 10s});
    BOOST_TEST(told(plan.on_demand(at(5s))) == "use 2");
    (void)plan.on_released(2, at(5s), true);
    BOOST_TEST((plan.next_wakeup() == at(10s)));
    BOOST_TEST(told(plan.on_time(at(10s) - 1ns)) == "");
    BOOST_TEST(told(plan.on_time(at(10s))) == "close 0, close 1");
    BOOST_TEST((plan.next_wakeup() == at(15s)));
    BOOST_TEST(told(plan.on_time(at(15s))) == "close 2");
    BOOST_TEST(!plan.next_wakeup());
}

BOOST_AUTO_TEST_CASE(a_busy_connection_is_not_closed_for_being_idle)
{
    auto plan = with_idle(1, {.idle = 10s});
    (void)plan.on_demand(at(1s));
    BOOST_TEST(!plan.next_wakeup());
    BOOST_TEST(told(plan.on_time(at(99s))) == "");
}

BOOST_AUTO_TEST_CASE(an_idle_connection_that_died_is_not_handed_out)
{
    // J13: bytes on an idle connection, or its end, retire it.
    auto plan = with_idle(2);
    BOOST_TEST(told(plan.on_died(1, at(0s))) == "close 1");
    BOOST_TEST(told(plan.on_demand(at(0s))) == "use 0");
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 1");
}

BOOST_AUTO_TEST_CASE(a_busy_connection_that_died_is_closed_when_it_is_released)
{
    // J14: it is not reused, whatever who releases it believes.
    auto plan = with_idle(1);
    (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_died(0, at(0s))) == "");
    BOOST_TEST(told(plan.on_released(0, at(0s), true)) == "close 0");
}

BOOST_AUTO_TEST_CASE(a_connection_that_must_not_be_kept_is_closed)
{
    // J14
    auto plan = with_idle(1);
    (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_released(0, at(0s), false)) == "close 0");
    BOOST_TEST(plan.idle() == 0u);
}

BOOST_AUTO_TEST_CASE(a_resend_is_given_only_a_connection_dialled_after_its_failure)
{
    // J15
    auto plan = with_idle(2);
    BOOST_TEST(told(plan.on_demand(at(5s), at(5s))) == "wait 1");
    BOOST_TEST(told(plan.todo()) == "dial 2");
    BOOST_TEST_CONTEXT("others overtake it")
    BOOST_TEST(told(plan.on_demand(at(5s))) == "use 1");
    BOOST_TEST(told(plan.on_released(1, at(6s), true)) == "");
    BOOST_TEST(told(plan.on_dialled(2, at(7s))) == "hand 2>1");
    (void)plan.on_released(2, at(8s), true);
    BOOST_TEST_CONTEXT("a connection that is young enough is taken at once")
    BOOST_TEST(told(plan.on_demand(at(9s), at(6s))) == "use 2");
}

BOOST_AUTO_TEST_CASE(a_connection_dialled_in_the_same_instant_is_young_enough_if_the_request_asked_before)
{
    // J15: a clock that stands still must not make it dial for ever.
    auto plan = with_idle(1);
    BOOST_TEST(told(plan.on_demand(at(0s), at(0s))) == "wait 0");
    BOOST_TEST(told(plan.on_dialled(1, at(0s))) == "hand 1>0");
}

BOOST_AUTO_TEST_CASE(at_the_limit_an_idle_connection_that_is_too_old_makes_room)
{
    // J15
    auto plan = with_idle(2, {.connections = 2});
    BOOST_TEST(told(plan.on_demand(at(5s), at(5s))) == "wait 1");
    BOOST_TEST(told(plan.todo()) == "close 0, dial 0");
}

BOOST_AUTO_TEST_CASE(at_the_limit_a_released_connection_that_is_too_old_makes_room)
{
    // J15
    auto plan = with_idle(1, {.connections = 1});
    (void)plan.on_demand(at(1s));
    BOOST_TEST(told(plan.on_demand(at(5s), at(5s))) == "wait 0");
    BOOST_TEST(told(plan.on_demand(at(5s))) == "wait 1");
    BOOST_TEST(told(plan.todo()) == "");
    BOOST_TEST(told(plan.on_released(0, at(6s), true)) == "close 0, dial 0");
    BOOST_TEST(told(plan.on_dialled(0, at(7s))) == "hand 0>0");
    BOOST_TEST(told(plan.on_released(0, at(8s), true)) == "hand 0>1");
}

BOOST_AUTO_TEST_CASE(an_older_request_keeps_its_turn_before_a_resend)
{
    auto plan = with_idle(1, {.connections = 1});
    (void)plan.on_demand(at(1s));
    BOOST_TEST(told(plan.on_demand(at(5s))) == "wait 0");
    BOOST_TEST(told(plan.on_demand(at(5s), at(5s))) == "wait 1");
    BOOST_TEST(told(plan.on_released(0, at(6s), true)) == "hand 0>0");
    BOOST_TEST(told(plan.on_released(0, at(7s), true)) == "close 0, dial 0");
}

BOOST_AUTO_TEST_CASE(shutting_down_closes_what_is_idle_and_lets_the_rest_finish)
{
    auto plan = with_idle(2, {.connections = 2});
    (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_shut_down(at(0s))) == "close 0");
    BOOST_TEST(told(plan.on_demand(at(0s))) == "closed");
    BOOST_TEST(!plan.done());
    BOOST_TEST(told(plan.on_released(1, at(1s), true)) == "close 1");
    BOOST_TEST(plan.done());
}

BOOST_AUTO_TEST_CASE(who_waits_when_it_shuts_down_is_still_served)
{
    pool_plan plan({.connections = 1});
    (void)plan.on_demand(at(0s));
    (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_shut_down(at(0s))) == "");
    BOOST_TEST(told(plan.on_dialled(0, at(1s))) == "hand 0>0");
    BOOST_TEST(told(plan.on_released(0, at(1s), true)) == "hand 0>1");
    BOOST_TEST(!plan.done());
    BOOST_TEST(told(plan.on_released(0, at(1s), true)) == "close 0");
    BOOST_TEST(plan.done());
}

BOOST_AUTO_TEST_CASE(a_dial_that_ends_after_shut_down_is_closed_unless_somebody_waits)
{
    pool_plan plan({});
    (void)plan.on_demand(at(0s));
    plan.on_gave_up(0);
    BOOST_TEST(told(plan.on_shut_down(at(0s))) == "");
    BOOST_TEST(!plan.done());
    BOOST_TEST(told(plan.on_dialled(0, at(1s))) == "close 0");
    BOOST_TEST(plan.done());
}

BOOST_AUTO_TEST_CASE(a_connection_with_several_slots_serves_several_waiters)
{
    pool_plan plan({});
    (void)plan.on_demand(at(0s));
    (void)plan.on_demand(at(0s));
    (void)plan.on_demand(at(0s));
    BOOST_TEST(told(plan.on_dialled(0, at(1s), 2)) == "hand 0>0, hand 0>1");
    BOOST_TEST(told(plan.on_released(0, at(1s), true)) == "hand 0>2");
    BOOST_TEST(told(plan.on_released(0, at(1s), true)) == "");
    BOOST_TEST_CONTEXT("busy, but with a free slot")
    {
        BOOST_TEST(plan.idle() == 0u);
        BOOST_TEST(told(plan.on_demand(at(1s))) == "use 0");
    }
}

BOOST_AUTO_TEST_CASE(a_slotted_connection_that_must_not_be_kept_closes_with_its_last_user)
{
    auto plan = pool_plan({});
    (void)plan.on_demand(at(0s));
    (void)plan.on_dialled(0, at(0s), 3);
    BOOST_TEST(told(plan.on_demand(at(0s))) == "use 0");
    BOOST_TEST(told(plan.on_released(0, at(0s), false)) == "");
    BOOST_TEST(told(plan.on_demand(at(0s))) == "wait 0");
    BOOST_TEST(told(plan.on_released(0, at(0s), true)).starts_with("close 0"));
}

namespace {

// Plays shell and network at random and keeps books of its own.
class player {
public:
    player(unsigned seed, pool_plan::limits limits, bool choosy)
        : limits_(limits), plan_(limits), dice_(seed), choosy_(choosy), fails_(seed % 3 != 0)
    {}

    void play(int moves)
    {
        for (int i = 0; i < moves; ++i) {
            now_ += std::chrono::milliseconds(pick(50));
            move();
            check();
        }
        wind_up();
    }

private:
    struct conn {
        time_point dialled{};
        std::uint64_t serial = 0;
    };
    struct waiting {
        std::uint64_t ticket = 0;
        std::optional<time_point> after{};
        std::uint64_t serial = 0;
        bool suits(conn const& c) const { return !after || c.dialled > *after || c.serial > serial; }
    };

    std::uint32_t pick(std::size_t n) { return static_cast<std::uint32_t>(dice_() % n); }

    template <class Map>
    auto any_of(Map const& m)
    {
        return std::next(m.begin(), pick(m.size()))->first;
    }

    void move()
    {
        switch (pick(8)) {
        case 0:
        case 1:
        case 2: demand(); break;
        case 3:
            if (!dials_.empty())
                dialled(*std::next(dials_.begin(), pick(dials_.size())));
            break;
        case 4:
            if (!dials_.empty() && fails_) {
                auto const c = *std::next(dials_.begin(), pick(dials_.size()));
                dials_.erase(c);
                failed_ = true;
                obey(plan_.on_dial_failed(c, now_));
            }
            break;
        case 5:
            if (!busy_.empty())
                release(any_of(busy_), pick(4) != 0);
            break;
        case 6:
            if (pick(2) == 0 && !idle_.empty()) {
                failed_ = true;  // it may have died before it was of any use
                obey(plan_.on_died(any_of(idle_), now_));
            } else if (!waiters_.empty()) {
                auto const w = any_of(waiters_);
                waiters_.erase(w);
                plan_.on_gave_up(w);
            }
            break;
        default: obey(plan_.on_time(now_)); break;
        }
    }

    void demand()
    {
        std::optional<time_point> after;
        if (choosy_ && pick(4) == 0)
            after = now_ - std::chrono::milliseconds(pick(100));
        auto const p = plan_.on_demand(now_, after);
        auto const suits = [&](auto const& i) { return !after || i.second.dialled > *after; };
        switch (p.what) {
        case placing::use:
            BOOST_REQUIRE(idle_.contains(p.id));
            BOOST_TEST(suits(std::pair(p.id, idle_.at(p.id))));
            busy_.insert(idle_.extract(p.id));
            obey(plan_.todo());
            break;
        case placing::wait:
            BOOST_REQUIRE(!waiters_.contains(p.id));
            waiters_[p.id] = {++tickets_, after, serials_};
            obey(plan_.todo());
            BOOST_TEST(std::none_of(idle_.begin(), idle_.end(), suits));
            break;
        case placing::full:
            obey(plan_.todo());
            BOOST_TEST(waiters_.size() == limits_.waiters);
            break;
        case placing::refused: BOOST_ERROR("it would have waited"); break;
        case placing::closed: BOOST_TEST(shut_); break;
        }
    }

    void dialled(std::uint32_t c)
    {
        dials_.erase(c);
        busy_[c] = {now_, ++serials_};  // until the plan does not hand it to anybody
        auto const todo = plan_.on_dialled(c, now_);
        settle(c, todo);
    }

    void release(std::uint32_t c, bool keep)
    {
        auto const todo = plan_.on_released(c, now_, keep);
        if (!keep)
            BOOST_TEST(std::any_of(todo.begin(), todo.end(),
                                   [&](auto& a) { return a.what == doing::close && a.connection == c; }));
        settle(c, todo);
    }

    // `c` is free: either it is handed to somebody, or closed, or idle from now on.
    void settle(std::uint32_t c, pool_plan::actions todo)
    {
        idle_.insert(busy_.extract(c));
        obey(todo);
    }

    void obey(pool_plan::actions todo)
    {
        for (auto const& a : todo) {
            switch (a.what) {
            case doing::hand: {
                BOOST_REQUIRE(idle_.contains(a.connection));  // never one that somebody has
                BOOST_REQUIRE(waiters_.contains(a.waiter));
                auto const w = waiters_[a.waiter];
                BOOST_TEST(w.suits(idle_[a.connection]));
                for (auto const& [id, other] : waiters_)  // FIFO among those it suits
                    BOOST_TEST((other.ticket >= w.ticket || !other.suits(idle_[a.connection])));
                waiters_.erase(a.waiter);
                busy_.insert(idle_.extract(a.connection));
                break;
            }
            case doing::dial: BOOST_TEST(dials_.insert(a.connection).second); break;
            case doing::close:
                BOOST_REQUIRE(idle_.contains(a.connection));
                idle_.erase(a.connection);
                break;
            case doing::refuse: {
                BOOST_REQUIRE(waiters_.contains(a.waiter));
                auto const ticket = waiters_[a.waiter].ticket;
                for (auto const& [id, other] : waiters_)
                    BOOST_TEST(other.ticket >= ticket);
                waiters_.erase(a.waiter);
                break;
            }
            }
        }
    }

    void check()
    {
        BOOST_REQUIRE(plan_.idle() == idle_.size());
        BOOST_REQUIRE(plan_.busy() == busy_.size());
        BOOST_REQUIRE(plan_.dialling() == dials_.size());
        BOOST_REQUIRE(plan_.waiting() == waiters_.size());
        auto const total = idle_.size() + busy_.size() + dials_.size();
        BOOST_TEST(total <= limits_.connections);
        BOOST_TEST(waiters_.size() <= limits_.waiters);
        bool const full = total == limits_.connections;
        BOOST_TEST_CONTEXT("whoever waits has a dial on its way, or all connections are in use, unless dials failed")
        BOOST_TEST((waiters_.size() <= dials_.size() || full || failed_));
        BOOST_TEST_CONTEXT("nobody waits for something that will not happen")
        BOOST_TEST((waiters_.empty() || !dials_.empty() || full || plan_.paced()));
        BOOST_TEST((!plan_.paced() || plan_.next_wakeup()));
        for (auto const& [w, who] : waiters_)
            for (auto const& [c, idle] : idle_)
                BOOST_TEST(!who.suits(idle));
    }

    void wind_up()
    {
        shut_ = true;
        obey(plan_.on_shut_down(now_));
        demand();
        for (int i = 0; i < 100'000 && !plan_.done(); ++i) {
            if (!dials_.empty())
                dialled(*dials_.begin());
            else if (!busy_.empty())
                release(busy_.begin()->first, true);
            else
                obey(plan_.on_time(now_ += 1s));
        }
        BOOST_TEST(plan_.done());
        BOOST_TEST((idle_.empty() && busy_.empty() && dials_.empty() && waiters_.empty()));
    }

    pool_plan::limits limits_;
    pool_plan plan_;
    std::mt19937 dice_;
    bool choosy_;
    bool fails_;
    bool shut_ = false;
    bool failed_ = false;
    time_point now_ = at(0s);
    std::uint64_t tickets_ = 0;
    std::uint64_t serials_ = 0;
    std::map<std::uint32_t, conn> idle_{};
    std::map<std::uint32_t, conn> busy_{};
    std::set<std::uint32_t> dials_{};
    std::map<std::uint32_t, waiting> waiters_{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(whatever_happens_no_connection_is_handed_out_twice_or_lost_and_turns_are_kept)
{
    for (unsigned seed = 1; seed <= 60; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed)
        {
            player(seed, {.connections = 1 + seed % 5, .waiters = 3 + seed % 9, .idle = 300ms}, seed % 2 == 0)
                .play(1500);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
