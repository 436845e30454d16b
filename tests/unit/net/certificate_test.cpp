// SPDX-License-Identifier: BSL-1.0
#include "unit/net/tls_pair.hpp"

#include <jeton/base/condition.hpp>

#include <stdexcept>

using namespace jeton;
using namespace jeton::testing;

namespace {

/// A handshake that has to fail; whatever the client is asked to send afterwards, nothing of it reaches the server.
std::error_code refused(tls_pair& p)
{
    p.shake_hands();
    auto const code = p.client_error();
    BOOST_TEST(!p.client_result);
    if (p.client_result)
        return code;
    BOOST_CHECK(p.client_result.error().phase() == phase::tls);
    BOOST_CHECK(p.client_result.error().safe_to_resend());
    BOOST_TEST(p.client->write_some("GET / HTTP/1.1\r\n\r\n").bytes == 0U);
    p.client->close();
    std::error_code at_server;
    BOOST_TEST(tls_pair::read_all(*p.server, at_server).empty());
    BOOST_TEST(bool(at_server));
    return code;
}

std::error_code refused(issued_certificate const& certificate, std::string const& host = "api.example")
{
    tls_pair p(server_for(certificate), host);
    return refused(p);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_certificate)

// M1
BOOST_AUTO_TEST_CASE(a_certificate_is_held_against_the_host)
{
    struct {
        char const* host;
        std::vector<std::string> names;
        std::vector<std::string> addresses;
        bool good;
    } const table[] = {
        {"api.example", {"api.example"}, {}, true},
        {"API.example", {"api.EXAMPLE"}, {}, true},
        {"api.example", {"www.example", "api.example"}, {}, true},
        {"api.example", {"www.example"}, {}, false},
        {"api.example", {"example"}, {}, false},
        {"example", {"api.example"}, {}, false},
        {"api.example.test", {"api.example"}, {}, false},
        {"api.example", {}, {}, false},
        // The dot that ends a name is no part of it, but only one is.
        {"api.example.", {"api.example"}, {}, true},
        {"api.example..", {"api.example"}, {}, false},
        // Wildcards: the whole left-most label, for exactly one label.
        {"api.a.example", {"*.a.example"}, {}, true},
        {"v1.api.a.example", {"*.a.example"}, {}, false},
        {"a.example", {"*.a.example"}, {}, false},
        {"api.a.example", {"a*.a.example"}, {}, false},
        {"api.a.example", {"*i.a.example"}, {}, false},
        {"api.a.example", {"a*i.a.example"}, {}, false},
        {"api.a.example", {"api.*.example"}, {}, false},
        {"api.a.example", {"*"}, {}, false},
        {"api.a.example", {"*.*.example"}, {}, false},
        {"api.example", {"*.example"}, {}, false},  // a whole top-level domain
        {"xn--bcher-kva.a.example", {"xn--bcher-kva.a.example"}, {}, true},
        {"xn--bcher-kva.a.example", {"xn--*.a.example"}, {}, false},
        {"xn--bcher-kva.a.example",
         {"b\xc3\xbc"
          "cher.a.example"},
         {},
         false},
        {"b\xc3\xbc"
         "cher.a.example",
         {"xn--bcher-kva.a.example"},
         {},
         false},
        // No name that OpenSSL would take for any name.
        {"", {"api.example"}, {}, false},
        {".", {"api.example"}, {}, false},
        {".example", {"api.example"}, {}, false},
        // Addresses are for addresses.
        {"192.0.2.1", {}, {"192.0.2.1"}, true},
        {"192.0.2.1", {}, {"192.0.2.2"}, false},
        {"192.0.2.1", {"192.0.2.1"}, {}, false},
        {"192.0.2.1", {"*.0.2.1"}, {}, false},
        {"192.0.2.1", {"*"}, {}, false},
        {"2001:db8::1", {}, {"2001:db8:0:0::1"}, true},
        {"2001:db8::1", {}, {"2001:db8::2"}, false},
        {"fe80::1%1", {}, {"fe80::1"}, true},
        {"api.example", {}, {"192.0.2.1"}, false},
    };
    for (auto const& row : table) {
        BOOST_TEST_CONTEXT("host " << row.host << ", certificate for " << (row.names.empty() ? "" : row.names.front())
                                   << ' ' << (row.addresses.empty() ? "" : row.addresses.front()))
        {
            certificate_request request;
            request.names = row.names;
            request.addresses = row.addresses;
            request.common_name = row.host;  // never counts, so it must not help
            if (*row.host == '\0')
                request.common_name = "api.example";
            tls_pair p(server_for(test_root().issue(request)), row.host);
            if (row.good) {
                p.shake_hands();
                BOOST_TEST(bool(p.client_result));
            } else {
                BOOST_TEST(refused(p) == net::errc::certificate_name);
            }
        }
    }
}

// M1
BOOST_AUTO_TEST_CASE(a_common_name_does_not_count)
{
    certificate_request request;
    request.common_name = "api.example";
    BOOST_TEST(refused(test_root().issue(request)) == net::errc::certificate_name);
}

// M1
BOOST_AUTO_TEST_CASE(a_name_with_a_nul_in_it_is_not_its_beginning)
{
    using namespace std::string_literals;
    BOOST_TEST(refused(test_root().issue(for_names({"api.example\0.evil.example"s}))) == net::errc::certificate_name);
}

// M2
BOOST_AUTO_TEST_CASE(an_expired_certificate_is_refused)
{
    auto request = for_names({"api.example"});
    request.valid_from = -std::chrono::hours(48);
    request.valid_until = -std::chrono::minutes(1);
    BOOST_TEST(refused(test_root().issue(request)) == net::errc::certificate_expired);
}

// M2
BOOST_AUTO_TEST_CASE(a_certificate_of_the_future_is_refused)
{
    auto request = for_names({"api.example"});
    request.valid_from = std::chrono::minutes(10);
    BOOST_TEST(refused(test_root().issue(request)) == net::errc::certificate_not_yet_valid);
}

// M2
BOOST_AUTO_TEST_CASE(a_self_signed_certificate_is_refused)
{
    BOOST_TEST(refused(self_signed(for_names({"api.example"}))) == net::errc::certificate_self_signed);
}

// M2
BOOST_AUTO_TEST_CASE(a_certificate_of_an_unknown_authority_is_refused)
{
    auto const rogue = certificate_authority::make("rogue");
    BOOST_TEST(refused(rogue.issue(for_names({"api.example"}))) == net::errc::certificate_issuer_unknown);
}

// M2
BOOST_AUTO_TEST_CASE(an_authority_of_the_same_name_is_not_the_same)
{
    auto const rogue = certificate_authority::make("test root");
    BOOST_TEST(bool(refused(rogue.issue(for_names({"api.example"})))));
}

// M2
BOOST_AUTO_TEST_CASE(a_chain_with_its_intermediate_is_good_and_without_it_is_refused)
{
    auto whole = test_root().subordinate("between").issue(for_names({"api.example"}));
    tls_pair p(server_for(whole));
    p.shake_hands();
    BOOST_TEST(bool(p.client_result));

    whole.chain.resize(whole.chain.find("-----BEGIN", 1));
    BOOST_TEST(refused(whole) == net::errc::certificate_issuer_unknown);
}

// M2
BOOST_AUTO_TEST_CASE(a_certificate_for_clients_is_refused)
{
    auto request = for_names({"api.example"});
    request.purpose = certificate_request::purpose_kind::client;
    BOOST_TEST(refused(test_root().issue(request)) == net::errc::certificate_purpose);
}

// M2, M3
BOOST_AUTO_TEST_CASE(a_key_that_is_too_short_is_refused)
{
    auto request = for_names({"api.example"});
    request.key = certificate_request::key_kind::rsa_1024;
    BOOST_TEST(refused(test_root().issue(request)) == net::errc::certificate_weak);
    request.key = certificate_request::key_kind::rsa_2048;
    tls_pair p(server_for(test_root().issue(request)));
    p.shake_hands();
    BOOST_TEST(bool(p.client_result));
}

// M2
BOOST_AUTO_TEST_CASE(a_signature_with_sha1_is_refused)
{
    auto request = for_names({"api.example"});
    request.digest = certificate_request::digest_kind::sha1;
    BOOST_TEST(refused(test_root().issue(request)) == net::errc::certificate_weak);
}

// M2
BOOST_AUTO_TEST_CASE(a_breach_of_a_name_constraint_is_refused)
{
    certificate_request constraint;
    constraint.permitted = {"allowed.example"};
    auto const narrow = test_root().subordinate("narrow", constraint);
    BOOST_TEST(refused(narrow.issue(for_names({"api.example"}))) == net::errc::certificate_constraint);

    tls_pair p(server_for(narrow.issue(for_names({"api.allowed.example"}))), "api.allowed.example");
    p.shake_hands();
    BOOST_TEST(bool(p.client_result));
}

// M2
BOOST_AUTO_TEST_CASE(a_refusal_says_why_and_what_was_presented)
{
    auto request = for_names({"other.example", "evil\n.example"});
    request.addresses = {"192.0.2.7", "2001:db8::7"};
    tls_pair p(server_for(test_root().issue(request)));
    refused(p);
    auto const& diag = p.client_result.error().diag();
    BOOST_TEST(diag.ours.find("another host") != std::string::npos, diag.ours);
    BOOST_TEST(diag.ours.find("evil") == std::string::npos, diag.ours);
    for (auto const* part : {"other.example", "192.0.2.7", "2001:db8::7", "test root", "until 20"})
        BOOST_TEST(diag.peer_text.find(part) != std::string::npos, diag.peer_text);
    BOOST_TEST(diag.peer_text.find('\n') == std::string::npos, diag.peer_text);
    BOOST_CHECK(p.client_result.error().code() != cond::transient);
}

// T5
BOOST_AUTO_TEST_CASE(the_environment_has_no_say)
{
    // A CA that SSL_CERT_FILE names, as by a shell that was set up for something else, is not trusted.
    auto const rogue = certificate_authority::make("ambient");
    std::string const file = "jeton-ambient-ca.pem";
    {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> const out(std::fopen(file.c_str(), "w"), std::fclose);
        BOOST_REQUIRE(out);
        std::fputs(rogue.pem().c_str(), out.get());
    }
    ::setenv("SSL_CERT_FILE", file.c_str(), 1);
    auto const ambient = net::tls_context::client(net::tls_options());
    tls_pair p(server_for(rogue.issue(for_names({"api.example"}))), "api.example", ambient);
    BOOST_CHECK(refused(p) == net::errc::certificate_issuer_unknown);
    ::unsetenv("SSL_CERT_FILE");

    // The same file is trusted when it is said so.
    net::tls_options said;
    said.ca_file = file;
    tls_pair q(server_for(rogue.issue(for_names({"api.example"}))), "api.example", net::tls_context::client(said));
    q.shake_hands();
    BOOST_TEST(bool(q.client_result));
    std::remove(file.c_str());
}

BOOST_AUTO_TEST_CASE(options_that_cannot_be_used_are_refused_at_once)
{
    net::tls_options options;
    options.alpn.clear();
    BOOST_CHECK_THROW(net::tls_context::client(options), std::invalid_argument);
    options.alpn = {""};
    BOOST_CHECK_THROW(net::tls_context::client(options), std::invalid_argument);
    options.alpn = {"http/1.1"};
    options.ca_file = "/nowhere/at/all.pem";
    BOOST_CHECK_THROW(net::tls_context::client(options), std::invalid_argument);
    options.ca_file.clear();
    options.ca_pem = "not a certificate";
    BOOST_CHECK_THROW(net::tls_context::client(options), std::invalid_argument);
    options.ca_pem = test_root().pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    BOOST_CHECK_THROW(net::tls_context::client(options), std::invalid_argument);
    options.ca_pem = test_root().pem() + certificate_authority::make("second").pem();
    BOOST_CHECK_NO_THROW(net::tls_context::client(options));
    BOOST_CHECK_THROW(net::tls_context::server("x", "y"), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
