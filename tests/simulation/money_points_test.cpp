// SPDX-License-Identifier: BSL-1.0
#include "simulation/world.hpp"

#include <asio/post.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

// A POST that is not replayable, and trouble at every point of its way: at every step that either side makes on the
// network, at every turn of the loop, behind every byte. The server's book is the judge.

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::array mishaps{mishap::split, mishap::trickle,    mishap::pause, mishap::stall,
                             mishap::choke, mishap::lost,       mishap::reset, mishap::reset_behind,
                             mishap::cut,   mishap::half_close, mishap::close, mishap::close_behind};
constexpr std::array deeds{deed::cancel, deed::deadline, deed::shut_down, deed::destroy};
constexpr std::array deeds_h2{deed::go_away, deed::go_away_refusing, deed::refuse_streams, deed::cancel_streams,
                              deed::break_streams};

struct tally {
    std::map<std::string, std::size_t> outcomes{};
    std::size_t runs = 0;
    std::size_t wrong = 0;

    void take(world& w, std::string const& where)
    {
        w.go_on();
        w.finish();
        ++runs;
        auto const& c = w.calls.back();
        if (c.ended) {
            auto const& outcome = c.run->outcome();
            ++outcomes[outcome ? "200" : std::string(to_string(outcome.error().delivery()))];
        }
        if (auto const complaint = w.judge(); !complaint.empty() && ++wrong <= 10)
            BOOST_TEST_ERROR(where << ": " << complaint);
    }

    // Trouble that never changes the outcome would prove nothing.
    void demand(std::initializer_list<char const*> all)
    {
        BOOST_TEST(wrong == 0u);
        std::string text;
        for (auto const& [what, n] : outcomes)
            text += what + ": " + std::to_string(n) + "; ";
        BOOST_TEST_MESSAGE(runs << " runs; " << text);
        for (auto const* what : all)
            BOOST_TEST(outcomes[what] != 0u, what << " never happened");
    }
};

// Of so many points that come one behind the other, one is tried.
std::size_t stride(std::size_t ordinarily) { return std::getenv("JETON_TEST_LONG") != nullptr ? 1 : ordinarily; }

// Whoever cancels a coroutine that has not begun to run yet has not called the client.
bool nothing_yet(std::size_t k, deed d) { return k == 0 && (d == deed::cancel || d == deed::deadline); }

std::vector<setting> settings(bool tls)
{
    std::vector<setting> all;
    for (bool const h2 : {false, true})
        for (bool const reused : {false, true})
            for (duration const think : {duration(0s), duration(2 * world::tick)})
                all.push_back({.h2 = h2, .tls = tls, .reused = reused, .think = think});
    return all;
}

struct size_of_run {
    std::vector<network_step> each_step{};
    std::size_t steps = 0;
    std::size_t turns = 0;
    std::size_t sent = 0;      // by the client, as the server reads it
    std::size_t answered = 0;  // bytes of the server's
    std::size_t taken = 0;     // by the client's kernel
};

size_of_run undisturbed(setting const& how)
{
    world w(how);
    auto const taken = [&] {
        std::size_t n = 0;
        for (unsigned i = 0; i != w.network->connections(); ++i)
            n += w.network->taken(i).size();
        return n;
    };
    size_of_run before{.sent = w.server->read(), .answered = w.server->written(), .taken = taken()};
    std::vector<network_step> each_step;
    w.at_step = [&](network_step const& what, std::size_t) { return each_step.push_back(what), mishap::none; };
    w.arm();
    auto& c = w.post();
    w.go_on();
    size_of_run const n{each_step,
                        w.steps(),
                        w.turns(),
                        w.server->read() - before.sent,
                        w.server->written() - before.answered,
                        taken() - before.taken};
    w.finish();
    BOOST_TEST(w.judge() == "");
    BOOST_REQUIRE(c.ended);
    BOOST_TEST(c.run->outcome().has_value());
    return n;
}

using trouble = std::pair<std::string, std::function<void(world&)>>;

std::vector<trouble> troubles_between_turns(setting const& how, std::size_t k)
{
    std::vector<trouble> all;
    for (auto const m : mishaps)
        if (m != mishap::split && m != mishap::reset_behind && m != mishap::close_behind)
            all.emplace_back(to_string(m), [m](world& w) { w.network->strike(m); });
    for (auto const d : deeds)
        if (!nothing_yet(k, d))
            all.emplace_back(to_string(d), [d](world& w) { w.commit(d); });
    if (how.h2)
        for (auto const d : deeds_h2)
            all.emplace_back(to_string(d), [d](world& w) { w.commit(d); });
    return all;
}

// At each step, each mishap and each deed.
void trouble_at_each_step(setting const& how, tally& all, std::size_t every = 1)
{
    auto const n = undisturbed(how).steps;
    BOOST_REQUIRE(n > 5u);
    auto const at = [&](std::size_t k, std::string const& what) {
        return how.to_string() + ", step " + std::to_string(k) + " of " + std::to_string(n) + ", " + what;
    };
    std::size_t const first = every / 2;
    for (std::size_t k = first; k < n; k += every) {
        for (auto const m : mishaps) {
            world w(how);
            w.at_step = [&](network_step const&, std::size_t number) { return number == k ? m : mishap::none; };
            w.arm();
            w.post();
            all.take(w, at(k, std::string(to_string(m))));
        }
        auto some = std::vector(deeds.begin(), deeds.end());
        if (how.h2)
            some.insert(some.end(), deeds_h2.begin(), deeds_h2.end());
        for (auto const d : some) {
            world w(how);
            w.at_step = [&](network_step const&, std::size_t number) {
                if (number == k)
                    asio::post(w.io(), [&w, d] { w.commit(d); });
                return mishap::none;
            };
            w.arm();
            w.post();
            all.take(w, at(k, std::string(to_string(d))));
        }
    }
}

// When the client writes, its kernel takes nothing, and does again at the moment at which something else happens.
void trouble_when_writing_goes_on(setting const& how, tally& all)
{
    std::vector<trouble> some;
    for (auto const m : {mishap::half_close, mishap::close, mishap::cut, mishap::reset})
        some.emplace_back(to_string(m), [m](world& w) { w.network->strike(m); });
    for (auto const d : {deed::cancel, deed::deadline, deed::destroy})
        some.emplace_back(to_string(d), [d](world& w) { w.commit(d); });
    auto const steps = undisturbed(how).each_step;
    for (std::size_t k = 0; k != steps.size(); ++k) {
        if (steps[k].what != network_step::kind::write || steps[k].at_server)
            continue;
        for (auto const& [name, strike] : some)
            for (bool const first : {false, true}) {
                world w(how);
                w.at_step = [&](network_step const&, std::size_t number) {
                    if (number != k)
                        return mishap::none;
                    asio::post(w.io(), [&] {
                        if (first)
                            strike(w);
                        w.network->calm();
                        if (!first)
                            strike(w);
                    });
                    return mishap::choke;
                };
                w.arm();
                w.post();
                all.take(w, how.to_string() + ", step " + std::to_string(k) + ", writing goes on "
                                + (first ? "after " : "before ") + name);
            }
    }
}

void trouble_at_each_turn(setting const& how, tally& all)
{
    auto const n = undisturbed(how).turns;
    for (std::size_t k = 0; k != n; ++k)
        for (auto const& [name, strike] : troubles_between_turns(how, k)) {
            world w(how);
            w.at_turn = [&](std::size_t number) {
                if (number == k)
                    strike(w);
            };
            w.arm();
            w.post();
            all.take(w, how.to_string() + ", turn " + std::to_string(k) + " of " + std::to_string(n) + ", " + name);
        }
}

// The client's kernel takes so many bytes, no more, and then.
void trouble_behind_each_byte_sent(setting const& how, tally& all, std::size_t every = 1)
{
    auto const n = undisturbed(how).taken;
    BOOST_REQUIRE(n > 50u);
    std::vector<trouble> some;
    for (auto const m : {mishap::reset, mishap::cut, mishap::close, mishap::lost})
        some.emplace_back(to_string(m), [m](world& w) { w.network->strike(m); });
    for (auto const d : {deed::cancel, deed::deadline, deed::destroy})
        some.emplace_back(to_string(d), [d](world& w) {
            w.network->strike(mishap::choke);
            asio::post(w.io(), [&w, d] { w.commit(d); });
        });
    for (std::size_t k = 1; k <= n; k += every)
        for (auto const& [name, strike] : some) {
            world w(how);
            w.network->take_most(k, [&] { strike(w); });
            w.arm();
            w.post();
            all.take(w, how.to_string() + ", byte " + std::to_string(k) + " of " + std::to_string(n) + ", " + name);
        }
}

// The server closes behind each byte that it has read, and ends the connection behind each that it has written.
void trouble_behind_each_byte_of_the_server(setting const& how, tally& all)
{
    auto const n = undisturbed(how);
    for (std::size_t k = 0; k <= n.sent; ++k) {
        world w(how);
        w.server->order({.reads = k});
        w.arm();
        w.post();
        all.take(w, how.to_string() + ", server closes behind byte " + std::to_string(k));
    }
    for (bool const resets : {false, true})
        for (std::size_t k = 0; k <= n.answered; ++k) {
            world w(how);
            w.server->order({.writes = k, .resets = resets});
            w.arm();
            w.post();
            all.take(w, how.to_string() + ", server " + (resets ? "resets" : "closes") + " behind byte "
                            + std::to_string(k) + " of its own");
        }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(money_points)

// J15, K1, K2: in clear, where every byte can be seen
BOOST_AUTO_TEST_CASE(a_post_arrives_once_at_most_whatever_happens_at_any_step)
{
    tally all;
    for (auto const& how : settings(false))
        trouble_at_each_step(how, all);
    all.demand({"200", "not_sent", "maybe_processed"});
}

BOOST_AUTO_TEST_CASE(a_post_arrives_once_at_most_whatever_happens_when_writing_goes_on)
{
    tally all;
    for (bool const tls : {false, true})
        for (auto const& how : settings(tls))
            trouble_when_writing_goes_on(how, all);
    all.demand({"200", "not_sent", "maybe_processed"});
}

BOOST_AUTO_TEST_CASE(a_post_arrives_once_at_most_whatever_happens_at_any_turn)
{
    tally all;
    for (auto const& how : settings(false))
        trouble_at_each_turn(how, all);
    all.demand({"200", "not_sent", "maybe_processed"});
}

BOOST_AUTO_TEST_CASE(a_post_arrives_once_at_most_whatever_happens_behind_any_byte)
{
    tally all;
    for (auto const& how : settings(false))
        if (how.think == 0s) {
            trouble_behind_each_byte_sent(how, all);
            trouble_behind_each_byte_of_the_server(how, all);
        }
    all.demand({"200", "not_sent", "maybe_processed", "answered"});
}

BOOST_AUTO_TEST_CASE(a_post_arrives_once_at_most_over_a_network_that_moves_bytes_one_by_one)
{
    tally all;
    for (auto how : settings(false))
        if (how.reused && how.think == 0s) {
            how.trickle = true;
            trouble_at_each_step(how, all, stride(37));
            how.trickle = false;
            how.window = 50;
            trouble_at_each_step(how, all, stride(3));
        }
    all.demand({"200", "not_sent", "maybe_processed", "answered"});
}

// J15, B4: the server that refuses a token has not acted, and the POST goes out again with another one
BOOST_AUTO_TEST_CASE(a_post_whose_token_is_refused_is_carried_out_once_at_most)
{
    tally all;
    for (auto how : settings(false))
        if (how.think == 0s) {
            how.unauthorized = 1;
            trouble_at_each_step(how, all);
        }
    all.demand({"200", "not_sent", "maybe_processed"});
}

// J15, K1, K2, M7: over TLS
BOOST_AUTO_TEST_CASE(over_tls_a_post_arrives_once_at_most_as_well)
{
    tally all;
    for (auto const& how : settings(true))
        if (how.think == 0s) {
            trouble_at_each_step(how, all);
            trouble_behind_each_byte_sent(how, all, stride(how.reused ? 17 : 97));
        }
    all.demand({"200", "not_sent", "maybe_processed"});
}

// K1, K2: GOAWAY says that it is being carried out; what comes after that decides
BOOST_AUTO_TEST_CASE(a_post_arrives_once_at_most_whatever_happens_after_goaway)
{
    tally all;
    setting const how{.h2 = true, .reused = true, .think = 2 * world::tick};
    auto const n = undisturbed(how).turns;
    for (std::size_t first = 0; first != n; ++first)
        for (auto second = first; second <= n; ++second)
            for (auto const& [name, strike] : troubles_between_turns(how, second)) {
                world w(how);
                w.at_turn = [&](std::size_t number) {
                    if (number == first)
                        w.commit(deed::go_away);
                    if (number == second)
                        strike(w);
                };
                w.arm();
                w.post();
                all.take(w, "GOAWAY at turn " + std::to_string(first) + ", " + name + " at turn "
                                + std::to_string(second));
            }
    all.demand({"200", "not_sent", "maybe_processed"});
}

// K1, K2: what the server says it has not looked at goes out again by itself, a POST, too
BOOST_AUTO_TEST_CASE(a_post_that_the_server_refuses_is_sent_again_and_carried_out)
{
    std::size_t refused = 0;
    for (auto const& how : settings(false)) {
        auto const n = undisturbed(how).turns;
        for (std::size_t k = 0; how.h2 && k != n; ++k)
            for (auto const d : {deed::go_away, deed::go_away_refusing, deed::refuse_streams}) {
                world w(how);
                w.at_turn = [&](std::size_t number) {
                    if (number == k)
                        w.commit(d);
                };
                w.arm();
                auto const& c = w.post();
                w.go_on();
                w.finish();
                for (auto const& a : w.server->book())
                    refused += a.refused;
                BOOST_TEST(w.judge() == "");
                BOOST_TEST((c.ended && c.run->outcome()), how.to_string() << ", turn " << k << ", " << to_string(d));
            }
    }
    BOOST_TEST(refused != 0u);
}

// J15: the judge must be able to find fault. Who calls a POST replayable gets it repeated, and that shows in the book.
BOOST_AUTO_TEST_CASE(a_post_that_is_repeated_is_found_out)
{
    setting const how{.reused = true};
    auto const n = undisturbed(how).steps;
    std::size_t twice = 0;
    for (std::size_t k = 0; k != n; ++k) {
        world w(how);
        w.at_step = [&](network_step const&, std::size_t number) { return number == k ? mishap::cut : mishap::none; };
        w.arm();
        w.send(http::request::post("https://api.example/orders/p7", "{}").replayable(), true);
        w.go_on();
        w.finish();
        twice += w.judge().find("arrived 2 times") != std::string::npos;
    }
    BOOST_TEST(twice != 0u);
}

BOOST_AUTO_TEST_SUITE_END()
