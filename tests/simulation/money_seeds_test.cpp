// SPDX-License-Identifier: BSL-1.0
#include "simulation/world.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

// Many requests at once, and trouble by chance: what a seed does is the same each time. A seed that fails is printed, and
// tried alone with JETON_TEST_SEED=<seed>.

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

class dice {
public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
    bool one_in(std::size_t n) { return below(n) == 0; }

private:
    std::mt19937_64 engine_;  // its numbers are the same everywhere, unlike those of distributions
};

constexpr std::array harmless{mishap::split, mishap::split, mishap::pause, mishap::pause, mishap::stall};
constexpr std::array harmful{mishap::choke, mishap::lost,         mishap::reset,      mishap::reset_behind, mishap::cut,
                             mishap::close, mishap::close_behind, mishap::half_close, mishap::trickle};
constexpr std::array deeds{deed::go_away,        deed::go_away_refusing, deed::refuse_streams,
                           deed::cancel_streams, deed::break_streams,    deed::cancel,
                           deed::cancel,         deed::cancel,           deed::deadline};

struct story {
    std::string complaint{};
    std::string course{};
    std::map<std::string, std::size_t> outcomes{};
};

story play(std::uint64_t seed)
{
    dice chance(seed);
    setting how;
    how.h2 = chance.one_in(2);
    how.reused = chance.one_in(2);
    how.think = chance.one_in(2) ? duration(0s) : 2 * world::tick;
    how.window = chance.one_in(4) ? 50 : 0;
    how.unauthorized = chance.one_in(8) ? 2 : 0;
    std::size_t const calm = 4 + chance.below(40);     // one step in so many is disturbed
    std::size_t const peace = 20 + chance.below(400);  // one in so many is fatal; one turn in so many sees a deed

    world w(how);
    w.at_step = [&](network_step const&, std::size_t) {
        if (chance.one_in(peace))
            return harmful[chance.below(harmful.size())];
        return chance.one_in(calm) ? harmless[chance.below(harmless.size())] : mishap::none;
    };
    w.at_turn = [&](std::size_t) {
        if (!chance.one_in(peace))
            return;
        if (chance.one_in(20))
            w.commit(chance.one_in(2) ? deed::shut_down : deed::destroy);
        else
            w.commit(deeds[chance.below(deeds.size())]);
    };
    w.arm();
    for (std::size_t left = 5 + chance.below(20); left != 0; --left) {
        if (chance.one_in(3))
            w.get();
        else
            w.post();
        for (std::size_t turns = chance.below(40); turns != 0; --turns)
            if (!w.turn() && chance.one_in(4))
                w.clock->advance(world::tick);
    }
    w.go_on();
    w.finish();

    story told{w.judge(), w.course(), {}};
    for (auto const& c : w.calls)
        if (c.ended) {
            auto const& outcome = c.run->outcome();
            ++told.outcomes[outcome ? "200" : std::string(to_string(outcome.error().delivery()))];
        }
    return told;
}

std::uint64_t number_from(char const* variable, std::uint64_t otherwise)
{
    auto const* const text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(money_seeds)

// J15, J16, K1, K2
BOOST_AUTO_TEST_CASE(whatever_happens_by_chance_a_post_arrives_once_at_most_and_its_delivery_is_right)
{
    auto const only = number_from("JETON_TEST_SEED", 0);
    std::uint64_t const first = only != 0 ? only : 1;
    std::uint64_t const last = only != 0 ? only : std::getenv("JETON_TEST_LONG") != nullptr ? 50000 : 1500;
    std::map<std::string, std::size_t> outcomes;
    std::size_t wrong = 0;
    for (auto seed = first; seed <= last; ++seed) {
        auto const told = play(seed);
        if (!told.complaint.empty() && ++wrong <= 10)
            BOOST_TEST_ERROR("JETON_TEST_SEED=" << seed << ": " << told.complaint);
        for (auto const& [what, n] : told.outcomes)
            outcomes[what] += n;
    }
    BOOST_TEST(wrong == 0u);
    for (auto const& [what, n] : outcomes)
        BOOST_TEST_MESSAGE(what << ": " << n);
    if (only == 0)
        for (auto const* what : {"200", "not_sent", "maybe_processed", "answered"})
            BOOST_TEST(outcomes[what] != 0u, what << " never happened");
}

BOOST_AUTO_TEST_CASE(a_seed_takes_the_same_course_each_time)
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        auto const once = play(seed);
        auto const again = play(seed);
        BOOST_TEST(once.course.size() > 100u);
        BOOST_TEST((once.course == again.course), "seed " << seed);
    }
}

BOOST_AUTO_TEST_SUITE_END()
