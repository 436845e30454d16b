// SPDX-License-Identifier: BSL-1.0
#include "net/tcp_stream.hpp"

#include "unit/net/loopback.hpp"

#include <jeton/base/condition.hpp>
#include <jeton/net/error.hpp>

#include <asio/buffer.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <string>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace jeton;
using namespace jeton::testing;
using direction = net::stream::direction;
using silence = net::stream::silence;

namespace {

struct connected : loopback {
    connected()
    {
        tcp::socket client(io);
        client.connect(listener.local_endpoint());
        peer = accept();
        stream = std::make_unique<net::tcp_stream>(std::move(client));
    }

    void send(std::string_view text) { asio::write(peer, asio::buffer(text)); }

    /// A socket that is closed with this says so by RST.
    void cut()
    {
        peer.set_option(asio::socket_base::linger(true, 0));
        peer.close();
    }

    std::error_code wait_for(direction d)
    {
        started<std::error_code> wait(io, stream->ready(d));
        BOOST_REQUIRE(until([&] { return wait.done(); }));
        return wait.outcome();
    }

    net::stream::moved read()
    {
        char into[100];
        return stream->read_some(into);
    }

    tcp::socket peer{io};
    std::unique_ptr<net::tcp_stream> stream{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(net_tcp_stream)

BOOST_AUTO_TEST_CASE(nothing_there_is_no_error)
{
    connected c;
    BOOST_TEST(c.read().would_block());
    BOOST_CHECK(c.stream->check_silence() == silence::kept);
}

BOOST_AUTO_TEST_CASE(bytes_arrive_and_end_the_wait)
{
    connected c;
    started<std::error_code> wait(c.io, c.stream->ready(direction::read));
    settle(c.io);
    BOOST_TEST(!wait.done());
    c.send("hello");
    BOOST_REQUIRE(c.until([&] { return wait.done(); }));
    BOOST_TEST(!wait.outcome());
    BOOST_CHECK(c.stream->check_silence() == silence::broken);
    BOOST_TEST(c.read().bytes == 5U);
}

BOOST_AUTO_TEST_CASE(a_wait_for_what_is_there_already_ends)
{
    connected c;
    c.send("hello");
    BOOST_TEST(!c.wait_for(direction::read));
    char two[2];
    BOOST_TEST(c.stream->read_some(two).bytes == 2U);
    BOOST_TEST(!c.wait_for(direction::read));  // what is left counts, too
}

BOOST_AUTO_TEST_CASE(what_is_sent_is_counted)
{
    connected c;
    BOOST_TEST(c.stream->write_some("hello").bytes == 5U);
    BOOST_TEST(c.stream->bytes_sent() == 5U);
    std::string const much(1 << 20, 'x');
    std::uint64_t sent = 5;
    for (;;) {
        auto const m = c.stream->write_some(much);
        if (m.would_block())
            break;
        BOOST_REQUIRE(!m.error);
        sent += m.bytes;
    }
    BOOST_TEST(c.stream->bytes_sent() == sent);
    started<std::error_code> wait(c.io, c.stream->ready(direction::write));
    settle(c.io);
    BOOST_TEST(!wait.done());
    std::string taken(sent, '\0');
    asio::read(c.peer, asio::buffer(taken));
    BOOST_TEST(c.until([&] { return wait.done(); }));
}

BOOST_AUTO_TEST_CASE(small_segments_are_not_delayed)
{
    loopback c;
    asio::ip::tcp::socket client(c.io);
    client.connect(c.listener.local_endpoint());
    auto const descriptor = client.native_handle();
    net::tcp_stream const stream(std::move(client));
    int on = 0;
    socklen_t size = sizeof on;
    BOOST_REQUIRE(::getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
    BOOST_TEST(on != 0);
}

BOOST_AUTO_TEST_CASE(an_orderly_end_is_closed)
{
    connected c;
    c.send("last");
    c.peer.shutdown(asio::socket_base::shutdown_send);
    BOOST_TEST(!c.wait_for(direction::read));
    BOOST_TEST(c.read().bytes == 4U);
    BOOST_TEST(c.read().error == net::errc::closed);
    BOOST_CHECK(c.stream->check_silence() == silence::over);
}

BOOST_AUTO_TEST_CASE(a_cut_connection_is_a_reset_and_no_signal)
{
    connected c;
    c.cut();
    BOOST_TEST(!c.wait_for(direction::read));
    BOOST_TEST(c.read().error == net::errc::reset);
    BOOST_TEST(c.stream->write_some("x").error == net::errc::reset);  // EPIPE, and the process lives
    BOOST_TEST(c.stream->bytes_sent() == 0U);
    BOOST_CHECK(c.stream->check_silence() == silence::over);
}

BOOST_AUTO_TEST_CASE(cancel_ends_waits_and_the_stream_stays_usable)
{
    connected c;
    started<std::error_code> wait(c.io, c.stream->ready(direction::read));
    settle(c.io);
    c.stream->cancel();
    settle(c.io);
    BOOST_REQUIRE(wait.done());
    BOOST_CHECK(wait.outcome() == cond::cancelled);
    c.send("x");
    BOOST_TEST(!c.wait_for(direction::read));
    BOOST_TEST(c.read().bytes == 1U);
}

BOOST_AUTO_TEST_CASE(the_callers_cancellation_ends_a_wait)
{
    connected c;
    started<std::error_code> wait(c.io, c.stream->ready(direction::read));
    settle(c.io);
    wait.cancel();
    settle(c.io);
    BOOST_REQUIRE(wait.done());
    BOOST_CHECK(wait.outcome() == cond::cancelled);
}

BOOST_AUTO_TEST_CASE(closing_ends_waits_and_further_calls_do_nothing)
{
    connected c;
    started<std::error_code> wait(c.io, c.stream->ready(direction::read));
    settle(c.io);
    c.stream->close();
    c.stream->close();
    settle(c.io);
    BOOST_REQUIRE(wait.done());
    BOOST_CHECK(wait.outcome() == cond::cancelled);
    BOOST_TEST(c.read().error == net::errc::closed);
    BOOST_TEST(c.stream->write_some("x").error == net::errc::closed);
    BOOST_CHECK(c.wait_for(direction::read) == cond::cancelled);
    c.stream->cancel();
    char one;
    std::error_code at_peer;
    c.peer.read_some(asio::buffer(&one, 1), at_peer);
    BOOST_TEST(at_peer == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_context_may_die_while_somebody_waits)
{
    connected c;
    started<std::error_code> wait(c.io, c.stream->ready(direction::read));
    settle(c.io);
    BOOST_TEST(!wait.done());
}

BOOST_AUTO_TEST_SUITE_END()
