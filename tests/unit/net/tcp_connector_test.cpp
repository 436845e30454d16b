// SPDX-License-Identifier: BSL-1.0
#include "net/tcp_connector.hpp"

#include "net/tcp_stream.hpp"
#include "unit/net/loopback.hpp"
#include "unit/net/tls_pair.hpp"

#include <jeton/base/condition.hpp>
#include <jeton/net/error.hpp>

#include <asio/buffer.hpp>
#include <asio/write.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <sys/resource.h>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

/// `started` keeps a copy of the outcome, and a connection cannot be copied.
struct dialled {
    std::shared_ptr<net::connection> made{};
    result<void> how{};
};

asio::awaitable<dialled> dial(std::shared_ptr<net::connector> by, net::destination to)
{
    auto outcome = co_await by->connect(std::move(to));
    dialled d;
    if (outcome)
        d.made = std::make_shared<net::connection>(std::move(*outcome));
    else
        d.how = outcome.error();
    co_return d;
}

struct world : loopback {
    static net::tls_options trusting()
    {
        net::tls_options tls;
        tls.ca_pem = test_root().pem();
        return tls;
    }

    std::unique_ptr<started<dialled>> start(std::string host, bool secure)
    {
        return std::make_unique<started<dialled>>(io, dial(by, net::destination(std::move(host), port(), secure)));
    }

    dialled finish(started<dialled>& op)
    {
        BOOST_REQUIRE(until([&] { return op.done(); }));
        return op.outcome();
    }

    failure refusal(started<dialled>& op)
    {
        auto const d = finish(op);
        BOOST_REQUIRE(!d.how);
        BOOST_TEST(d.how.error().safe_to_resend());
        return d.how.error();
    }

    /// A connection whose client has begun to speak.
    tcp::socket accept_and_listen()
    {
        std::optional<tcp::socket> made;
        listener.async_accept([&](std::error_code error, tcp::socket s) {
            BOOST_TEST(!error);
            made.emplace(std::move(s));
        });
        BOOST_REQUIRE(until([&] { return made.has_value(); }));
        bool spoken = false;
        made->async_wait(asio::socket_base::wait_read, [&](std::error_code) { spoken = true; });
        BOOST_REQUIRE(until([&] { return spoken; }));
        return std::move(*made);
    }

    std::shared_ptr<net::connector> by = net::make_connector(serial(io), timers, trusting());
};

/// A listener whose queue is full: who connects is not answered.
struct full_world : world {
    full_world()
    {
        listener.listen(0);
        for (int i = 0; i != 3; ++i) {
            waiting.emplace_back(io);
            waiting.back().async_connect(listener.local_endpoint(), [](std::error_code) {});
        }
        settle(io);
    }

    std::vector<tcp::socket> waiting{};
};

std::shared_ptr<net::tls_context> server_at_loopback()
{
    certificate_request request;
    request.names = {"localhost"};
    request.addresses = {"127.0.0.1"};
    return server_for(test_root().issue(request));
}

std::unique_ptr<net::tls_stream> secured(asio::ip::tcp::socket socket, std::shared_ptr<net::tls_context> context)
{
    return std::make_unique<net::tls_stream>(std::make_unique<net::tcp_stream>(std::move(socket)), std::move(context));
}

class few_descriptors {
public:
    few_descriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        auto none = before_;
        none.rlim_cur = 0;
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~few_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(net_tcp_connector)

BOOST_AUTO_TEST_CASE(plain_tcp_is_connected)
{
    world w;
    auto const op = w.start("127.0.0.1", false);
    auto const d = w.finish(*op);
    BOOST_REQUIRE(d.made);
    BOOST_TEST(d.made->stream->protocol() == "");
    BOOST_TEST(d.made->stream->write_some("hello").bytes == 5U);
    char five[5];
    auto peer = w.accept();
    BOOST_TEST(peer.read_some(asio::buffer(five)) == 5U);
}

BOOST_AUTO_TEST_CASE(a_name_whose_first_address_refuses_is_reached_at_the_next)
{
    world w;  // listens on IPv4 only, and localhost may be ::1 as well
    auto const op = w.start("localhost", false);
    BOOST_TEST(bool(w.finish(*op).made));
}

// M1, L2
BOOST_AUTO_TEST_CASE(tls_is_connected_with_a_verified_peer)
{
    for (auto const* host : {"127.0.0.1", "localhost"}) {
        world w;
        auto const op = w.start(host, true);
        auto const server = secured(w.accept_and_listen(), server_at_loopback());
        started<result<void>> shaken(w.io, server->handshake());
        auto const d = w.finish(*op);
        BOOST_REQUIRE(d.made);
        BOOST_TEST(d.made->stream->protocol() == "http/1.1");
        BOOST_CHECK(d.made->resolve == 0ns);
        BOOST_TEST(d.made->stream->write_some("hello").bytes == 5U);
    }
}

BOOST_AUTO_TEST_CASE(the_phases_are_timed)
{
    world w;
    auto const op = w.start("127.0.0.1", true);
    auto socket = w.accept_and_listen();
    w.clock->advance(120ms);
    auto const server = secured(std::move(socket), server_at_loopback());
    started<result<void>> shaken(w.io, server->handshake());
    auto const d = w.finish(*op);
    BOOST_REQUIRE(d.made);
    BOOST_CHECK(d.made->connect == 0ms);
    BOOST_CHECK(d.made->tls == 120ms);
}

BOOST_AUTO_TEST_CASE(a_port_where_nobody_listens_refuses)
{
    world w;
    auto const port = w.port();
    w.listener.close();
    started<dialled> op(w.io, dial(w.by, net::destination("127.0.0.1", port, true)));
    auto const why = w.refusal(op);
    BOOST_TEST(why.code() == net::errc::refused);
    BOOST_CHECK(why.phase() == phase::connect);
    BOOST_CHECK(why.code() == cond::transient);
    BOOST_TEST(why.diag().ours
               == "connecting to 127.0.0.1: 127.0.0.1:" + std::to_string(port) + ": connection refused");
}

// L2
BOOST_AUTO_TEST_CASE(a_host_that_is_none_fails_in_phase_resolve)
{
    world w;
    auto const op = w.start("127.1", true);
    auto const why = w.refusal(*op);
    BOOST_TEST(why.code() == net::errc::host_not_found);
    BOOST_CHECK(why.phase() == phase::resolve);
}

BOOST_AUTO_TEST_CASE(out_of_descriptors_is_said_so)
{
    world w;
    auto const op = w.start("127.0.0.1", false);
    {
        few_descriptors const none;
        settle(w.io);
    }
    auto const why = w.refusal(*op);
    BOOST_TEST(why.code() == net::errc::no_descriptors);
    BOOST_CHECK(why.phase() == phase::connect);
}

BOOST_AUTO_TEST_CASE(tcp_that_takes_too_long_is_given_up)
{
    full_world w;
    auto const op = w.start("127.0.0.1", false);
    settle(w.io);
    BOOST_REQUIRE(!op->done());
    w.clock->advance(4'900ms);
    settle(w.io);
    BOOST_REQUIRE(!op->done());
    w.clock->advance(110ms);
    auto const why = w.refusal(*op);
    BOOST_CHECK(why.code() == cond::timeout);
    BOOST_CHECK(why.phase() == phase::connect);
    BOOST_TEST(why.diag().ours.find("no answer within 5 s") != std::string::npos, why.diag().ours);
}

BOOST_AUTO_TEST_CASE(tcp_that_is_cancelled_ends_at_once)
{
    full_world w;
    auto const op = w.start("127.0.0.1", false);
    settle(w.io);
    BOOST_REQUIRE(!op->done());
    op->cancel();
    auto const why = w.refusal(*op);
    BOOST_CHECK(why.code() == cond::cancelled);
    BOOST_CHECK(why.phase() == phase::connect);
}

BOOST_AUTO_TEST_CASE(a_handshake_that_takes_too_long_is_given_up)
{
    world w;
    auto const op = w.start("127.0.0.1", true);
    auto const silent = w.accept_and_listen();
    w.clock->advance(4'900ms);
    settle(w.io);
    BOOST_REQUIRE(!op->done());
    w.clock->advance(110ms);
    auto const why = w.refusal(*op);
    BOOST_CHECK(why.code() == cond::timeout);
    BOOST_CHECK(why.phase() == phase::tls);
    BOOST_TEST(why.diag().ours
               == "127.0.0.1:" + std::to_string(w.port()) + " (127.0.0.1): no TLS handshake within 5 s");
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_cancelled_ends_at_once)
{
    world w;
    auto const op = w.start("127.0.0.1", true);
    auto const silent = w.accept_and_listen();
    op->cancel();
    auto const why = w.refusal(*op);
    BOOST_CHECK(why.code() == cond::cancelled);
    BOOST_CHECK(why.phase() == phase::tls);
}

BOOST_AUTO_TEST_CASE(a_server_without_tls_is_a_protocol_error)
{
    world w;
    auto const op = w.start("127.0.0.1", true);
    auto plain = w.accept_and_listen();
    asio::write(plain, asio::buffer(std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n")));
    auto const why = w.refusal(*op);
    BOOST_TEST(why.code() == net::errc::tls_protocol);
    BOOST_CHECK(why.phase() == phase::tls);
}

BOOST_AUTO_TEST_CASE(a_fatal_alert_is_named)
{
    world w;
    auto const op = w.start("127.0.0.1", true);
    auto peer = w.accept_and_listen();
    asio::write(peer, asio::buffer(std::string_view("\x15\x03\x03\0\x02\x02\x50", 7)));  // internal_error
    auto const why = w.refusal(*op);
    BOOST_TEST(why.code() == net::errc::tls_alert);
    BOOST_TEST(why.diag().peer_code == "internal error");
}

BOOST_AUTO_TEST_CASE(a_peer_that_hangs_up_in_the_handshake_is_no_success)
{
    world w;
    auto const op = w.start("127.0.0.1", true);
    w.accept_and_listen().shutdown(asio::socket_base::shutdown_send);
    auto const why = w.refusal(*op);
    BOOST_CHECK(why.code() == cond::transient);
    BOOST_CHECK(why.phase() == phase::tls);
}

// M2
BOOST_AUTO_TEST_CASE(a_bad_certificate_is_refused_with_the_address_that_showed_it)
{
    world w;
    auto const op = w.start("127.0.0.1", true);
    auto request = for_names({"other.example"});
    auto const server = secured(w.accept_and_listen(), server_for(test_root().issue(request)));
    started<result<void>> shaken(w.io, server->handshake());
    auto const why = w.refusal(*op);
    BOOST_TEST(why.code() == net::errc::certificate_name);
    BOOST_TEST(why.diag().ours.starts_with("127.0.0.1:" + std::to_string(w.port())
                                           + " (127.0.0.1): certificate is for another host"));
    BOOST_TEST(why.diag().peer_text.find("other.example") != std::string::npos);
    BOOST_CHECK(w.until([&] { return shaken.done(); }));
    char one[1];
    BOOST_TEST(server->read_some(one).bytes == 0U);
}

BOOST_AUTO_TEST_CASE(the_context_may_die_in_every_phase)
{
    {
        world w;
        auto const op = w.start("localhost", true);
        w.io.poll_one();
    }
    {
        full_world w;
        auto const op = w.start("127.0.0.1", true);
        settle(w.io);
    }
    {
        world w;
        auto const op = w.start("127.0.0.1", true);
        auto const silent = w.accept_and_listen();
        BOOST_TEST(!op->done());
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_left_armed_afterwards)
{
    world w;
    auto const op = w.start("127.0.0.1", false);
    w.finish(*op);
    w.timers->rest();
    BOOST_TEST(w.clock->alarms_set() == 0U);
}

BOOST_AUTO_TEST_CASE(limits_of_zero_are_refused)
{
    loopback l;
    for (int which = 0; which != 3; ++which) {
        net::connect_limits limits;
        (which == 0 ? limits.resolve : which == 1 ? limits.connect : limits.tls) = 0s;
        BOOST_CHECK_THROW(net::make_connector(serial(l.io), l.timers, world::trusting(), limits),
                          std::invalid_argument);
    }
}

BOOST_AUTO_TEST_SUITE_END()
