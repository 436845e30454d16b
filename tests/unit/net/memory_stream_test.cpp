// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/memory_stream.hpp>

#include "support/run.hpp"

#include <jeton/base/condition.hpp>

#include <asio/io_context.hpp>

#include <string>

using namespace jeton;
using jeton::testing::memory_stream;
using jeton::testing::settle;
using jeton::testing::started;
using direction = net::stream::direction;

namespace {

struct both_ends {
    asio::io_context io{1};
    memory_stream::pair ends = memory_stream::make_pair(io.get_executor(), "h2");
    memory_stream& ours = *ends.first;
    memory_stream& peer = *ends.second;

    std::string read(std::size_t most = 100)
    {
        std::string into(most, '\0');
        into.resize(ours.read_some(into).bytes);
        return into;
    }
    std::error_code read_error()
    {
        char one[1];
        auto const m = ours.read_some(one);
        BOOST_TEST(m.bytes == 0U);
        return m.error;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(net_memory_stream)

BOOST_AUTO_TEST_CASE(what_one_end_writes_the_other_reads)
{
    both_ends b;
    BOOST_TEST(b.ours.write_some("hello").bytes == 5U);
    BOOST_TEST(b.ours.bytes_sent() == 5U);
    BOOST_TEST(b.peer.take() == "hello");
    b.peer.put("world");
    BOOST_TEST(b.read(3) == "wor");
    BOOST_TEST(b.read() == "ld");
    char one[1];
    BOOST_TEST(b.ours.read_some(one).would_block());
    BOOST_TEST(b.ours.protocol() == "h2");
}

BOOST_AUTO_TEST_CASE(a_wait_ends_when_bytes_arrive_and_not_before)
{
    both_ends b;
    started<std::error_code> wait(b.io, b.ours.ready(direction::read));
    settle(b.io);
    BOOST_TEST(!wait.done());
    b.peer.put("x");
    settle(b.io);
    BOOST_REQUIRE(wait.done());
    BOOST_TEST(!wait.outcome());
}

BOOST_AUTO_TEST_CASE(a_wait_for_what_is_there_does_not_wait)
{
    both_ends b;
    b.peer.put("x");
    started<std::error_code> wait(b.io, b.ours.ready(direction::read));
    settle(b.io);
    BOOST_TEST(wait.done());
}

BOOST_AUTO_TEST_CASE(cancel_ends_waits_and_nothing_else)
{
    both_ends b;
    b.peer.window(0);
    started<std::error_code> reading(b.io, b.ours.ready(direction::read));
    started<std::error_code> writing(b.io, b.ours.ready(direction::write));
    settle(b.io);
    b.ours.cancel();
    settle(b.io);
    BOOST_REQUIRE((reading.done() && writing.done()));
    BOOST_CHECK(reading.outcome() == cond::cancelled);
    BOOST_CHECK(writing.outcome() == cond::cancelled);
    b.peer.put("x");
    BOOST_TEST(b.read() == "x");
}

BOOST_AUTO_TEST_CASE(the_callers_cancellation_ends_a_wait)
{
    both_ends b;
    started<std::error_code> reading(b.io, b.ours.ready(direction::read));
    settle(b.io);
    reading.cancel();
    settle(b.io);
    BOOST_REQUIRE(reading.done());
    BOOST_CHECK(reading.outcome() == cond::cancelled);
}

BOOST_AUTO_TEST_CASE(what_is_held_arrives_on_release)
{
    both_ends b;
    b.peer.hold();
    b.peer.put("late");
    b.peer.end();
    started<std::error_code> reading(b.io, b.ours.ready(direction::read));
    settle(b.io);
    BOOST_TEST(!reading.done());
    BOOST_CHECK(b.ours.check_silence() == net::stream::silence::kept);
    b.peer.release();
    settle(b.io);
    BOOST_TEST(reading.done());
    BOOST_TEST(b.read() == "late");
    BOOST_TEST(b.read_error() == net::errc::closed);
}

BOOST_AUTO_TEST_CASE(split_limits_each_call)
{
    both_ends b;
    b.peer.split(2);
    BOOST_TEST(b.ours.write_some("abc").bytes == 2U);
    b.peer.put("12345");
    BOOST_TEST(b.read() == "12");
    b.peer.split(0);
    BOOST_TEST(b.read() == "345");
}

BOOST_AUTO_TEST_CASE(a_full_window_blocks_until_the_peer_reads)
{
    both_ends b;
    b.peer.window(4);
    BOOST_TEST(b.ours.write_some("abcdef").bytes == 4U);
    BOOST_TEST(b.ours.write_some("ef").would_block());
    started<std::error_code> writing(b.io, b.ours.ready(direction::write));
    settle(b.io);
    BOOST_TEST(!writing.done());
    BOOST_TEST(b.peer.take() == "abcd");
    settle(b.io);
    BOOST_TEST(writing.done());
    BOOST_TEST(b.ours.write_some("ef").bytes == 2U);
    BOOST_TEST(b.ours.bytes_sent() == 6U);
}

BOOST_AUTO_TEST_CASE(an_end_is_read_after_the_bytes_and_as_it_was_ordered)
{
    both_ends b;
    b.peer.put("last");
    b.peer.end(net::errc::truncated);
    BOOST_TEST(b.read() == "last");
    BOOST_TEST(b.read_error() == net::errc::truncated);
    BOOST_TEST(b.ours.write_some("still heard").bytes == 11U);
    BOOST_TEST(b.peer.take() == "still heard");
}

BOOST_AUTO_TEST_CASE(a_reset_loses_what_was_not_read_and_wakes_both)
{
    both_ends b;
    started<std::error_code> theirs(b.io, b.peer.ready(direction::read));
    settle(b.io);
    b.peer.put("lost");
    b.peer.reset();
    settle(b.io);
    BOOST_TEST(theirs.done());
    BOOST_TEST(b.read_error() == net::errc::reset);
    BOOST_TEST(b.ours.write_some("x").error == net::errc::reset);
    BOOST_TEST(b.peer.write_some("x").error == net::errc::reset);
}

BOOST_AUTO_TEST_CASE(closing_tells_the_peer_and_makes_this_end_useless)
{
    both_ends b;
    started<std::error_code> theirs(b.io, b.peer.ready(direction::read));
    started<std::error_code> ours(b.io, b.ours.ready(direction::read));
    settle(b.io);
    b.ours.close();
    b.ours.close();
    settle(b.io);
    BOOST_TEST(theirs.done());
    BOOST_REQUIRE(ours.done());
    BOOST_CHECK(ours.outcome() == cond::cancelled);
    BOOST_TEST(b.peer.peer_closed());
    BOOST_TEST(b.read_error() == net::errc::closed);
    BOOST_TEST(b.ours.write_some("x").error == net::errc::closed);
    char one[1];
    BOOST_TEST(b.peer.read_some(one).error == net::errc::closed);
    BOOST_TEST(b.peer.write_some("x").error == net::errc::reset);
}

BOOST_AUTO_TEST_CASE(silence_tells_bytes_from_an_end)
{
    both_ends b;
    BOOST_CHECK(b.ours.check_silence() == net::stream::silence::kept);
    b.peer.put("x");
    BOOST_CHECK(b.ours.check_silence() == net::stream::silence::broken);
    b.read();
    b.ends.second.reset();
    BOOST_CHECK(b.ours.check_silence() == net::stream::silence::over);
}

BOOST_AUTO_TEST_CASE(a_context_may_die_while_somebody_waits)
{
    auto io = std::make_unique<asio::io_context>(1);
    auto ends = memory_stream::make_pair(io->get_executor());
    auto wait = std::make_unique<started<std::error_code>>(*io, ends.first->ready(direction::read));
    settle(*io);
    io.reset();
    BOOST_TEST(!wait->done());
}

BOOST_AUTO_TEST_SUITE_END()
