// SPDX-License-Identifier: BSL-1.0
#include "unit/net/tls_pair.hpp"

#include <jeton/base/condition.hpp>

#include <openssl/ssl.h>

#include <map>

using namespace jeton;
using namespace jeton::testing;
using direction = net::stream::direction;
using silence = net::stream::silence;

namespace {

/// The extensions of a ClientHello (RFC 8446 §4.1.2), by type.
std::map<unsigned, std::string> extensions_of(std::string_view record)
{
    auto const number = [&](std::size_t bytes) {
        unsigned n = 0;
        for (; bytes != 0; --bytes, record.remove_prefix(1))
            n = n << 8 | static_cast<unsigned char>(record.front());
        return n;
    };
    record.remove_prefix(5 + 4 + 2 + 32);  // record, handshake, version, random
    record.remove_prefix(number(1));       // session
    record.remove_prefix(number(2));       // ciphers
    record.remove_prefix(number(1));       // compression
    number(2);
    std::map<unsigned, std::string> all;
    while (record.size() >= 4) {
        auto const type = number(2);
        auto const size = number(2);
        all[type] = record.substr(0, size);
        record.remove_prefix(size);
    }
    return all;
}

std::map<unsigned, std::string> extensions_for(std::string const& host)
{
    tls_pair p(ordinary_server(), host);
    started<result<void>> c(p.io, p.client->handshake());
    settle(p.io);
    auto all = extensions_of(p.below_server->take());
    c.cancel();
    settle(p.io);
    return all;
}

constexpr unsigned server_name = 0;
constexpr unsigned alpn = 16;
constexpr unsigned pre_shared_key = 41;
constexpr unsigned early_data = 42;
constexpr unsigned post_handshake_auth = 49;

net::stream::moved read_one(net::stream& from)
{
    char one[1];
    return from.read_some(one);
}

void update_keys(tls_pair& p, int times)
{
    for (int i = 0; i != times; ++i) {
        BOOST_REQUIRE(SSL_key_update(p.server->native(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
        BOOST_REQUIRE(SSL_do_handshake(p.server->native()) == 1);
    }
}

int always_h2(SSL*, unsigned char const** chosen, unsigned char* size, unsigned char const*, unsigned, void*)
{
    *chosen = reinterpret_cast<unsigned char const*>("h2");
    *size = 2;
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_tls_stream)

BOOST_AUTO_TEST_CASE(bytes_go_both_ways)
{
    tls_pair p;
    p.shake_hands();
    BOOST_REQUIRE((p.client_result && p.server_result));
    BOOST_TEST(p.client->protocol() == "http/1.1");
    BOOST_TEST(p.server->protocol() == "http/1.1");
    BOOST_TEST(p.client->write_some("ping").bytes == 4U);
    std::error_code error;
    BOOST_TEST(tls_pair::read_all(*p.server, error) == "ping");
    BOOST_TEST(!error);
    BOOST_TEST(p.server->write_some("pong").bytes == 4U);
    BOOST_TEST(tls_pair::read_all(*p.client, error) == "pong");
    BOOST_TEST(!error);
}

BOOST_AUTO_TEST_CASE(it_works_byte_by_byte_and_through_a_narrow_window)
{
    tls_pair p;
    p.below_client->split(1);
    started<result<void>> c(p.io, p.client->handshake());
    started<result<void>> s(p.io, p.server->handshake());
    settle(p.io);
    BOOST_REQUIRE((c.done() && c.outcome() && s.done() && s.outcome()));

    std::error_code none;
    tls_pair::read_all(*p.client, none);  // tickets
    p.below_client->window(7);
    p.below_server->window(7);

    std::string const sent(5000, 'x');
    std::string got;
    std::string_view left = sent;
    for (int turns = 0; got.size() != sent.size() && turns != 100'000; ++turns) {
        if (!left.empty()) {
            auto const m = p.client->write_some(left);
            BOOST_REQUIRE(!m.error);
            left.remove_prefix(m.bytes);
        }
        std::error_code error;
        got += tls_pair::read_all(*p.server, error);
        BOOST_REQUIRE(!error);
    }
    BOOST_TEST(got == sent);
}

BOOST_AUTO_TEST_CASE(one_write_is_one_record_and_what_is_longer_takes_more_writes)
{
    tls_pair p;
    p.shake_hands();
    auto const before = p.client->bytes_sent();
    BOOST_TEST(p.client->write_some(std::string(16'384, 'x')).bytes == 16'384U);
    BOOST_TEST(p.client->bytes_sent() - before == 16'384U + 5 + 1 + 16);
    BOOST_TEST(p.client->write_some(std::string(40'000, 'x')).bytes == 16'384U);
}

BOOST_AUTO_TEST_CASE(a_blocked_write_goes_on_from_elsewhere_in_memory)
{
    tls_pair p;
    p.shake_hands();
    p.below_server->take();
    p.below_server->window(10);
    auto text = std::make_unique<std::string>(1000, 'x');
    auto const before = p.client->bytes_sent();
    BOOST_TEST(p.client->write_some(*text).would_block());
    BOOST_TEST(p.client->bytes_sent() == before + 10);  // part of a record counts as sent
    text = std::make_unique<std::string>(1000, 'x');
    p.below_server->window(100'000);
    BOOST_TEST(p.client->write_some(*text).bytes == 1000U);
    std::error_code error;
    BOOST_TEST(tls_pair::read_all(*p.server, error) == *text);
}

BOOST_AUTO_TEST_CASE(a_wait_for_what_was_read_ahead_does_not_wait)
{
    tls_pair p;
    p.shake_hands();
    p.server->write_some("one");
    p.server->write_some("two");
    char three[3];
    BOOST_TEST(p.client->read_some(three).bytes == 3U);
    started<std::error_code> wait(p.io, p.client->ready(direction::read));
    settle(p.io);
    BOOST_TEST(wait.done());
    BOOST_TEST(p.client->read_some(three).bytes == 3U);
}

BOOST_AUTO_TEST_CASE(half_a_record_does_not_end_a_wait_again_and_again)
{
    tls_pair p;
    p.shake_hands();
    p.server->write_some("hello");
    auto const record = p.below_client->take();
    p.below_server->put(record.substr(0, 8));
    BOOST_TEST(read_one(*p.client).would_block());
    started<std::error_code> wait(p.io, p.client->ready(direction::read));
    settle(p.io);
    BOOST_TEST(!wait.done());
    p.below_server->put(record.substr(8));
    settle(p.io);
    BOOST_TEST(wait.done());
    BOOST_TEST(read_one(*p.client).bytes == 1U);
}

BOOST_AUTO_TEST_CASE(errors_that_others_left_on_the_thread_are_not_ours)
{
    tls_pair p;
    p.shake_hands();
    BOOST_TEST(
        SSL_CTX_load_verify_file(p.server->native() != nullptr ? ordinary_client()->native() : nullptr, "/nowhere")
        == 0);
    BOOST_TEST(read_one(*p.client).would_block());
}

// M3
BOOST_AUTO_TEST_CASE(a_server_that_speaks_old_versions_only_is_refused)
{
    auto const old = ordinary_server();
    SSL_CTX_set_cipher_list(old->native(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(old->native(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old->native(), TLS1_1_VERSION);
    tls_pair p(old);
    p.shake_hands();
    BOOST_TEST(p.client_error() == net::errc::tls_protocol);
    BOOST_TEST(p.client_result.error().diag().peer_code == "protocol version");
}

// M3
BOOST_AUTO_TEST_CASE(a_server_without_authenticated_encryption_or_ephemeral_keys_is_refused)
{
    for (auto const* ciphers :
         {"ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256"}) {
        auto request = for_names({"api.example"});
        request.key = std::string_view(ciphers).starts_with("ECDHE-ECDSA") ? certificate_request::key_kind::p256
                                                                           : certificate_request::key_kind::rsa_2048;
        auto const poor = server_for(test_root().issue(request));
        SSL_CTX_set_max_proto_version(poor->native(), TLS1_2_VERSION);
        BOOST_REQUIRE(SSL_CTX_set_cipher_list(poor->native(), ciphers) == 1);
        tls_pair p(poor);
        p.shake_hands();
        BOOST_TEST(p.client_error() == net::errc::tls_protocol, ciphers);
    }
}

// M3
BOOST_AUTO_TEST_CASE(tls_1_3_is_preferred_and_1_2_is_enough)
{
    tls_pair newest;
    newest.shake_hands();
    BOOST_TEST(SSL_version(newest.client->native()) == TLS1_3_VERSION);

    auto const server = ordinary_server();
    SSL_CTX_set_max_proto_version(server->native(), TLS1_2_VERSION);
    tls_pair p(server);
    p.shake_hands();
    BOOST_REQUIRE(bool(p.client_result));
    BOOST_TEST(SSL_version(p.client->native()) == TLS1_2_VERSION);
    BOOST_TEST(p.server->write_some("hello").bytes == 5U);
    std::error_code error;
    BOOST_TEST(tls_pair::read_all(*p.client, error) == "hello");
}

// M3
BOOST_AUTO_TEST_CASE(nobody_is_let_renegotiate)
{
    auto const server = ordinary_server();
    SSL_CTX_set_max_proto_version(server->native(), TLS1_2_VERSION);
    SSL_CTX_clear_options(server->native(), SSL_OP_NO_RENEGOTIATION);
    tls_pair p(server);
    p.shake_hands();
    BOOST_REQUIRE(bool(p.client_result));
    BOOST_REQUIRE(SSL_renegotiate(p.server->native()) == 1);
    SSL_do_handshake(p.server->native());
    p.below_server->split(0);
    BOOST_TEST(read_one(*p.client).bytes == 0U);
    BOOST_TEST(bool(read_one(*p.server).error));
}

// M4
BOOST_AUTO_TEST_CASE(a_name_is_sent_to_the_server_and_an_address_is_not)
{
    auto const named = extensions_for("api.example.");
    BOOST_REQUIRE(named.contains(server_name));
    BOOST_TEST(named.at(server_name)
                   .ends_with(std::string_view("\0\x0b"
                                               "api.example",
                                               13)));
    BOOST_TEST(!extensions_for("192.0.2.1").contains(server_name));
    BOOST_TEST(!extensions_for("2001:db8::1").contains(server_name));
}

// M4
BOOST_AUTO_TEST_CASE(protocols_are_always_offered)
{
    for (auto const* host : {"api.example", "192.0.2.1"}) {
        auto const all = extensions_for(host);
        BOOST_REQUIRE(all.contains(alpn));
        BOOST_TEST(all.at(alpn) == std::string_view("\0\x09\x08http/1.1", 11));
    }
}

// K17: RFC 9113 §9.2 wants TLS 1.2 at least; its Appendix A forbids every suite without ephemeral keys or authenticated encryption.
BOOST_AUTO_TEST_CASE(http2_is_agreed_upon_over_suites_that_it_allows)
{
    static auto const certificate = test_root().issue(for_names({"api.example"}));
    tls_pair p(server_for(certificate, {"h2", "http/1.1"}), "api.example",
               client_that_trusts(test_root(), {"h2", "http/1.1"}));
    p.shake_hands();
    BOOST_TEST(p.client->protocol() == "h2");
    auto const* const offered = SSL_get_ciphers(p.client->native());
    BOOST_REQUIRE(sk_SSL_CIPHER_num(offered) > 0);
    for (int i = 0; i != sk_SSL_CIPHER_num(offered); ++i) {
        auto const* const each = sk_SSL_CIPHER_value(offered, i);
        BOOST_TEST(SSL_CIPHER_is_aead(each) == 1);
        auto const exchange = SSL_CIPHER_get_kx_nid(each);
        BOOST_TEST((exchange == NID_kx_ecdhe || exchange == NID_kx_any), SSL_CIPHER_get_name(each));
    }
    BOOST_TEST(SSL_get_min_proto_version(p.client->native()) >= TLS1_2_VERSION);

    tls_pair old(server_for(certificate, {"http/1.1"}), "api.example",
                 client_that_trusts(test_root(), {"h2", "http/1.1"}));
    old.shake_hands();
    BOOST_TEST(old.client->protocol() == "http/1.1");
}

// M4
BOOST_AUTO_TEST_CASE(one_connection_may_offer_less_than_the_others)
{
    auto const certificate = test_root().issue(for_names({"api.example"}));
    auto const both = client_that_trusts(test_root(), {"h2", "http/1.1"});
    tls_pair less(server_for(certificate, {"h2", "http/1.1"}), "api.example", both);
    less.client->offer_only("http/1.1");
    less.shake_hands();
    BOOST_TEST(less.client->protocol() == "http/1.1");
    tls_pair all(server_for(certificate, {"h2", "http/1.1"}), "api.example", both);
    all.shake_hands();
    BOOST_TEST(all.client->protocol() == "h2");
    BOOST_TEST_CONTEXT("and is not given more than that")
    {
        auto const stubborn = server_for(certificate);
        SSL_CTX_set_alpn_select_cb(stubborn->native(), always_h2, nullptr);
        tls_pair p(stubborn, "api.example", both);
        p.client->offer_only("http/1.1");
        p.shake_hands();
        BOOST_TEST(p.client_error() == net::errc::tls_alpn);
    }
}

// M4
BOOST_AUTO_TEST_CASE(a_protocol_that_was_not_offered_is_refused)
{
    auto const server = ordinary_server();
    SSL_CTX_set_alpn_select_cb(server->native(), always_h2, nullptr);
    tls_pair p(server);
    p.shake_hands();
    BOOST_TEST(p.client_error() == net::errc::tls_alpn);
    BOOST_TEST(p.client->write_some("x").bytes == 0U);
    BOOST_TEST(p.client->protocol() == "");
}

namespace {

int select_nothing_and_say_so(SSL*, unsigned char const**, unsigned char*, unsigned char const*, unsigned, void*)
{
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

// M4
BOOST_AUTO_TEST_CASE(a_server_that_selects_nothing_is_refused_if_http_1_1_was_not_offered)
{
    auto const certificate = test_root().issue(for_names({"api.example"}));
    auto const loud = server_for(certificate);
    SSL_CTX_set_alpn_select_cb(loud->native(), select_nothing_and_say_so, nullptr);
    for (auto const& server : {server_for(certificate, {}), loud}) {
        tls_pair p(server, "api.example", client_that_trusts(test_root(), {"h2"}));
        p.shake_hands();
        BOOST_TEST(p.client_error() == net::errc::tls_alpn);
        BOOST_TEST(p.client->write_some("x").bytes == 0U);
    }
}

// M4
BOOST_AUTO_TEST_CASE(a_server_that_selects_nothing_is_fine)
{
    auto const certificate = test_root().issue(for_names({"api.example"}));
    for (auto const& theirs : {std::vector<std::string>(), std::vector<std::string>{"h3"}}) {
        tls_pair p(server_for(certificate, theirs));
        p.shake_hands();
        BOOST_TEST(bool(p.client_result));
        BOOST_TEST(p.client->protocol() == "");
    }
}

// M5
BOOST_AUTO_TEST_CASE(early_data_is_never_used)
{
    auto const all = extensions_for("api.example");
    BOOST_TEST(!all.contains(early_data));
    BOOST_TEST(!all.contains(pre_shared_key));
    BOOST_TEST(!all.contains(post_handshake_auth));

    auto const server = ordinary_server();
    SSL_CTX_set_max_early_data(server->native(), 16'384);
    for (int visit = 0; visit != 2; ++visit) {
        tls_pair p(server);
        p.shake_hands();
        BOOST_REQUIRE(bool(p.client_result));
        p.server->write_some("x");
        std::error_code error;
        tls_pair::read_all(*p.client, error);
        BOOST_TEST(SSL_get_early_data_status(p.client->native()) == SSL_EARLY_DATA_NOT_SENT);
    }
}

// M7
BOOST_AUTO_TEST_CASE(a_close_notify_is_an_orderly_end)
{
    tls_pair p;
    p.shake_hands();
    p.server->write_some("last");
    p.server->close();
    std::error_code error;
    BOOST_TEST(tls_pair::read_all(*p.client, error) == "last");
    BOOST_TEST(error == net::errc::closed);
    BOOST_TEST(read_one(*p.client).error == net::errc::closed);
}

// M7
BOOST_AUTO_TEST_CASE(an_end_without_close_notify_is_a_truncation)
{
    tls_pair p;
    p.shake_hands();
    p.server->write_some("half");
    p.below_server->end();
    std::error_code error;
    BOOST_TEST(tls_pair::read_all(*p.client, error) == "half");
    BOOST_TEST(error == net::errc::truncated);
    BOOST_TEST(read_one(*p.client).error == net::errc::truncated);
    BOOST_TEST(p.client->write_some("x").bytes == 0U);
}

BOOST_AUTO_TEST_CASE(a_cut_connection_is_a_reset)
{
    tls_pair p;
    p.shake_hands();
    p.below_server->reset();
    BOOST_TEST(read_one(*p.client).error == net::errc::reset);
    tls_pair q;
    q.shake_hands();
    q.below_server->reset();
    BOOST_TEST(q.client->write_some("x").error == net::errc::reset);
}

BOOST_AUTO_TEST_CASE(what_the_peer_said_before_a_write_failed_can_still_be_read)
{
    // J17: the answer that refuses the rest of an upload.
    tls_pair p;
    p.shake_hands();
    p.server->write_some("no more of it");
    p.server->close();
    BOOST_TEST(p.client->write_some("more").error == net::errc::reset);
    BOOST_TEST(p.client->write_some("more").error == net::errc::reset);
    started<std::error_code> readable(p.io, p.client->ready(direction::read));
    settle(p.io);
    BOOST_TEST(readable.done());
    std::error_code error;
    BOOST_TEST(tls_pair::read_all(*p.client, error) == "no more of it");
    BOOST_TEST(error == net::errc::closed);
    BOOST_CHECK(p.client->check_silence() == silence::over);
}

BOOST_AUTO_TEST_CASE(what_was_read_ahead_outlives_a_reset)
{
    // J17
    tls_pair p;
    p.shake_hands();
    p.server->write_some("abc");
    p.server->write_some("def");
    BOOST_TEST(read_one(*p.client).bytes == 1U);
    p.below_server->reset();
    BOOST_TEST(p.client->write_some("more").error == net::errc::reset);
    started<std::error_code> writable(p.io, p.client->ready(direction::write));
    settle(p.io);
    BOOST_TEST(writable.done());
    std::error_code error;
    BOOST_TEST(tls_pair::read_all(*p.client, error) == "bcdef");
    BOOST_TEST(error == net::errc::reset);
    BOOST_TEST(p.client->write_some("more").error == net::errc::reset);
}

BOOST_AUTO_TEST_CASE(closing_says_good_bye_once)
{
    tls_pair p;
    p.shake_hands();
    p.client->close();
    p.client->close();
    std::error_code error;
    tls_pair::read_all(*p.server, error);
    BOOST_TEST(error == net::errc::closed);
    BOOST_TEST(read_one(*p.client).error == net::errc::closed);
    BOOST_TEST(p.client->write_some("x").error == net::errc::closed);
    BOOST_CHECK(p.client->check_silence() == silence::over);
    BOOST_TEST(p.below_server->peer_closed());
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_tls_are_a_protocol_error)
{
    tls_pair p;
    started<result<void>> c(p.io, p.client->handshake());
    settle(p.io);
    p.below_server->put("HTTP/1.1 400 Bad Request\r\n\r\n");
    settle(p.io);
    BOOST_REQUIRE(c.done());
    BOOST_TEST(c.outcome().error().code() == net::errc::tls_protocol);
    BOOST_CHECK(c.outcome().error().code() == cond::malformed);
}

BOOST_AUTO_TEST_CASE(a_record_that_was_tampered_with_is_a_protocol_error)
{
    tls_pair p;
    p.shake_hands();
    p.server->write_some("hello");
    auto record = p.below_client->take();
    record.back() ^= 1;
    p.below_server->put(record);
    BOOST_TEST(read_one(*p.client).error == net::errc::tls_protocol);
}

BOOST_AUTO_TEST_CASE(an_alert_is_told_by_its_name)
{
    tls_pair p;
    started<result<void>> c(p.io, p.client->handshake());
    settle(p.io);
    p.below_server->put(std::string_view("\x15\x03\x03\0\x02\x02\x70", 7));  // fatal, unrecognized_name
    settle(p.io);
    BOOST_REQUIRE(c.done());
    BOOST_TEST(c.outcome().error().code() == net::errc::tls_alert);
    BOOST_TEST(c.outcome().error().diag().peer_code == "unrecognized name");
}

BOOST_AUTO_TEST_CASE(a_peer_that_hangs_up_in_the_handshake_is_told_from_one_that_resets)
{
    tls_pair p;
    started<result<void>> c(p.io, p.client->handshake());
    settle(p.io);
    p.below_server->end();
    settle(p.io);
    BOOST_REQUIRE(c.done());
    BOOST_TEST(c.outcome().error().code() == net::errc::truncated);

    tls_pair q;
    started<result<void>> d(q.io, q.client->handshake());
    settle(q.io);
    q.below_server->reset();
    settle(q.io);
    BOOST_REQUIRE(d.done());
    BOOST_TEST(d.outcome().error().code() == net::errc::reset);
}

BOOST_AUTO_TEST_CASE(a_handshake_ends_when_cancelled_or_closed)
{
    tls_pair p;
    started<result<void>> c(p.io, p.client->handshake());
    settle(p.io);
    c.cancel();
    settle(p.io);
    BOOST_REQUIRE(c.done());
    BOOST_CHECK(c.outcome().error().code() == cond::cancelled);

    tls_pair q;
    started<result<void>> d(q.io, q.client->handshake());
    settle(q.io);
    q.below_server->put("\x16");  // the wait has ended already, but nobody has been told
    q.client->close();
    settle(q.io);
    BOOST_REQUIRE(d.done());
    BOOST_CHECK(d.outcome().error().code() == cond::cancelled);
}

BOOST_AUTO_TEST_CASE(tickets_and_key_updates_are_silence)
{
    tls_pair p;
    p.shake_hands();
    BOOST_CHECK(p.client->check_silence() == silence::kept);  // two tickets came
    update_keys(p, 3);
    BOOST_CHECK(p.client->check_silence() == silence::kept);
    p.server->write_some("hello");
    std::error_code error;
    BOOST_TEST(tls_pair::read_all(*p.client, error) == "hello");
    BOOST_CHECK(p.client->check_silence() == silence::kept);
}

BOOST_AUTO_TEST_CASE(data_that_nobody_asked_for_breaks_the_silence)
{
    tls_pair p;
    p.shake_hands();
    p.server->write_some("x");
    BOOST_CHECK(p.client->check_silence() == silence::broken);
    BOOST_CHECK(p.client->check_silence() == silence::broken);
}

BOOST_AUTO_TEST_CASE(data_that_was_read_ahead_breaks_the_silence)
{
    tls_pair p;
    p.shake_hands();
    p.server->write_some("answer");
    p.server->write_some("more");
    char six[6];
    BOOST_TEST(p.client->read_some(six).bytes == 6U);
    BOOST_CHECK(p.client->check_silence() == silence::broken);
}

BOOST_AUTO_TEST_CASE(an_end_is_seen_in_the_silence)
{
    tls_pair p;
    p.shake_hands();
    p.server->close();
    BOOST_CHECK(p.client->check_silence() == silence::over);
    tls_pair q;
    q.shake_hands();
    q.below_server->end();
    BOOST_CHECK(q.client->check_silence() == silence::over);
    tls_pair r;
    r.shake_hands();
    SSL_shutdown(r.server->native());  // close_notify only
    BOOST_CHECK(r.client->check_silence() == silence::over);
}

BOOST_AUTO_TEST_CASE(a_storm_of_key_updates_ends_the_connection)
{
    tls_pair p;
    p.shake_hands();
    p.client->check_silence();
    for (int i = 0; i != 3; ++i) {
        update_keys(p, 20);
        p.server->write_some("data makes up for it");
        std::error_code error;
        tls_pair::read_all(*p.client, error);
        BOOST_TEST(!error);
    }
    for (int i = 0; i != 33; ++i) {
        update_keys(p, 1);
        p.client->check_silence();
    }
    update_keys(p, 1);
    BOOST_CHECK(p.client->check_silence() == silence::over);
    BOOST_TEST(read_one(*p.client).error == net::errc::tls_protocol);
}

BOOST_AUTO_TEST_CASE(thirty_key_updates_are_borne)
{
    tls_pair p;
    p.shake_hands();
    p.client->check_silence();
    for (int i = 0; i != 30; ++i) {
        update_keys(p, 1);
        BOOST_CHECK(p.client->check_silence() == silence::kept);
    }
}

BOOST_AUTO_TEST_CASE(buffers_that_were_given_back_are_taken_again)
{
    tls_pair p;
    p.shake_hands();
    for (int i = 0; i != 3; ++i) {
        p.client->write_some("ping");
        p.server->write_some("pong");
        std::error_code error;
        BOOST_TEST(tls_pair::read_all(*p.client, error) == "pong");
        p.client->release_buffers();
        p.server->release_buffers();
        BOOST_TEST(tls_pair::read_all(*p.server, error) == "ping");
    }
}

BOOST_AUTO_TEST_SUITE_END()
