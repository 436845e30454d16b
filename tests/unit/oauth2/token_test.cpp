// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/token.hpp>

#include <boost/test/unit_test.hpp>

using namespace jeton;
using namespace jeton::oauth2;
using namespace std::chrono_literals;

namespace {

moment const sent{time_point(24h), wall_time(24h * 20000)};

moment later(duration boot, duration wall) { return {sent.boot + boot, sent.wall + wall}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(oauth2_token)

BOOST_AUTO_TEST_CASE(the_line_is_ready_for_the_wire)
{
    // B1
    token const t(secret("abc.def"), sent, 1h);
    BOOST_TEST(t.authorization()->reveal() == "Authorization: Bearer abc.def\r\n");
    BOOST_TEST(t.access() == "abc.def");
}

BOOST_AUTO_TEST_CASE(age_counts_from_when_the_request_was_sent_on_whichever_clock_says_more)
{
    // A21
    token const t(secret("a"), sent, 1h);
    BOOST_TEST((t.left(sent) == 1h));
    BOOST_TEST((t.left(later(10min, 10min)) == 50min));
    BOOST_TEST((t.left(later(10min, 70min)) == -10min));
    BOOST_TEST((t.left(later(70min, 10min)) == -10min));
    BOOST_TEST((t.left(later(10min, -5h)) == 50min));  // set back
}

BOOST_AUTO_TEST_CASE(the_ends_of_time_do_not_overflow)
{
    token const t(secret("a"), {time_point::min(), wall_time::min()}, 1h);
    BOOST_TEST((t.left({time_point::max(), wall_time::max()}) < 0s));
    token const u(secret("a"), {time_point::max(), wall_time::max()}, 1h);
    BOOST_TEST((u.left({time_point::min(), wall_time::min()}) > 0s));
}

BOOST_AUTO_TEST_CASE(a_fingerprint_tells_tokens_apart_and_nothing_else)
{
    token const a(secret("a"), sent, 1h), again(secret("a"), sent, 2h), b(secret("b"), sent, 1h);
    BOOST_TEST(a.fingerprint == again.fingerprint);
    BOOST_TEST(a.fingerprint != b.fingerprint);
    BOOST_TEST(a.fingerprint.size() == 16u);
}

BOOST_AUTO_TEST_CASE(a_numbered_token_is_the_same_but_for_its_number)
{
    token t(secret("a"), sent, 1h);
    t.scope = "read";
    t.refresh = secret("r");
    t.endpoint = "https://auth.example/token";
    auto const n = t.numbered(7);
    BOOST_TEST(n->generation == 7u);
    BOOST_TEST(n->authorization() == t.authorization());  // not copied
    BOOST_TEST(n->scope == "read");
    BOOST_TEST(n->refresh.reveal() == "r");
    BOOST_TEST((n->lifetime() == 1h));
    BOOST_TEST(n->endpoint == t.endpoint);
    BOOST_TEST(n->fingerprint == t.fingerprint);
}

BOOST_AUTO_TEST_CASE(demands_carry_what_was_asked)
{
    auto const t = std::make_shared<token const>(secret("a"), sent, 1h);
    BOOST_TEST((token_demand::lasting(5s).remaining() == 5s));
    BOOST_TEST(token_demand::instead_of(t).refused() == t);
    BOOST_TEST((token_demand().by(sent.boot).deadline() == sent.boot));
    BOOST_TEST(!token_demand().deadline().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
