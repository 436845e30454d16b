// SPDX-License-Identifier: BSL-1.0
#include "net/session_vault.hpp"

#include "net/peer_identity.hpp"
#include "net/tls_context.hpp"
#include "unit/net/tls_pair.hpp"

#include <jeton/net/error.hpp>

#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

constexpr char const* key = "api.example:443";

wall_time now() { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); }

// A client with sessions of its own, which dials one server or another.
struct dialler {
    explicit dialler(std::vector<std::string> alpn = {"http/1.1"})
        : context(client_that_trusts(test_root(), std::move(alpn)))
    {}

    /// \returns whether the session of an earlier connection was resumed
    bool dial(std::shared_ptr<net::tls_context> const& server, std::string const& host = "api.example",
              std::string const& under = key, wall_time at = now())
    {
        tls_pair p(server, host, context);
        p.client->resume_sessions_of(under, at);
        p.shake_hands();
        error = p.client_error();
        bool const resumed = !error && p.client->resumed();
        early_data_offered = SSL_get_early_data_status(p.client->native()) != SSL_EARLY_DATA_NOT_SENT;
        if (!error) {
            // What the server offers comes after its handshake.
            std::error_code none;
            tls_pair::read_all(*p.client, none);
            p.client->close();
        }
        return resumed;
    }

    net::session_vault& vault() const { return context->sessions(); }

    std::shared_ptr<net::tls_context const> context;
    std::error_code error{};
    bool early_data_offered = false;
};

std::shared_ptr<net::tls_context> old_server()
{
    auto const server = server_for(test_root().issue(for_names({"api.example"})));
    SSL_CTX_set_max_proto_version(server->native(), TLS1_2_VERSION);
    return server;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_session_vault)

BOOST_AUTO_TEST_CASE(the_second_connection_resumes_the_session_of_the_first)
{
    // M6, M5: and never sends early data
    dialler d;
    auto const server = ordinary_server();
    BOOST_TEST(!d.dial(server));
    BOOST_TEST(d.vault().size() == 2U);
    BOOST_TEST(d.dial(server));
    BOOST_TEST(!d.early_data_offered);
}

BOOST_AUTO_TEST_CASE(every_session_is_used_once_and_diallers_at_the_same_time_get_different_ones)
{
    dialler d;
    auto const server = ordinary_server();
    d.dial(server);
    auto const one = d.vault().take(key, net::peer_identity("api.example"), now());
    auto const two = d.vault().take(key, net::peer_identity("api.example"), now());
    auto const none = d.vault().take(key, net::peer_identity("api.example"), now());
    BOOST_TEST((one && two));
    BOOST_TEST(one != two);
    BOOST_TEST(!none);
    unsigned size = 0;
    std::string const first(reinterpret_cast<char const*>(SSL_SESSION_get_id(one.get(), &size)), 32);
    std::string const second(reinterpret_cast<char const*>(SSL_SESSION_get_id(two.get(), &size)), 32);
    BOOST_TEST(first != second);
}

BOOST_AUTO_TEST_CASE(a_session_of_tls_1_2_serves_more_than_once)
{
    dialler d;
    auto const server = old_server();
    BOOST_TEST(!d.dial(server));
    for (int i = 0; i != 3; ++i)
        BOOST_TEST(d.dial(server));
}

BOOST_AUTO_TEST_CASE(a_connection_that_was_reset_does_not_spoil_what_it_was_offered)
{
    dialler d;
    auto const server = ordinary_server();
    {
        tls_pair p(server, "api.example", d.context);
        p.client->resume_sessions_of(key, now());
        p.shake_hands();
        std::error_code error;
        tls_pair::read_all(*p.client, error);
        p.below_server->reset();
        tls_pair::read_all(*p.client, error);
        BOOST_TEST(error);
    }
    BOOST_TEST(d.dial(server));
}

BOOST_AUTO_TEST_CASE(sessions_of_another_host_or_port_are_not_resumed)
{
    // M6
    dialler d;
    auto const server = server_for(test_root().issue(for_names({"api.example", "other.example"})));
    d.dial(server);
    BOOST_TEST(!d.dial(server, "api.example", "api.example:8443"));
    BOOST_TEST(!d.dial(server, "other.example", "other.example:443"));
    BOOST_TEST(d.dial(server));
}

BOOST_AUTO_TEST_CASE(a_session_whose_certificate_is_for_somebody_else_is_not_resumed)
{
    // M6: even if it were kept in the wrong place
    dialler d;
    auto const server = ordinary_server();
    d.dial(server);
    BOOST_TEST(!d.dial(server, "other.example"));
    BOOST_CHECK(d.error == net::errc::certificate_name);
}

BOOST_AUTO_TEST_CASE(a_session_whose_certificate_has_run_out_meanwhile_is_not_resumed)
{
    // M6
    auto request = for_names({"api.example"});
    request.valid_until = 1h;
    auto const server = server_for(test_root().issue(request));
    SSL_CTX_set_timeout(server->native(), 24 * 3600);
    dialler d;
    d.dial(server);
    BOOST_TEST(!d.dial(server, "api.example", key, now() + 61min));
    d.dial(server);
    BOOST_TEST(d.dial(server, "api.example", key, now() + 59min));
}

BOOST_AUTO_TEST_CASE(a_session_lives_as_long_as_the_server_says_and_a_day_at_most)
{
    for (auto const& [said, counts] : {std::pair{600s, 600s}, std::pair{7 * 24 * 3600s, 24 * 3600s}}) {
        auto const server = ordinary_server();
        SSL_CTX_set_timeout(server->native(), said.count());
        dialler d;
        d.dial(server);
        BOOST_TEST(!d.dial(server, "api.example", key, now() + counts + 2s));
        d.dial(server);
        BOOST_TEST(d.dial(server, "api.example", key, now() + counts - 10s));
    }
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_resumes_nothing)
{
    dialler d;
    d.dial(ordinary_server());
    BOOST_TEST(!d.dial(ordinary_server(), "api.example", key, now() - 1h));
}

BOOST_AUTO_TEST_CASE(a_server_that_has_forgotten_the_session_is_verified_in_full)
{
    // M6: nothing that was verified once vouches for another server
    dialler d;
    d.dial(ordinary_server());
    auto const stranger = certificate_authority::make("nobody");
    auto const impostor = server_for(stranger.issue(for_names({"api.example"})));
    BOOST_TEST(!d.dial(impostor));
    BOOST_CHECK(d.error == net::errc::certificate_issuer_unknown);
    BOOST_TEST(!d.dial(server_for(test_root().issue(for_names({"api.example"})))));
    BOOST_CHECK(!d.error);
}

BOOST_AUTO_TEST_CASE(each_configuration_has_its_own)
{
    // M6: CA set, ALPN: whatever is in tls_options
    dialler one;
    dialler another({"http/1.1", "x"});
    auto const server = ordinary_server();
    one.dial(server);
    BOOST_TEST(!another.dial(server));
    BOOST_TEST(one.dial(server));
}

BOOST_AUTO_TEST_CASE(the_oldest_make_room)
{
    dialler d;
    d.dial(ordinary_server());
    auto const some = d.vault().take(key, net::peer_identity("api.example"), now());
    BOOST_REQUIRE(some);
    for (std::size_t i = 0; i != 2 * net::session_vault::most_of_one_key; ++i)
        d.vault().put(key, some.get());
    BOOST_TEST(d.vault().size() == net::session_vault::most_of_one_key);

    for (std::size_t i = 0; i != net::session_vault::most_keys; ++i)
        d.vault().put("host" + std::to_string(i), some.get());
    BOOST_TEST(d.vault().size() == net::session_vault::most_keys);
    BOOST_TEST(!d.vault().take(key, net::peer_identity("api.example"), now()));
    BOOST_TEST(d.vault().take("host0", net::peer_identity("api.example"), now()));
}

BOOST_AUTO_TEST_SUITE_END()
