// SPDX-License-Identifier: BSL-1.0
// A server whose packets no longer arrive, nor ours there: nobody says good-bye, nothing is acknowledged. The kernel drops them for us.
#include "support/besieged.hpp"

#include <jeton/http/retry.hpp>
#include <jeton/testing/manual_clock.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdlib>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;
using talk = rogue_server::talk;
using http::protocol_choice;
using http::request;

namespace {

/// This process's end of its connection to a server on that port.
int descriptor_to(std::uint16_t port)
{
    for (int fd = 3; fd != 1024; ++fd) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.sin_family == AF_INET
            && ntohs(peer.sin_port) == port)
            return fd;
    }
    return -1;
}

int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, level, name, &value, &size);
    return value;
}

void shorten(int fd, int name, int value)
{
    BOOST_TEST(option(fd, IPPROTO_TCP, name) > value);
    BOOST_TEST(::setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value) == 0);
}

/// A client, and a server that has answered one request over a connection that is kept, and is dead since.
struct after_one_answer {
    explicit after_one_answer(protocol_choice p, http::client_options o = {})
        : client(std::move(o), p),
          protocol(p),
          server(besieged::certificate(), dies, rogue_server::good, besieged::speaking(p))
    {
        auto const first = ask();
        client.until([&] { return first->over() && server.struck(); });
        BOOST_REQUIRE(*first->outcome);
        fd = descriptor_to(server.port());
        BOOST_REQUIRE(fd >= 0);
        // What the server sends again since it hears of no acknowledgement is lost, too.
        rogue_server::drop_what_comes_to(fd);
    }

    static void dies(talk& t)
    {
        t.answer_one();
        t.go_dead();
        t.strike();
        t.await_end();
    }

    std::shared_ptr<besieged::call> ask(request r) { return client.start(std::move(r)); }
    std::shared_ptr<besieged::call> ask() { return ask(request::get(server.url("/"))); }

    /// The next request is answered, over another connection.
    void goes_elsewhere()
    {
        auto const next = ask();
        client.until([&] { return next->over(); });
        BOOST_REQUIRE(*next->outcome);
        BOOST_TEST((*next->outcome)->text() == "fine");
        BOOST_TEST(!(*next->outcome)->reused());
        BOOST_TEST(server.connections() == 2);
        client.all_is_well();
    }

    besieged client;
    protocol_choice protocol;
    rogue_server server;
    int fd = -1;
};

void takes_one_and_dies(talk& t)
{
    if (!t.more())
        return;
    t.go_dead();
    t.strike();
    t.await_end();
}

double seconds_since(besieged::steady::time_point begin, besieged::call const& c)
{
    return std::chrono::duration<double>(c.ended - begin).count();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(dead_peer)

BOOST_AUTO_TEST_CASE(the_kernel_watches_every_connection_so_that_a_dead_peer_is_noticed_within_20_seconds)
{
    // K16, J14
    for (auto const p : {protocol_choice::http_1_1, protocol_choice::http_2}) {
        after_one_answer s(p);
        BOOST_TEST(option(s.fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 15'000);
        BOOST_TEST(option(s.fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
        // It is given up at the first look that finds it silent for as long as the limit above.
        auto const looks_at = option(s.fd, IPPROTO_TCP, TCP_KEEPIDLE) + option(s.fd, IPPROTO_TCP, TCP_KEEPINTVL);
        BOOST_TEST(looks_at > 15);
        BOOST_TEST(looks_at < 20);
    }
}

BOOST_AUTO_TEST_CASE(what_is_written_to_a_dead_peer_and_not_acknowledged_ends_the_connection)
{
    // K16, J15
    for (auto const p : {protocol_choice::http_1_1, protocol_choice::http_2}) {
        for (bool const post : {false, true}) {
            after_one_answer s(p);
            shorten(s.fd, TCP_USER_TIMEOUT, 300);
            auto const begin = besieged::steady::now();
            auto const one = s.ask(post ? request::post(s.server.url("/"), "order") : request::get(s.server.url("/")));
            s.client.until([&] { return one->over(); });
            BOOST_TEST(seconds_since(begin, *one) < 2);
            BOOST_REQUIRE(!*one->outcome);
            auto const& why = one->outcome->error();
            BOOST_TEST((why.code() == http::errc::connection_lost), why.to_string());
            BOOST_TEST((why.delivery() == delivery::maybe_processed), why.to_string());
            s.goes_elsewhere();
        }
    }
}

BOOST_AUTO_TEST_CASE(a_request_into_a_dead_connection_is_sent_again_only_if_that_is_safe)
{
    // J15
    for (auto const p : {protocol_choice::http_1_1, protocol_choice::http_2}) {
        for (bool const post : {false, true}) {
            after_one_answer s(p);
            shorten(s.fd, TCP_USER_TIMEOUT, 300);
            struct borrowed final : http::transport {
                explicit borrowed(http::client& c) : it(c) {}
                http::awaitable<result<http::response>> send(request what) override { return it.send(std::move(what)); }
                http::client& it;
            };
            auto const retrying =
                http::with_retries(std::make_shared<borrowed>(*s.client.api), serial(s.client.io), machine_clock());
            auto const outcome = std::make_shared<std::optional<besieged::answer>>();
            asio::co_spawn(
                s.client.io,
                retrying->send(post ? request::post(s.server.url("/"), "order") : request::get(s.server.url("/"))),
                [outcome](std::exception_ptr, besieged::answer a) { outcome->emplace(std::move(a)); });
            s.client.until([&] { return outcome->has_value(); });
            BOOST_TEST(outcome->value().has_value() == !post);
            BOOST_TEST(s.server.connections() == (post ? 1 : 2));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_request_into_a_dead_http1_connection_ends_by_its_deadline_and_the_connection_is_not_used_again)
{
    // J14
    after_one_answer s(protocol_choice::http_1_1);
    auto const begin = besieged::steady::now();
    auto const one = s.ask(request::post(s.server.url("/"), "order").deadline(200ms));
    s.client.until([&] { return one->over(); });
    BOOST_TEST(seconds_since(begin, *one) < 1);
    BOOST_REQUIRE(!*one->outcome);
    BOOST_TEST((one->outcome->error().code() == cond::timeout), one->outcome->error().to_string());
    BOOST_TEST((one->outcome->error().delivery() == delivery::maybe_processed));
    s.goes_elsewhere();
}

BOOST_AUTO_TEST_CASE(a_dead_peer_that_has_acknowledged_the_request_is_noticed)
{
    // K16
    rogue_server server(besieged::certificate(), takes_one_and_dies, rogue_server::good,
                        besieged::speaking(protocol_choice::http_1_1));
    besieged client({}, protocol_choice::http_1_1);
    auto const one = client.get(server.url("/"));
    client.until([&] { return server.struck().has_value(); });
    auto const fd = descriptor_to(server.port());
    shorten(fd, TCP_USER_TIMEOUT, 1000);
    shorten(fd, TCP_KEEPINTVL, 1);
    shorten(fd, TCP_KEEPIDLE, 1);
    client.until([&] { return one->over(); });
    BOOST_REQUIRE(!*one->outcome);
    BOOST_TEST((one->outcome->error().code() == net::errc::reset), one->outcome->error().to_string());
    BOOST_TEST((one->outcome->error().phase() == phase::first_byte));
    BOOST_TEST(seconds_since(*server.struck(), *one) < 3);
    auto const next = client.get(server.url("/"));
    client.until([&] { return next->over(); });
    BOOST_REQUIRE(*next->outcome);
    BOOST_TEST(!(*next->outcome)->reused());
}

BOOST_AUTO_TEST_CASE(a_dead_http2_peer_that_somebody_waits_for_is_pinged_and_given_up_after_20_seconds)
{
    // K16: 15 s of silence, 5 s for the answer
    http::client_options o;
    auto const time = std::make_shared<manual_clock>();
    o.time = time;
    after_one_answer s(protocol_choice::http_2, o);
    auto const one = s.ask();
    auto const other = s.ask();
    s.client.all_is_well();
    time->advance(15s);
    s.client.all_is_well();
    BOOST_TEST(!one->over());
    time->advance(5s);
    s.client.until([&] { return one->over() && other->over(); });
    for (auto const& each : {one, other}) {
        BOOST_REQUIRE(!*each->outcome);
        BOOST_TEST((each->outcome->error().code() == http::errc::not_responding), each->outcome->error().to_string());
        BOOST_TEST((each->outcome->error().delivery() == delivery::maybe_processed));
    }
    s.goes_elsewhere();
}

BOOST_AUTO_TEST_CASE(
    a_request_into_a_dead_http2_connection_ends_by_its_deadline_and_the_ping_that_follows_tells_of_the_peer)
{
    // K16, K18: the slot of the request that was given up is free once a PING has returned
    http::client_options o;
    auto const time = std::make_shared<manual_clock>();
    o.time = time;
    after_one_answer s(protocol_choice::http_2, o);
    auto const one = s.ask(request::get(s.server.url("/")).deadline(1s));
    s.client.all_is_well();
    time->advance(1s);
    s.client.until([&] { return one->over(); });
    BOOST_REQUIRE(!*one->outcome);
    BOOST_TEST((one->outcome->error().code() == cond::timeout), one->outcome->error().to_string());
    s.client.all_is_well();
    // A PING behind a reset may take as long as one that looks for life and the silence before it.
    time->advance(20s);
    s.client.all_is_well();
    s.goes_elsewhere();
}

// With all limits as they are; some 20 s.
BOOST_AUTO_TEST_CASE(a_dead_peer_is_noticed_within_20_seconds,
                     *boost::unit_test::precondition([](auto) { return std::getenv("JETON_TEST_LONG") != nullptr; }))
{
    // K16, J14
    rogue_server silent(besieged::certificate(), takes_one_and_dies, rogue_server::good,
                        besieged::speaking(protocol_choice::http_1_1));
    after_one_answer idle(protocol_choice::http_1_1);
    after_one_answer h1(protocol_choice::http_1_1);
    after_one_answer h2(protocol_choice::http_2);
    auto const begin = besieged::steady::now();
    auto const waiting = h1.ask(request::get(silent.url("/")).deadline(40s));
    auto const written = h1.ask(request::get(h1.server.url("/")).deadline(40s));
    auto const shared = h2.ask(request::get(h2.server.url("/")).deadline(40s));
    while (!waiting->over() || !written->over() || !shared->over() || descriptor_to(idle.server.port()) >= 0) {
        idle.client.io.run_one_for(5ms);
        h1.client.io.run_one_for(5ms);
        h2.client.io.run_one_for(5ms);
        BOOST_REQUIRE_MESSAGE(besieged::steady::now() - begin < 30s,
                              "not noticed: " << (waiting->over() ? "" : "by who waits; ")
                                              << (written->over() ? "" : "by who wrote; ")
                                              << (shared->over() ? "" : "over HTTP/2; ")
                                              << (descriptor_to(idle.server.port()) < 0 ? "" : "when idle"));
    }
    for (auto const& each : {waiting, written, shared}) {
        BOOST_TEST(!*each->outcome);
        BOOST_TEST(seconds_since(begin, *each) < 20);
        BOOST_TEST_MESSAGE(seconds_since(begin, *each) << " s: " << each->outcome->error().to_string());
    }
    BOOST_TEST((besieged::steady::now() - begin < 20s));  // the pool has noticed, though nobody asked anything
    idle.goes_elsewhere();
    h1.goes_elsewhere();
    h2.goes_elsewhere();
}

BOOST_AUTO_TEST_SUITE_END()
