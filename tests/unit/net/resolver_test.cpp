// SPDX-License-Identifier: BSL-1.0
#include "net/resolver.hpp"

#include "unit/net/loopback.hpp"

#include <jeton/base/condition.hpp>
#include <jeton/net/error.hpp>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

/// Gives the one thread that looks up names enough to do for the next lookup to have to wait.
void keep_the_resolver_busy(asio::ip::tcp::resolver& busy, int& left)
{
    for (left = 0; left != 500; ++left)
        busy.async_resolve("localhost", "1",
                           [&left](std::error_code, asio::ip::tcp::resolver::results_type const&) { --left; });
}

struct slow_lookup : loopback {
    slow_lookup() { keep_the_resolver_busy(busy, left); }

    int left = 0;
    asio::ip::tcp::resolver busy{io};
    started<result<net::endpoints>> op{io, net::resolve(io.get_executor(), timers, "localhost", 443, 5s)};
};

result<net::endpoints> resolve_at_once(std::string const& host)
{
    loopback l;
    started<result<net::endpoints>> op(l.io, net::resolve(l.io.get_executor(), l.timers, host, 443, 5s));
    for (int turn = 0; turn != 2; ++turn)  // it begins, it ends: no other thread has a part in it
        l.io.poll_one();
    BOOST_REQUIRE(op.done());
    return op.outcome();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_resolver)

// L2
BOOST_AUTO_TEST_CASE(an_address_is_not_looked_up)
{
    for (auto const* host : {"192.0.2.1", "::1", "2001:db8::1", "fe80::1%1"}) {
        auto const found = resolve_at_once(host);
        BOOST_REQUIRE(bool(found));
        BOOST_REQUIRE(found->size() == 1U);
        BOOST_TEST(found->front().address() == asio::ip::make_address(host));
        BOOST_TEST(found->front().port() == 443);
    }
}

// L2
BOOST_AUTO_TEST_CASE(what_is_neither_name_nor_address_is_not_looked_up_either)
{
    for (auto const* host : {"127.1", "2130706433", "0x7f.1", "a b", "", "fe80::1%no-such-interface"}) {
        auto const found = resolve_at_once(host);
        BOOST_REQUIRE(!found);
        BOOST_TEST(found.error().code() == net::errc::host_not_found);
        BOOST_CHECK(found.error().phase() == phase::resolve);
        BOOST_TEST(found.error().safe_to_resend());
    }
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up)
{
    loopback l;
    started<result<net::endpoints>> op(l.io, net::resolve(l.io.get_executor(), l.timers, "localhost", 443, 5s));
    BOOST_REQUIRE(l.until([&] { return op.done(); }));
    BOOST_REQUIRE(bool(op.outcome()));
    for (auto const& each : *op.outcome())
        BOOST_TEST(each.address().is_loopback());
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_be_resolved_is_told_in_phase_resolve)
{
    loopback l;
    started<result<net::endpoints>> op(l.io,
                                       net::resolve(l.io.get_executor(), l.timers, "no-such-host.invalid", 443, 5s));
    BOOST_REQUIRE(l.until([&] { return op.done(); }));
    BOOST_REQUIRE(!op.outcome());
    auto const code = op.outcome().error().code();  // which of them depends on whether there is a name server
    BOOST_TEST((code == net::errc::host_not_found || code == net::errc::resolver_failed), code.message());
    BOOST_CHECK(op.outcome().error().phase() == phase::resolve);
    BOOST_TEST(op.outcome().error().diag().ours.find("no-such-host.invalid") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_lookup_that_takes_too_long_is_given_up_and_its_answer_dropped)
{
    slow_lookup l;
    l.io.poll_one();
    BOOST_REQUIRE(!l.op.done());
    l.clock->advance(5s);
    BOOST_REQUIRE(l.until([&] { return l.op.done(); }));
    BOOST_TEST(l.left != 0);  // it did not wait for the thread
    BOOST_REQUIRE(!l.op.outcome());
    BOOST_CHECK(l.op.outcome().error().code() == cond::timeout);
    BOOST_CHECK(l.op.outcome().error().phase() == phase::resolve);
    BOOST_CHECK(l.until([&] { return l.left == 0; }));
    settle(l.io);
}

BOOST_AUTO_TEST_CASE(a_lookup_that_is_cancelled_ends_at_once)
{
    slow_lookup l;
    l.io.poll_one();
    BOOST_REQUIRE(!l.op.done());
    l.op.cancel();
    BOOST_REQUIRE(l.until([&] { return l.op.done(); }));
    BOOST_TEST(l.left != 0);
    BOOST_REQUIRE(!l.op.outcome());
    BOOST_CHECK(l.op.outcome().error().code() == cond::cancelled);
}

BOOST_AUTO_TEST_CASE(a_context_may_die_during_a_lookup)
{
    slow_lookup l;
    l.io.poll_one();
    BOOST_TEST(!l.op.done());
}

BOOST_AUTO_TEST_SUITE_END()
