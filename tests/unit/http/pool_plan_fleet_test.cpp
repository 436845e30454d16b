// SPDX-License-Identifier: BSL-1.0
#include "pool_plan_words.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace std::chrono_literals;
using jeton::duration;
using jeton::time_point;
using jeton::http::origin_share;
using jeton::http::pool_plan;
using namespace jeton::http::words;

namespace {

// Several origins that share a number of connections, servers that change and end them as they like, and books of what
// each connection carries.
class fleet {
public:
    fleet(unsigned seed, std::size_t origins, std::size_t connections)
        : dice_(seed), limit_(connections), share_(connections)
    {
        for (std::size_t i = 0; i < origins; ++i)
            sites_.push_back({.plan = pool_plan({.connections = 3,
                                                 .waiters = 20,
                                                 .idle = 400ms,
                                                 .age = 900ms,
                                                 .requests = seed % 3 == 0 ? 5u : 0u,
                                                 .ready = seed % 4 == 0 ? 1u : 0u,
                                                 .dialling = {.at_once = 2, .first_pause = 20ms, .longest_pause = 80ms},
                                                 .many_from = seed % 4 == 2 ? 3u : 0u,
                                                 .multiplexing = seed % 2 == 0,
                                                 .seed = seed},
                                                &share_)});
    }

    void play(int moves)
    {
        for (int i = 0; i < moves; ++i) {
            now_ += std::chrono::milliseconds(pick(30));
            auto& s = sites_[pick(sites_.size())];
            move(s);
            settle();
            check();
        }
        wind_up();
    }

private:
    struct conn {
        std::uint32_t slots = 0, used = 0;
        bool draining = false;
    };
    struct site {
        pool_plan plan;
        std::map<std::uint32_t, conn> open{};
        std::set<std::uint32_t> dials{};
        std::set<std::uint32_t> waiters{};
    };

    std::uint32_t pick(std::size_t n) { return static_cast<std::uint32_t>(dice_() % n); }
    template <class Map>
    auto any(Map& m)
    {
        return std::next(m.begin(), pick(m.size()));
    }
    std::uint32_t slots() { return pick(2) == 0 ? 1 + pick(4) : 1; }

    void move(site& s)
    {
        switch (pick(12)) {
        case 0:
        case 1:
        case 2:
        case 3: demand(s); break;
        case 4:
        case 5:
            if (!s.dials.empty())
                dialled(s, *any(s.dials));
            break;
        case 6:
            if (!s.dials.empty() && pick(3) == 0) {
                auto const c = *any(s.dials);
                s.dials.erase(c);
                obey(s, s.plan.on_dial_failed(c, now_));
            }
            break;
        case 7:
        case 8: release(s, pick(5) != 0); break;
        case 9:
            if (!s.open.empty()) {
                auto const c = any(s.open);
                c->second.slots = pick(4);
                obey(s, s.plan.on_slots(c->first, c->second.slots, now_));
            }
            break;
        case 10:
            if (!s.open.empty()) {
                auto const c = any(s.open);
                c->second.draining = true;
                if (auto const how = pick(5); how < 2)
                    obey(s, s.plan.on_draining(c->first, now_));
                else if (how < 4)
                    obey(s, s.plan.on_died(c->first, now_));
                else
                    c->second.draining = false, obey(s, s.plan.on_one_at_a_time(now_, 200ms));
            }
            break;
        default:
            if (!s.waiters.empty() && pick(2) == 0) {
                auto const w = *any(s.waiters);
                s.waiters.erase(w);
                s.plan.on_gave_up(w);
            } else {
                obey(s, s.plan.on_time(now_));
            }
        }
    }

    void use(site& s, std::uint32_t c)
    {
        BOOST_REQUIRE(s.open.contains(c));
        auto& self = s.open[c];
        BOOST_TEST(self.used < self.slots);  // K3: never more than the server lets it
        BOOST_TEST(!self.draining);          // K1
        ++self.used;
    }

    void demand(site& s)
    {
        auto const p = s.plan.on_demand(now_);
        if (p.what == placing::use)
            use(s, p.id);
        else if (p.what == placing::wait)
            BOOST_TEST(s.waiters.insert(p.id).second);
        obey(s, s.plan.todo());
    }

    void dialled(site& s, std::uint32_t c)
    {
        s.dials.erase(c);
        s.open[c] = {.slots = slots()};
        obey(s, s.plan.on_dialled(c, now_, s.open[c].slots));
    }

    void release(site& s, bool keep)
    {
        for (auto& [c, self] : s.open)
            if (self.used != 0) {
                --self.used;
                self.draining = self.draining || !keep;
                obey(s, s.plan.on_released(c, now_, keep));
                return;
            }
    }

    void obey(site& s, pool_plan::actions todo)
    {
        for (auto const& a : todo) {
            switch (a.what) {
            case doing::hand:
                BOOST_TEST(s.waiters.erase(a.waiter) == 1u);
                use(s, a.connection);
                break;
            case doing::dial: BOOST_TEST(s.dials.insert(a.connection).second); break;
            case doing::close:
                BOOST_REQUIRE(s.open.contains(a.connection));
                BOOST_TEST(s.open[a.connection].used == 0u);  // nobody's request is cut off
                s.open.erase(a.connection);
                break;
            case doing::refuse: BOOST_TEST(s.waiters.erase(a.waiter) == 1u); break;
            }
        }
    }

    // As the shell does, after each fact.
    void settle()
    {
        for (int i = 0; share_.unsettled(); ++i) {
            BOOST_REQUIRE(i < 1000);
            std::vector<origin_share::standing> all;
            for (auto const& s : sites_)
                all.push_back(s.plan.standing());
            auto const step = share_.next(all);
            if (step.what == origin_share::step::kind::nothing)
                return;
            auto& s = sites_[step.whom];
            obey(s, step.what == origin_share::step::kind::grant ? s.plan.on_granted(now_) : s.plan.on_squeeze(now_));
        }
    }

    void check()
    {
        std::size_t total = 0;
        for (auto const& s : sites_) {
            total += s.open.size() + s.dials.size();
            BOOST_REQUIRE(s.plan.dialling() == s.dials.size());
            BOOST_REQUIRE(s.plan.waiting() == s.waiters.size());
            BOOST_REQUIRE(s.plan.idle() + s.plan.busy() == s.open.size());
            BOOST_TEST(s.open.size() + s.dials.size() <= 4u);  // one more while one is replaced
            BOOST_TEST(s.dials.size() <= 2u);
        }
        BOOST_TEST(total <= limit_);
    }

    // All is well from now on: everybody is served, and nobody starves.
    void wind_up()
    {
        for (int i = 0; i < 5000; ++i) {
            now_ += 10ms;
            bool waiting = false;
            for (auto& s : sites_) {
                while (!s.dials.empty()) {
                    auto const c = *s.dials.begin();
                    dialled(s, c);
                    if (s.open.contains(c) && s.open[c].slots == 0)
                        obey(s, s.plan.on_slots(c, s.open[c].slots = 2, now_));
                }
                for (auto c = s.open.begin(); c != s.open.end();) {
                    auto const id = (c++)->first;
                    if (s.open[id].slots == 0) {
                        s.open[id].slots = 2;
                        obey(s, s.plan.on_slots(id, 2, now_));
                        break;
                    }
                }
                release(s, true);
                obey(s, s.plan.on_time(now_));
                settle();
                waiting = waiting || !s.waiters.empty();
            }
            check();
            if (!waiting)
                break;
        }
        for (auto const& s : sites_)
            BOOST_TEST(s.waiters.empty());
        for (auto& s : sites_)
            obey(s, s.plan.on_shut_down(now_));
        for (int i = 0; i < 1000; ++i)
            for (auto& s : sites_) {
                while (!s.dials.empty())
                    dialled(s, *s.dials.begin());
                release(s, true);
            }
        for (auto const& s : sites_)
            BOOST_TEST(s.plan.done());
    }

    std::mt19937 dice_;
    std::size_t limit_;
    origin_share share_;
    std::deque<site> sites_{};
    time_point now_ = at(0s);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_pool_plan_fleet)

BOOST_AUTO_TEST_CASE(whatever_servers_do_slots_are_kept_to_nothing_is_cut_off_and_nobody_starves)
{
    // K1, K3, FAULTS 32, 70, 72
    for (unsigned seed = 1; seed <= 60; ++seed)
        BOOST_TEST_CONTEXT("seed " << seed)
    fleet(seed, 1 + seed % 4, 2 + seed % 5).play(800);
}

BOOST_AUTO_TEST_SUITE_END()
