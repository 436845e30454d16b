// SPDX-License-Identifier: BSL-1.0
#include "net/tcp_stream.hpp"
#include "unit/net/loopback.hpp"
#include "unit/net/tls_pair.hpp"

#include <jeton/http/client.hpp>

#include <string>

using namespace jeton;
using namespace jeton::testing;
using http::request;
using http::response;

namespace {

certificate_request for_this_machine()
{
    certificate_request r;
    r.addresses = {"127.0.0.1"};
    return r;
}

// A server that has seen enough after 64 KiB of an upload.
struct impatient_server {
    explicit impatient_server(loopback& l) : at(l) {}

    // \returns how much of the upload it has read
    asio::awaitable<std::size_t> serve(std::string answer)
    {
        auto socket = co_await at.listener.async_accept(asio::use_awaitable);
        net::tls_stream tls(std::make_unique<net::tcp_stream>(std::move(socket)), context);
        auto const shaken = co_await tls.handshake();
        BOOST_TEST(bool(shaken));
        std::size_t seen = 0;
        char buffer[4096];
        while (seen < 64 * 1024) {
            auto const m = tls.read_some(buffer);
            BOOST_REQUIRE(!m.error);
            seen += m.bytes;
            if (m.would_block())
                (void)co_await tls.ready(net::stream::direction::read);
        }
        for (std::string_view left = answer; !left.empty();) {
            auto const m = tls.write_some(left);
            BOOST_REQUIRE(!m.error);
            left.remove_prefix(m.bytes);
            if (m.would_block())
                (void)co_await tls.ready(net::stream::direction::write);
        }
        // Much of the upload has been received and not read: this ends in a reset.
        tls.close();
        co_return seen;
    }

    loopback& at;
    std::shared_ptr<net::tls_context> context = server_for(test_root().issue(for_this_machine()));
};

}  // namespace

BOOST_AUTO_TEST_SUITE(component_early_answer)

BOOST_AUTO_TEST_CASE(an_upload_that_is_refused_on_the_way_gets_its_answer_although_the_connection_is_reset)
{
    // J17: over TLS on a real socket, where the next write may fail before the answer has been looked at.
    loopback l;
    impatient_server server(l);
    http::client_options options;
    options.tls.ca_pem = test_root().pem();
    http::client api(serial(l.io), options);
    auto const url = "https://127.0.0.1:" + std::to_string(l.port()) + "/upload";
    std::string const body(4'000'000, 'x');
    for (std::size_t const length : {std::size_t(0), std::size_t(20'000)}) {
        for (int i = 0; i != 10; ++i) {
            std::string const refused(length, 'n');
            auto text = "HTTP/1.1 413 Content Too Large\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
            started<std::size_t> served(l.io, server.serve(text + refused));
            started<result<response>> one(l.io, api.send(request::post(url, body)));
            BOOST_REQUIRE(l.until([&] { return one.done() && served.done(); }));
            if (!one.outcome())
                BOOST_FAIL(one.outcome().error().to_string());
            BOOST_TEST(one.outcome()->status() == 413);
            BOOST_TEST((one.outcome()->text() == refused));
            BOOST_TEST(served.outcome() < body.size());
        }
    }
    BOOST_TEST(api.snapshot().at(0).busy == 0u);
    BOOST_TEST(api.snapshot().at(0).idle == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
