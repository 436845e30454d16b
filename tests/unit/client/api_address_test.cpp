// SPDX-License-Identifier: BSL-1.0
#include "client/sansio/api_address.hpp"

#include <jeton/http/error.hpp>
#include <jeton/oauth2/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace jeton;

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

api_address address(std::string const& base, pairs variables = {}, std::vector<std::string> const& trusted = {})
{
    auto made = api_address::make(base, trusted, std::move(variables), false);
    BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().to_string()));
    return std::move(*made);
}

std::string target(api_address const& on, std::string_view given)
{
    auto const got = on.resolve(given, false, {});
    return got ? got->target : "refused: " + got.error().code().message();
}

std::error_code refusal(api_address const& on, std::string_view given, bool anywhere = false)
{
    auto const got = on.resolve(given, anywhere, {});
    if (got)
        return {};
    BOOST_TEST((got.error().phase() == phase::configure));
    BOOST_TEST(got.error().safe_to_resend());
    return got.error().code();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_api_address)

BOOST_AUTO_TEST_CASE(a_path_is_appended_to_the_base)
{
    struct {
        char const* base;
        char const* given;
        char const* expected;
    } const cases[] = {
        {"https://a.example/v1", "/balance", "/v1/balance"},
        {"https://a.example/v1", "balance", "/v1/balance"},
        {"https://a.example/v1/", "/balance", "/v1/balance"},
        {"https://a.example/v1//", "balance", "/v1/balance"},
        {"https://a.example", "/balance", "/balance"},
        {"https://a.example/", "balance", "/balance"},
        {"https://a.example", "", "/"},
        {"https://a.example", "?a=1", "/?a=1"},
        {"https://a.example/v1", "", "/v1"},
        {"https://a.example/v1", "?a=1", "/v1?a=1"},
        {"https://a.example/v1", "/", "/v1/"},
        {"https://a.example/v1", "/a?", "/v1/a?"},
        {"https://a.example/v1", "/a?b=/../c", "/v1/a?b=/../c"},
        {"https://a.example/v1", "/a//b/", "/v1/a//b/"},
        {"https://a.example/v1", "/a/.../b", "/v1/a/.../b"},
        {"https://a.example/v1", "/.well-known/x..y", "/v1/.well-known/x..y"},
        {"https://a.example/v1", "/a%2Fb?u=https://x.example/", "/v1/a%2Fb?u=https://x.example/"},
        {"https://a.example/v1?key=k", "/a", "/v1/a?key=k"},
        {"https://a.example/v1?key=k", "/a?b=c", "/v1/a?key=k&b=c"},
        {"https://a.example/v1?key=k", "/a?", "/v1/a?key=k"},
    };
    for (auto const& c : cases)
        BOOST_TEST_CONTEXT(c.base << " + " << c.given) { BOOST_TEST(target(address(c.base), c.given) == c.expected); }
}

BOOST_AUTO_TEST_CASE(a_path_cannot_climb_out_of_the_base)
{
    auto const api = address("https://a.example/v1");
    for (char const* given :
         {"..", "/..", "/../admin", "/a/../../admin", "/./a", "/a/.", "/%2e%2E/admin", "/.%2e/admin", "/a/%2e",
          "/a%2f..%2fadmin", "/..%2Fadmin", "/..%5cadmin", "/..;/admin", "/..;x=1/admin", "../admin"})
        BOOST_TEST_CONTEXT(given) { BOOST_TEST((refusal(api, given) == http::errc::bad_target)); }
}

BOOST_AUTO_TEST_CASE(what_cannot_stand_in_a_request_line_is_refused)
{
    auto const api = address("https://a.example/v1");
    for (char const* given :
         {"/a b", "/a\r\nX: y", "/a\tb", "/a#b", "/a?b#c", "/a\\b", "/\xc3\xa9", "/a%", "/a%4", "/a%zz", "/a\"b",
          "/a<b", "/a^b", "/a`b", "/a|b", "/a?b=c d", "/a?{CLIENT_ID}", "//evil.example/a", "//"})
        BOOST_TEST_CONTEXT(given) { BOOST_TEST((refusal(api, given) == http::errc::bad_target)); }
    BOOST_TEST((refusal(api, std::string_view("/a\0b", 4)) == http::errc::bad_target));
}

BOOST_AUTO_TEST_CASE(variables_are_filled_in_percent_encoded)
{
    struct {
        char const* value;
        char const* expected;
    } const cases[] = {
        {"plain-1_2.3~4", "/v1/accounts/plain-1_2.3~4/orders"},
        {"a/b", "/v1/accounts/a%2Fb/orders"},
        {"a b?c#d", "/v1/accounts/a%20b%3Fc%23d/orders"},
        {"\xc3\xa9{X}", "/v1/accounts/%C3%A9%7BX%7D/orders"},
        {"100%", "/v1/accounts/100%25/orders"},
        {"\r\nX: y", "/v1/accounts/%0D%0AX%3A%20y/orders"},
    };
    for (auto const& c : cases)
        BOOST_TEST_CONTEXT(c.expected)
        {
            auto const api = address("https://a.example/v1", {{"ID", c.value}});
            BOOST_TEST(target(api, "/accounts/{ID}/orders") == c.expected);
        }
    auto const two = address("https://a.example", {{"A", "1"}, {"B", "2"}});
    BOOST_TEST(target(two, "{A}/{B}{A}?x=1") == "/1/21?x=1");
    BOOST_TEST(target(two, "https://a.example/x/{B}?y") == "/x/2?y");
}

BOOST_AUTO_TEST_CASE(a_variable_that_is_unknown_or_malformed_is_refused)
{
    auto const api = address("https://a.example/v1", {{"A", "1"}});
    for (char const* given : {"/{B}", "/{a}", "/{A", "/A}", "/{}", "/{{A}}", "/{A B}", "/{A/B}",
                              "https://a.example/{B}", "https://{A}.example/"})
        BOOST_TEST_CONTEXT(given) { BOOST_TEST(bool(refusal(api, given))); }
    BOOST_TEST((refusal(api, "/{B}") == http::errc::bad_target));
}

BOOST_AUTO_TEST_CASE(variables_that_are_not_in_the_list_are_asked_for_when_they_are_needed)
{
    auto const api = address("https://a.example", {{"A", "own"}});
    std::vector<std::string> asked;
    std::string value = "me";
    api_address::lookup const more = [&](std::string_view name) -> std::optional<result<std::string>> {
        asked.emplace_back(name);
        if (name == "BROKEN")
            return failure(errc::unexpected, phase::token, delivery::not_sent, "broken");
        if (name != "CLIENT_ID")
            return {};
        return value;
    };
    BOOST_TEST(api.resolve("/a", false, more)->target == "/a");
    BOOST_TEST(api.resolve("/{A}", false, more)->target == "/own");
    BOOST_TEST(asked.empty());
    BOOST_TEST(api.resolve("/{CLIENT_ID}/x", false, more)->target == "/me/x");
    BOOST_TEST((api.resolve("/{OTHER}", false, more).error().code() == http::errc::bad_target));
    BOOST_TEST((api.resolve("/{BROKEN}", false, more).error().code() == errc::unexpected));
    for (char const* bad : {"", ".", "..", "../x", "a/../b", "..\\x", "%2e%2e", "..;x"}) {
        value = bad;
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST((api.resolve("/{CLIENT_ID}/x", false, more).error().code() == http::errc::bad_target));
    }
}

BOOST_AUTO_TEST_CASE(a_plain_path_stands_behind_the_base_as_it_is)
{
    std::optional<api_address> api = address("https://a.example/v1/", {{"A", "own"}});
    auto const base = api->base_for("/balance");
    BOOST_REQUIRE(base.has_value());
    BOOST_TEST(base->path == "/v1");
    BOOST_TEST((*base->origin == api->base_origin()));
    for (char const* other : {"balance", "//b.example/", "/../x", "/{A}", "/a?b", "/%41", "https://a.example/v1/x", ""})
        BOOST_TEST(!api->base_for(other).has_value(), other);
    BOOST_TEST(!address("https://a.example/v1?key=1", {}).base_for("/balance").has_value());

    // The path lives with the origin.
    auto const origin = base->origin;
    auto const path = base->path;
    api.reset();
    BOOST_TEST(path == "/v1");
    BOOST_TEST(origin->host == "a.example");
}

BOOST_AUTO_TEST_CASE(dots_that_meet_across_variables_are_seen)
{
    auto const api = address("https://a.example/v1", {{"A", "a"}});
    BOOST_TEST((refusal(api, "/{A}/../x") == http::errc::bad_target));
}

BOOST_AUTO_TEST_CASE(an_absolute_url_may_lead_to_trusted_origins_only)
{
    // B7: scheme, host and port.
    auto const api = address("https://a.example/v1", {}, {"https://files.example:8443/"});
    BOOST_TEST(target(api, "https://a.example/v2/x?y=1") == "/v2/x?y=1");
    BOOST_TEST(target(api, "HTTPS://A.example:443") == "/");
    auto const there = api.resolve("https://files.example:8443/f", false, {});
    BOOST_TEST(there->origin->to_string() == "https://files.example:8443");
    BOOST_TEST(there->trusted);

    for (char const* given : {"https://evil.example/", "https://a.example:8443/", "http://a.example/",
                              "https://files.example/", "https://a.example.evil.example/", "https://sub.a.example/"})
        BOOST_TEST_CONTEXT(given) { BOOST_TEST((refusal(api, given) == oauth2::errc::foreign_origin)); }
    for (char const* given :
         {"ftp://a.example/", "https://", "https://user@a.example/", "https://a.example/#f", "https:///x"})
        BOOST_TEST_CONTEXT(given) { BOOST_TEST((refusal(api, given) == http::errc::bad_url)); }
}

BOOST_AUTO_TEST_CASE(without_a_token_a_request_may_go_anywhere)
{
    // B7
    auto const api = address("https://a.example/v1");
    auto const there = api.resolve("https://other.example/x?y", true, {});
    BOOST_TEST_REQUIRE(there.has_value());
    BOOST_TEST(there->origin->to_string() == "https://other.example");
    BOOST_TEST(there->target == "/x?y");
    BOOST_TEST(!there->trusted);
    BOOST_TEST(api.resolve("https://a.example/x", true, {})->trusted);
    BOOST_TEST((refusal(api, "javascript://x", true) == http::errc::bad_url));
}

BOOST_AUTO_TEST_CASE(a_base_that_cannot_carry_a_token_is_refused)
{
    // A6: https only, and this machine only by explicit opt-in.
    struct {
        char const* base;
        bool loopback;
        http::errc expected;
    } const cases[] = {
        {"", false, http::errc::bad_url},
        {"/v1", false, http::errc::bad_url},
        {"a.example", false, http::errc::bad_url},
        {"ftp://a.example", false, http::errc::bad_url},
        {"https://user@a.example", false, http::errc::bad_url},
        {"https://a.example/#x", false, http::errc::bad_url},
        {"http://a.example", false, http::errc::plain_http},
        {"http://a.example", true, http::errc::plain_http},
        {"http://127.0.0.1:8080", false, http::errc::plain_http},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(c.base)
        {
            auto const got = api_address::make(c.base, {}, {}, c.loopback);
            BOOST_TEST_REQUIRE(!got.has_value());
            BOOST_TEST((got.error().code() == c.expected));
        }
    }
    BOOST_TEST(api_address::make("http://127.0.0.1:8080/v1", {}, {}, true).has_value());
}

BOOST_AUTO_TEST_CASE(a_trusted_origin_is_an_origin_and_https)
{
    // B7
    BOOST_TEST(address("https://a.example", {}, {"https://b.example"}).trusted().size() == 2U);
    for (char const* bad : {"https://b.example/path", "https://b.example/?q", "http://b.example", "b.example", "*", ""})
        BOOST_TEST_CONTEXT(bad) { BOOST_TEST(!api_address::make("https://a.example", {bad}, {}, false).has_value()); }
}

BOOST_AUTO_TEST_CASE(path_variables_are_checked_when_they_are_given)
{
    for (auto const& [name, value] :
         pairs{{"", "x"}, {"A B", "x"}, {"A}", "x"}, {"A", ""}, {"A", ".."}, {"A", "x/../y"}}) {
        BOOST_TEST_CONTEXT(name << " = " << value)
        {
            auto const got = api_address::make("https://a.example", {}, {{name, value}}, false);
            BOOST_TEST_REQUIRE(!got.has_value());
            BOOST_TEST((got.error().code() == http::errc::bad_target));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
