// SPDX-License-Identifier: BSL-1.0
#include "interop/delay_relay.hpp"
#include "interop/drive.hpp"
#include "interop/nginx.hpp"

#include <jeton/http/client.hpp>
#include <jeton/net/error.hpp>

#include <asio/redirect_error.hpp>

#include <cstdlib>
#include <map>

// nginx is the judge: what it did not log did not reach it.

namespace {

using namespace jeton;
using namespace jeton::testing;

std::string url(std::uint16_t port, std::string const& host = "localhost")
{
    return "https://" + host + ':' + std::to_string(port);
}

http::client_options trusting(std::filesystem::path const& ca)
{
    http::client_options options;
    options.tls.ca_file = ca.string();
    options.plain_http_on_loopback = false;
    return options;
}

// A client of an API whose tokens come from the same nginx.
client api_client(asio::io_context& io, std::uint16_t port, std::filesystem::path const& ca,
                  http::protocol_choice protocol = http::protocol_choice::http_1_1)
{
    provider api;
    api.name = "nginx";
    api.base_url = url(port);
    api.tokens.url = url(port) + "/token";
    client_options options;
    options.http = trusting(ca);
    options.http.protocol = protocol;
    return client(serial(io), std::move(api), credentials::from_value("id", secret("key")), std::move(options));
}

struct server {
    nginx front{};
    openssl_authority ca{front.files() / "ca", "jeton-interop"};

    server() { ca.issue("good"); }
    std::uint16_t serve(std::string_view more = "ssl_protocols TLSv1.2 TLSv1.3;", std::string_view listening = "ssl")
    {
        return front.serve(ca.certificate("good"), ca.key("good"), more, listening);
    }
};

asio::awaitable<void> get_many(client& api, int times, std::vector<http::response>& answers)
{
    for (int i = 0; i < times; ++i) {
        auto answer = co_await api.get("/thing");
        BOOST_TEST_REQUIRE(answer.has_value(), explain(answer));
        answers.push_back(std::move(*answer));
    }
    co_await api.shut_down();
}

asio::awaitable<void> get_at_once(client& api, int times, std::vector<http::response>& answers)
{
    auto const executor = co_await asio::this_coro::executor;
    int left = times;
    asio::steady_timer all(executor, asio::steady_timer::time_point::max());
    for (int i = 0; i < times; ++i)
        async_send(api, http::request::get("/thing"), [&](result<http::response> answer) {
            BOOST_TEST(answer.has_value(), explain(answer));
            if (answer)
                answers.push_back(std::move(*answer));
            if (--left == 0)
                all.cancel();
        });
    std::error_code cancelled;
    co_await all.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    co_await api.shut_down();
}

asio::awaitable<void> be_refused(client& api)
{
    auto const answer = co_await api.get("/thing");
    BOOST_TEST_REQUIRE(!answer.has_value());
    BOOST_TEST((answer.error().code() == net::errc::tls_alpn), explain(answer));
    BOOST_TEST(answer.error().safe_to_resend());
    co_await api.shut_down();
}

struct skip_without_nginx {
    skip_without_nginx()
    {
        if (!find_program("nginx"))
            skip("nginx (Debian package nginx-light)");
        if (!find_program("openssl"))
            skip("openssl (Debian package openssl)");
    }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(skip_without_nginx);

BOOST_AUTO_TEST_SUITE(interop_nginx)

BOOST_AUTO_TEST_CASE(a_token_and_requests_over_tls_1_2_and_1_3)
{
    // M3: the version that the server has, and the token that it wants. B1: in the field where nginx looks for it.
    server peers;
    auto const old = peers.serve("ssl_protocols TLSv1.2;");
    auto const recent = peers.serve("ssl_protocols TLSv1.3;");
    peers.front.start();

    for (auto const port : {old, recent}) {
        asio::io_context io(1);
        auto api = api_client(io, port, peers.ca.certificate());
        std::vector<http::response> answers;
        drive(io, get_many(api, 2, answers));
        BOOST_TEST(answers.at(0).status() == 200);
        BOOST_TEST(answers.at(0).text() == R"({"path":"/thing"})");
        BOOST_TEST(answers.at(1).reused());
    }
    std::map<std::uint16_t, std::map<std::string, int>> seen;
    for (auto const& one : peers.front.exchanges()) {
        BOOST_TEST(one.status == 200);
        BOOST_TEST(one.tls == (one.port == old ? "TLSv1.2" : "TLSv1.3"));
        ++seen[one.port][one.method + ' ' + one.target];
    }
    for (auto const port : {old, recent}) {
        BOOST_TEST(seen[port]["POST /token"] == 1);
        BOOST_TEST(seen[port]["GET /thing"] == 2);
    }
}

BOOST_AUTO_TEST_CASE(sessions_are_resumed_over_tls_1_2_and_1_3)
{
    // M6: nginx says so, which ends each connection after three requests
    server peers;
    auto const old = peers.serve("ssl_protocols TLSv1.2;");
    auto const recent = peers.serve("ssl_protocols TLSv1.3;");
    peers.front.start();
    for (auto const port : {old, recent}) {
        asio::io_context io(1);
        auto api = api_client(io, port, peers.ca.certificate());
        std::vector<http::response> answers;
        drive(io, get_many(api, 9, answers));
        BOOST_TEST(answers.size() == 9U);
    }
    std::map<std::uint16_t, std::map<std::uint64_t, bool>> resumed;
    for (auto const& one : peers.front.exchanges())
        resumed[one.port][one.connection] = one.resumed;
    for (auto const port : {old, recent}) {
        BOOST_TEST_REQUIRE(resumed[port].size() >= 3U);
        BOOST_TEST(!resumed[port].begin()->second);
        resumed[port].erase(resumed[port].begin());
        for (auto const& [connection, yes] : resumed[port])
            BOOST_TEST(yes, "connection " << connection);
    }
}

BOOST_AUTO_TEST_CASE(http_2_where_nginx_speaks_it)
{
    // K17: one connection for all; a server that has none of it is refused if nothing else will do
    server peers;
    auto const both = peers.serve("keepalive_requests 1000;", "ssl http2");
    auto const old = peers.serve();
    peers.front.start();
    for (auto const choice : {http::protocol_choice::http_2, http::protocol_choice::automatic}) {
        asio::io_context io(1);
        auto api = api_client(io, both, peers.ca.certificate(), choice);
        std::vector<http::response> answers;
        drive(io, get_at_once(api, 100, answers));
        BOOST_TEST(answers.size() == 100U);
        for (auto const& each : answers)
            BOOST_TEST(each.text() == R"({"path":"/thing"})");
    }
    std::map<std::uint64_t, int> connections;
    for (auto const& one : peers.front.exchanges()) {
        BOOST_TEST(one.status == 200);
        if (one.protocol == "HTTP/2.0")
            ++connections[one.connection];
    }
    BOOST_TEST(connections.size() == 2U);            // one of each client's
    BOOST_TEST(connections.begin()->second == 101);  // and the token

    asio::io_context io(1);
    auto api = api_client(io, old, peers.ca.certificate(), http::protocol_choice::http_2);
    drive(io, be_refused(api));
    auto either = api_client(io, old, peers.ca.certificate(), http::protocol_choice::automatic);
    std::vector<http::response> answers;
    drive(io, get_many(either, 1, answers));
    BOOST_TEST(answers.at(0).protocol() == "http/1.1");
}

namespace {

struct tally {
    int got = 0;
    int sent_again = 0;
    std::vector<std::string> failed_gets{};
    std::map<std::string, std::optional<failure>> posts{};  // what we believe became of each
};

asio::awaitable<void> get_and_post(client& api, tally& count, int number)
{
    if (number % 4 != 0) {
        auto answer = co_await api.get("/get/" + std::to_string(number));
        if (answer && answer->attempts() > 1)
            ++count.sent_again;
        if (answer && answer->status() == 200)
            ++count.got;
        else
            count.failed_gets.push_back(answer ? std::to_string(answer->status()) : answer.error().to_string());
    } else {
        auto const path = "/post/" + std::to_string(number);
        auto answer = co_await api.post(path, "{\"order\":" + std::to_string(number) + "}");
        count.posts[path] = answer ? std::nullopt : std::optional(answer.error());
    }
}

// Bursts with pauses of about the second after which nginx closes idle connections: some of a burst's requests are on
// their way to nginx while the news of the connection's end are on theirs from it.
asio::awaitable<void> load(client& api, tally& count, int bursts, int size)
{
    for (int burst = 0; burst < bursts; ++burst) {
        co_await for_all(size, 32,
                         [&api, &count, burst, size](int i) { return get_and_post(api, count, burst * size + i); });
        co_await wait_for(std::chrono::milliseconds(975 + 5 * (burst % 6)));
    }
    co_await api.shut_down();
}

}  // namespace

BOOST_AUTO_TEST_CASE(connections_that_die_under_load_fail_no_get_and_repeat_no_post)
{
    // J15: a GET that meets a dead connection is sent again; a POST only if no byte of it had left. J14, J16 and J20: the
    // third request's `Connection: close` and the idle time of a second are lived through.
    server peers;
    auto const port = peers.serve();
    peers.front.start();
    delay_relay const wire(port, std::chrono::milliseconds(10));

    asio::io_context io(1);
    auto api = api_client(io, wire.port(), peers.ca.certificate());
    tally count;
    auto const bursts = std::getenv("JETON_TEST_LONG") ? 60 : 6;
    auto const size = 400;
    drive(io, load(api, count, bursts, size));

    // Were there none, nothing would have been tested.
    BOOST_TEST(count.sent_again > 0);
    BOOST_TEST(count.failed_gets.size() == 0u, (count.failed_gets.empty() ? "" : count.failed_gets.front()));
    BOOST_TEST(count.got == bursts * size * 3 / 4);
    std::map<std::string, int> on_the_wire;
    for (auto const& one : peers.front.exchanges()) {
        BOOST_TEST(one.on_connection <= 3);
        if (one.method == "POST" && one.target != "/token")
            ++on_the_wire[one.target];
    }
    BOOST_TEST(count.posts.size() == static_cast<std::size_t>(bursts * size / 4));
    for (auto const& [path, why] : count.posts) {
        if (why)
            BOOST_TEST((why->code() == cond::transient), path << ": " << why->to_string());
        if (!why)
            BOOST_TEST(on_the_wire[path] == 1, path);
        else if (why->safe_to_resend())
            BOOST_TEST(on_the_wire[path] == 0, path << ": " << why->to_string());
        else
            BOOST_TEST(on_the_wire[path] <= 1, path << ": " << why->to_string());
    }
}

namespace {

asio::awaitable<void> get_once(http::client& over, std::string target, std::optional<http::response>& answer,
                               std::optional<failure>& why)
{
    auto outcome = co_await over.send(http::request::get(target).header("X-Secret", "not for strangers"));
    if (outcome)
        answer = std::move(*outcome);
    else
        why = outcome.error();
    co_await over.shut_down();
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_bad_certificate_has_its_own_error_and_sees_no_byte_of_the_request)
{
    // M1, M2: nine certificates that must not be trusted, each for a reason of its own.
    nginx front;
    openssl_authority const ca(front.files() / "ca", "trusted");
    openssl_authority const stranger(front.files() / "stranger", "stranger");
    auto const between = ca.intermediate(front.files() / "between", "between");

    struct bad {
        openssl_authority const& by;
        std::string name;
        certificate_wishes wishes;
        net::errc expected;
        std::string_view more = "";
    };
    std::vector<bad> const cases{
        {ca, "expired", {.begins = "20200101000000Z", .ends = "20210101000000Z"}, net::errc::certificate_expired},
        {ca, "early", {.begins = "20980101000000Z"}, net::errc::certificate_not_yet_valid},
        {ca, "other-host", {.names = "DNS:other.example,IP:127.0.0.2"}, net::errc::certificate_name},
        {ca, "common-name", {.names = ""}, net::errc::certificate_name},
        {ca, "partial-wildcard", {.names = "DNS:local*"}, net::errc::certificate_name},
        {ca, "for-clients", {.usage = "clientAuth"}, net::errc::certificate_purpose},
        {stranger, "stranger", {}, net::errc::certificate_issuer_unknown},
        {between, "between", {}, net::errc::certificate_issuer_unknown},
        {ca, "weak", {.key = "rsa:1024"}, net::errc::certificate_weak, "ssl_ciphers DEFAULT:@SECLEVEL=0;"},
    };
    std::vector<std::pair<std::uint16_t, std::pair<std::string, net::errc>>> ports;
    for (auto const& one : cases) {
        one.by.issue(one.name, one.wishes);
        ports.push_back(
            {front.serve(one.by.certificate(one.name), one.by.key(one.name), one.more), {one.name, one.expected}});
    }
    ca.issue_self_signed("self");
    ports.push_back(
        {front.serve(ca.certificate("self"), ca.key("self")), {"self-signed", net::errc::certificate_self_signed}});
    ca.issue("good");
    auto const good = front.serve(ca.certificate("good"), ca.key("good"));
    front.start();

    for (auto const& one : ports) {
        auto const port = one.first;
        auto const& expectation = one.second;
        BOOST_TEST_CONTEXT(expectation.first)
        {
            asio::io_context io(1);
            http::client over(serial(io), trusting(ca.certificate()));
            std::optional<http::response> answer;
            std::optional<failure> why;
            drive(io, get_once(over, url(port) + "/", answer, why));
            BOOST_TEST_REQUIRE(why.has_value());
            BOOST_TEST(why->code() == expectation.second, why->to_string());
            BOOST_TEST((why->phase() == phase::tls));
            BOOST_TEST((why->delivery() == delivery::not_sent));
            BOOST_TEST(eventually([&] { return front.fruitless_connections(port) >= 2; }),
                       "nginx has not noticed the end of the connection: " << front.complaints());
        }
    }

    asio::io_context io(1);
    http::client over(serial(io), trusting(ca.certificate()));
    std::optional<http::response> answer;
    std::optional<failure> why;
    drive(io, get_once(over, url(good) + "/", answer, why));
    BOOST_TEST_REQUIRE(answer.has_value(), explain(why));

    auto const seen = front.exchanges();
    BOOST_TEST_REQUIRE(seen.size() == 1u);  // the good one: this nginx logs, and it logged none of the others
    BOOST_TEST(seen.front().port == good);
    BOOST_TEST(seen.front().status == 401);
}

BOOST_AUTO_TEST_CASE(an_address_is_matched_against_addresses_only)
{
    // L2: 127.0.0.1 needs a certificate that names it as an address; one that spells it as a DNS name does not do.
    nginx front;
    openssl_authority const ca(front.files() / "ca", "trusted");
    ca.issue("address", {.names = "IP:127.0.0.1"});
    ca.issue("spelled", {.names = "DNS:127.0.0.1,DNS:localhost"});
    auto const right = front.serve(ca.certificate("address"), ca.key("address"));
    auto const wrong = front.serve(ca.certificate("spelled"), ca.key("spelled"));
    front.start();

    for (auto const port : {right, wrong}) {
        asio::io_context io(1);
        http::client over(serial(io), trusting(ca.certificate()));
        std::optional<http::response> answer;
        std::optional<failure> why;
        drive(io, get_once(over, url(port, "127.0.0.1") + "/", answer, why));
        BOOST_TEST(answer.has_value() == (port == right));
        if (port == wrong) {
            BOOST_TEST_REQUIRE(why.has_value());
            BOOST_TEST(why->code() == net::errc::certificate_name, why->to_string());
        }
    }
    BOOST_TEST(front.exchanges().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_server_without_modern_tls_is_refused)
{
    // M3: TLS 1.1, and TLS 1.2 with suites that have no ephemeral key, are answered with an error.
    server peers;
    auto const ancient = peers.serve("ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;");
    peers.ca.issue("rsa", {.key = "rsa:2048"});
    auto const static_key = peers.front.serve(peers.ca.certificate("rsa"), peers.ca.key("rsa"),
                                              "ssl_protocols TLSv1.2; ssl_ciphers AES128-GCM-SHA256;");
    peers.front.start();

    for (auto const port : {ancient, static_key}) {
        asio::io_context io(1);
        http::client over(serial(io), trusting(peers.ca.certificate()));
        std::optional<http::response> answer;
        std::optional<failure> why;
        drive(io, get_once(over, url(port) + "/", answer, why));
        BOOST_TEST_REQUIRE(why.has_value());
        BOOST_TEST((why->code() == net::errc::tls_protocol || why->code() == net::errc::tls_alert), why->to_string());
        BOOST_TEST((why->delivery() == delivery::not_sent));
    }
    BOOST_TEST(peers.front.exchanges().empty());
}

BOOST_AUTO_TEST_SUITE_END()
