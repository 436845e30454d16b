// SPDX-License-Identifier: BSL-1.0
#include "oauth2/sansio/token_request.hpp"

#include "http/request_access.hpp"

#include <jeton/oauth2/error.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace jeton;
using namespace jeton::oauth2;
using namespace std::chrono_literals;

namespace {

token_endpoint endpoint()
{
    token_endpoint e;
    e.url = "https://auth.example/oauth/token";
    return e;
}

client_identity who(std::string id = "me", std::string_view key = "s3cret")
{
    client_identity i;
    i.id = std::move(id);
    i.key = secret(key);
    return i;
}

std::string body(token_endpoint e, client_identity const& i = who())
{
    return std::string(token_request(std::move(e)).client_credentials(i).value().body());
}

std::string basic(token_endpoint e, client_identity const& i)
{
    auto const r = token_request(std::move(e)).client_credentials(i).value();
    auto const& line = http::request_access::authorization_of(r);
    return line ? std::string(line->reveal()) : std::string();
}

void refuses(oauth2::errc why, std::function<void(token_endpoint&)> change)
{
    auto e = endpoint();
    change(e);
    BOOST_CHECK_EXCEPTION(token_request{e}, error, [&](error const& x) {
        return x.code() == why && x.why().phase() == phase::configure && x.why().delivery() == delivery::not_sent;
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oauth2_token_request)

BOOST_AUTO_TEST_CASE(client_credentials_travel_in_a_form)
{
    // A1
    auto const r = token_request(endpoint()).client_credentials(who()).value();
    BOOST_TEST(r.method() == "POST");
    BOOST_TEST(r.target() == "https://auth.example/oauth/token");
    BOOST_TEST(r.body() == "grant_type=client_credentials&client_id=me&client_secret=s3cret");
    BOOST_TEST(r.has_secret_body());
    BOOST_TEST(!r.wants_token());
    BOOST_TEST(r.fields().find("application/x-www-form-urlencoded") != std::string::npos);
    BOOST_TEST(r.fields().find("Accept: application/json\r\n") != std::string::npos);
    BOOST_TEST(r.mistake() == nullptr);
}

BOOST_AUTO_TEST_CASE(the_same_parameters_travel_in_json)
{
    // A19
    auto e = endpoint();
    e.body = body_kind::json;
    e.parameters = {{"audience", "https://api.example"}};
    BOOST_TEST(body(e, who("me", "a\"b\\c"))
               == R"({"grant_type":"client_credentials","client_id":"me",)"
                  R"("client_secret":"a\"b\\c","audience":"https://api.example"})");
    auto const r = token_request(e).client_credentials(who()).value();
    BOOST_TEST(r.fields().find("Content-Type: application/json\r\n") != std::string::npos);
    e.parameters = {{"x", "a\nb\x01\xc3\xa4"}};
    BOOST_TEST(body(e).ends_with("\"x\":\"a\\u000ab\\u0001\xc3\xa4\"}"));
    e.body = body_kind::form;
    BOOST_TEST(body(e).ends_with("&x=a%0Ab%01%C3%A4"));
}

BOOST_AUTO_TEST_CASE(text_that_is_no_utf8_is_refused)
{
    // A1, A19
    for (auto const* bad :
         {"\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xe0\x80\x80", "\xf5\x80\x80\x80", "\xf0\x80\x80\x80"})
        refuses(oauth2::errc::bad_parameter, [bad](auto& e) { e.parameters = {{"x", bad}}; });
}

BOOST_AUTO_TEST_CASE(an_endpoint_with_fragment_or_userinfo_is_refused)
{
    // A1
    refuses(oauth2::errc::bad_endpoint, [](auto& e) { e.url = "https://auth.example/token#f"; });
    refuses(oauth2::errc::bad_endpoint, [](auto& e) { e.url = "https://u:p@auth.example/token"; });
    refuses(oauth2::errc::bad_endpoint, [](auto& e) { e.url = ""; });
    refuses(oauth2::errc::bad_endpoint, [](auto& e) { e.assumed_lifetime = 0s; });
    refuses(oauth2::errc::bad_endpoint, [](auto& e) { e.assumed_lifetime = 25h; });
    refuses(oauth2::errc::bad_endpoint, [](auto& e) { e.longest_token = 0; });
}

BOOST_AUTO_TEST_CASE(a_password_in_the_url_is_not_in_the_error)
{
    auto e = endpoint();
    e.url = "https://u:hunter2@auth.example/token";
    BOOST_CHECK_EXCEPTION(token_request{e}, error,
                          [](error const& x) { return std::string(x.what()).find("hunter2") == std::string::npos; });
}

BOOST_AUTO_TEST_CASE(the_query_of_the_endpoint_is_kept)
{
    // A2
    auto e = endpoint();
    e.url = "https://auth.example/token?tenant=a%20b&v=2";
    token_request const t(e);
    BOOST_TEST(t.client_credentials(who()).value().target() == e.url);
    BOOST_TEST(t.name() == "https://auth.example/token");
    // A parameter of the body's must not be in it.
    refuses(oauth2::errc::bad_parameter, [](auto& x) { x.url = "https://auth.example/token?client_secret=x"; });
    refuses(oauth2::errc::bad_parameter, [](auto& x) {
        x.url = "https://auth.example/token?audience=x";
        x.parameters = {{"audience", "y"}};
    });
}

BOOST_AUTO_TEST_CASE(basic_encodes_id_and_secret_before_it_joins_them)
{
    // A3
    auto e = endpoint();
    e.auth = client_auth::client_secret_basic;
    auto const i = who("weird:id+100% ~", "p:a/s+s w%rd&=?");
    // weird%3Aid%2B100%25+%7E:p%3Aa%2Fs%2Bs+w%25rd%26%3D%3F
    BOOST_TEST(basic(e, i)
               == "Authorization: Basic d2VpcmQlM0FpZCUyQjEwMCUyNSslN0U6cCUzQWElMkZzJTJCcyt3JTI1cmQlMjYlM0QlM0Y=\r\n");
    BOOST_TEST(body(e, i) == "grant_type=client_credentials");
    e.auth = client_auth::client_secret_basic_raw;
    BOOST_TEST(basic(e, who("a+b", "c:d %")) == "Authorization: Basic YStiOmM6ZCAl\r\n");
}

BOOST_AUTO_TEST_CASE(an_identity_that_cannot_be_sent_is_refused)
{
    // A3
    auto const bad = [](client_auth how, client_identity const& i) {
        auto e = endpoint();
        e.auth = how;
        auto const r = token_request(e).client_credentials(i);
        return !r && r.error().code() == oauth2::errc::bad_client && r.error().delivery() == delivery::not_sent;
    };
    for (auto const how : {client_auth::client_secret_post, client_auth::client_secret_basic}) {
        BOOST_TEST(bad(how, who("me", "a\nb")));
        BOOST_TEST(bad(how, who("me", "\xc3\xa4")));
        BOOST_TEST(bad(how, who("m\x7f"
                                "e")));
        BOOST_TEST(bad(how, who("")));
        BOOST_TEST(bad(how, who("me", "")));
        BOOST_TEST(!bad(how, who("a:b", "~ !")));
    }
    BOOST_TEST(bad(client_auth::client_secret_basic_raw, who("a:b")));
    BOOST_TEST(!bad(client_auth::none, who("", "")));
}

BOOST_AUTO_TEST_CASE(one_mechanism_authenticates_the_client)
{
    // A4
    auto e = endpoint();
    for (auto const how : {client_auth::none, client_auth::client_secret_post, client_auth::client_secret_basic,
                           client_auth::client_secret_basic_raw}) {
        e.auth = how;
        bool const in_body = body(e).find("client_secret") != std::string::npos;
        bool const in_field = !basic(e, who()).empty();
        BOOST_TEST(in_body == (how == client_auth::client_secret_post));
        BOOST_TEST(
            (in_field == (how == client_auth::client_secret_basic || how == client_auth::client_secret_basic_raw)));
    }
    refuses(oauth2::errc::bad_parameter, [](auto& x) {
        x.auth = client_auth::client_secret_basic;
        x.parameters = {{"client_secret", "x"}};
    });
}

BOOST_AUTO_TEST_CASE(no_parameter_is_sent_twice_or_without_a_value)
{
    // A5
    auto e = endpoint();
    e.scope = "read write";
    e.parameters = {{"audience", "x"}, {"empty", ""}};
    BOOST_TEST(body(e)
               == "grant_type=client_credentials&client_id=me&client_secret=s3cret&scope=read+write&audience=x");
}

BOOST_AUTO_TEST_CASE(a_parameter_that_is_doubled_or_not_the_callers_is_refused)
{
    // A5
    for (auto const* name : {"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type",
                             "scope", "refresh_token", ""})
        refuses(oauth2::errc::bad_parameter, [name](auto& x) { x.parameters = {{name, "x"}}; });
    refuses(oauth2::errc::bad_parameter, [](auto& x) { x.parameters = {{"a", "1"}, {"a", "2"}}; });
    refuses(oauth2::errc::bad_parameter, [](auto& x) { x.scope = "a  b"; });
    refuses(oauth2::errc::bad_parameter, [](auto& x) { x.scope = "a\"b"; });
    refuses(oauth2::errc::bad_parameter, [](auto& x) { x.required_scopes = {"a b"}; });
}

BOOST_AUTO_TEST_CASE(plain_http_is_for_this_machine_and_only_if_asked_for)
{
    // A6
    refuses(oauth2::errc::bad_endpoint, [](auto& e) { e.url = "http://auth.example/token"; });
    refuses(oauth2::errc::bad_endpoint, [](auto& e) { e.url = "http://127.0.0.1/token"; });
    refuses(oauth2::errc::bad_endpoint, [](auto& e) {
        e.url = "http://auth.example/token";
        e.plain_http_on_loopback = true;
    });
    auto e = endpoint();
    e.url = "http://127.0.0.1:8080/token";
    e.plain_http_on_loopback = true;
    BOOST_CHECK_NO_THROW(token_request{e});
}

BOOST_AUTO_TEST_CASE(a_refresh_request_carries_what_the_provider_wants_with_it)
{
    // A20
    auto e = endpoint();
    e.body = body_kind::json;
    e.scope = "read";
    e.refresh = refresh_use::without_client;
    secret const refresh("r.1");
    BOOST_TEST(token_request(e).refresh(refresh, who()).value().body()
               == R"({"grant_type":"refresh_token","refresh_token":"r.1"})");
    e.refresh = refresh_use::with_client;
    BOOST_TEST(token_request(e).refresh(refresh, who()).value().body()
               == R"({"grant_type":"refresh_token","refresh_token":"r.1","client_id":"me","client_secret":"s3cret"})");
    BOOST_TEST((token_request(e).refresh(refresh, who("", "")).error().code() == oauth2::errc::bad_client));
}

BOOST_AUTO_TEST_SUITE_END()
