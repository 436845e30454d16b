// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/url.hpp>

#include <jeton/http/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <string>

using namespace jeton;
using namespace jeton::http;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(http_url)

BOOST_AUTO_TEST_CASE(a_url_is_taken_apart_into_its_canonical_form)
{
    // T30
    struct {
        char const* text;
        char const* canonical;
        char const* host;
        int port;
        char const* target;
    } const table[] = {
        {"https://api.example", "https://api.example/", "api.example", 443, "/"},
        {"https://api.example/", "https://api.example/", "api.example", 443, "/"},
        {"https://api.example?q=1", "https://api.example/?q=1", "api.example", 443, "/?q=1"},
        {"HTTPS://API.Example/Path", "https://api.example/Path", "api.example", 443, "/Path"},
        {"https://api.example:443/a", "https://api.example/a", "api.example", 443, "/a"},
        {"https://api.example:80/a", "https://api.example:80/a", "api.example", 80, "/a"},
        {"http://api.example:80/a", "http://api.example/a", "api.example", 80, "/a"},
        {"https://api.example:65535/a?b=c&d", "https://api.example:65535/a?b=c&d", "api.example", 65535, "/a?b=c&d"},
        {"https://api.example:1", "https://api.example:1/", "api.example", 1, "/"},
        {"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"},
        {"https://a_b.example/", "https://a_b.example/", "a_b.example", 443, "/"},
        {"https://localhost/", "https://localhost/", "localhost", 443, "/"},
        {"https://1and1.example", "https://1and1.example/", "1and1.example", 443, "/"},
        {"https://127.0.0.1:8443/x", "https://127.0.0.1:8443/x", "127.0.0.1", 8443, "/x"},
        {"https://[::1]/", "https://[::1]/", "::1", 443, "/"},
        {"https://[2001:DB8:0:0:0:0:0:1]:8443/", "https://[2001:db8::1]:8443/", "2001:db8::1", 8443, "/"},
        {"https://h.example/a/./b/../c", "https://h.example/a/c", "h.example", 443, "/a/c"},
        {"https://h.example/../../a", "https://h.example/a", "h.example", 443, "/a"},
        {"https://h.example/a/..", "https://h.example/", "h.example", 443, "/"},
        {"https://h.example/a/.", "https://h.example/a/", "h.example", 443, "/a/"},
        {"https://h.example/a//b/", "https://h.example/a//b/", "h.example", 443, "/a//b/"},
        {"https://h.example/.a/..b/c../...", "https://h.example/.a/..b/c../...", "h.example", 443, "/.a/..b/c../..."},
        {"https://h.example/a%2Fb%2fc%20d", "https://h.example/a%2Fb%2fc%20d", "h.example", 443, "/a%2Fb%2fc%20d"},
        {"https://h.example/a?x=../..&y=/.", "https://h.example/a?x=../..&y=/.", "h.example", 443, "/a?x=../..&y=/."},
        {"https://h.example/a;b=c,d@e:f!$&'()*+", "https://h.example/a;b=c,d@e:f!$&'()*+", "h.example", 443,
         "/a;b=c,d@e:f!$&'()*+"},
        {"https://h.example/?", "https://h.example/", "h.example", 443, "/"},
    };
    for (auto const& row : table) {
        BOOST_TEST_CONTEXT(row.text)
        {
            auto const u = url::parse(row.text);
            BOOST_REQUIRE(u.has_value());
            BOOST_TEST(u->to_string() == row.canonical);
            BOOST_TEST(u->origin().host == row.host);
            BOOST_TEST(int(u->origin().port) == row.port);
            BOOST_TEST(u->target() == row.target);
            auto const again = url::parse(u->to_string());
            BOOST_REQUIRE(again.has_value());
            BOOST_TEST((*again == *u));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_two_parsers_could_read_differently_is_refused)
{
    // T30
    for (std::string const& text : {
             ""s,
             "/"s,
             "api.example"s,
             "//api.example/"s,
             "https:"s,
             "https:/api.example"s,
             "https:api.example"s,
             "https://"s,
             "https:///a"s,
             "https://?a"s,
             "https://:443/"s,
             "ftp://api.example/"s,
             "ws://api.example/"s,
             "httpss://api.example/"s,
             "file:///etc/passwd"s,
             "https://good.example\\@evil.example/"s,
             "https://good.example\\.evil.example"s,
             "https:\\\\good.example"s,
             "https://user@api.example/"s,
             "https://user:pw@api.example/"s,
             "https://@api.example/"s,
             "https://a@b@c/"s,
             "https://good.example%2f@evil.example/"s,
             "https://good.example%2fevil.example/"s,
             "https://%61pi.example/"s,
             "https://api.example%00.evil.example/"s,
             "https://api%2eexample/"s,
             "https://api.example#frag"s,
             "https://api.example/#"s,
             "https://good.example#@evil.example/"s,
             "https://api.example:/"s,
             "https://api.example:0/"s,
             "https://api.example:65536/"s,
             "https://api.example:0443/"s,
             "https://api.example:99999999999999999999/"s,
             "https://api.example:-1/"s,
             "https://api.example:+443/"s,
             "https://api.example:4a/"s,
             "https://api.example:443:443/"s,
             "https://[::1"s,
             "https://::1/"s,
             "https://[fe80::1%25eth0]/"s,
             "https://[fe80::1%eth0]/"s,
             "https://[v1.x]/"s,
             "https://[1.2.3.4]/"s,
             "https://[::g]/"s,
             "https://[::1]x/"s,
             "https://2130706433/"s,
             "https://0x7f000001/"s,
             "https://0x7f.1/"s,
             "https://127.1/"s,
             "https://127.0.0.01/"s,
             "https://0177.0.0.1/"s,
             "https://256.0.0.1/"s,
             "https://1.2.3.4.5/"s,
             "https://127.0.0.0x1/"s,
             "https://a.0x/"s,
             "https://api.example./"s,
             "https://127.0.0.1./"s,
             "https://./"s,
             "https://../"s,
             "https://api..example/"s,
             "https://.api.example/"s,
             "https://-api.example/"s,
             "https://api-.example/"s,
             "https://api.exam ple/"s,
             "https://api.example\t/"s,
             "https://api.exa\tmple/"s,
             "https://api.example/\n"s,
             " https://api.example/"s,
             "https://api.example/ "s,
             "https://b\xc3\xbc"
             "cher.example/"s,
             "https://api.example/\xc3\xbc"s,
             "https://api\xef\xbc\x8e"
             "example/"s,
             "https://api.example/a\\b"s,
             "https://api.example/a|b"s,
             "https://api.example/<a>"s,
             "https://api.example/\"a\""s,
             "https://api.example/{id}"s,
             "https://api.example/a^b"s,
             "https://api.example/a`b"s,
             "https://api.example/%"s,
             "https://api.example/%2"s,
             "https://api.example/%zz"s,
             "https://api.example/?a=%"s,
             "https://api.example/%2e%2e/secret"s,
             "https://api.example/a/%2E./b"s,
             "https://api.example/.%2e"s,
             "https://api.example/%2e/a"s,
             "https://a,b.example/"s,
             "https://a!b.example/"s,
             "https://*.example/"s,
             "https://a;b.example/"s,
             "https://good.example&evil.example/"s,
             "https://"s + std::string(64, 'a') + ".example/",
             "https://"s + std::string(127, 'a').replace(63, 1, ".") + "." + std::string(63, 'b') + "."
                 + std::string(63, 'c') + "/",
             "https://api.example\0.evil.example/"s,
             "https://api.example/\0"s,
             "https://api.example/\x7f"s,
         }) {
        BOOST_TEST_CONTEXT(text)
        {
            auto const u = url::parse(text);
            BOOST_REQUIRE(!u.has_value());
            BOOST_TEST(u.error().code() == make_error_code(http::errc::bad_url));
            BOOST_TEST((u.error().phase() == phase::configure));
            BOOST_TEST((u.error().delivery() == delivery::not_sent));
        }
    }
}

BOOST_AUTO_TEST_CASE(every_byte_value_in_every_part_of_a_url_is_refused_or_kept)
{
    // T11, T30
    for (int i = 0; i != 256; ++i) {
        auto const c = std::string(1, static_cast<char>(i));
        bool const printable = i > 0x20 && i < 0x7f;
        for (auto const& text :
             {"https://ap" + c + "i.example/", "https://api.example/a" + c + "b", "https://api.example/?a" + c + "b",
              "https://api.example:44" + c + "/", "htt" + c + "ps://api.example/"}) {
            auto const u = url::parse(text);
            if (!printable)
                BOOST_TEST(!u.has_value());
            if (u)
                for (char const k : u->to_string())
                    BOOST_TEST((k > 0x20 && k < 0x7f && k != '\\' && k != '"' && k != '<' && k != '#'));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_failure_shows_neither_query_nor_userinfo)
{
    for (auto const* text :
         {"https://api.example\\/a?token=s3cret", "https://joe:s3cret@api.example/", "https://a/ #s3cret",
          "https://joe:a/s3cret@api.example/?s3cret", "https://api.example:0/?k=s3cret"}) {
        auto const u = url::parse(text);
        BOOST_REQUIRE(!u.has_value());
        BOOST_TEST(u.error().to_string().find("s3cret") == std::string::npos);
    }
    BOOST_TEST(url::parse("https://api.example/a?k=s3cret")->without_query() == "https://api.example/a");
}

BOOST_AUTO_TEST_CASE(an_origin_says_what_goes_into_host)
{
    BOOST_TEST((origin{true, "api.example", 443}.authority() == "api.example"));
    BOOST_TEST((origin{true, "api.example", 80}.authority() == "api.example:80"));
    BOOST_TEST((origin{false, "api.example", 80}.to_string() == "http://api.example"));
    BOOST_TEST((origin{true, "::1", 8443}.to_string() == "https://[::1]:8443"));
}

BOOST_AUTO_TEST_CASE(only_this_machine_is_loopback)
{
    for (auto const* host : {"localhost", "127.0.0.1", "127.255.0.3", "::1"})
        BOOST_TEST((origin{false, host, 80}.loopback()));
    for (auto const* host :
         {"localhost.example", "127.0.0.1.example", "128.0.0.1", "::2", "127.evil.example", "0.0.0.0", "", "1"})
        BOOST_TEST(!(origin{false, host, 80}.loopback()));
}

BOOST_AUTO_TEST_CASE(every_byte_value_is_encoded_for_a_path_and_for_a_form)
{
    // T11
    for (int i = 0; i != 256; ++i) {
        auto const c = static_cast<char>(i);
        bool const alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        char hex[4];
        std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned>(i));
        bool const unreserved = alphanumeric || (c != '\0' && std::string("-._~").find(c) != std::string::npos);
        BOOST_TEST(percent_encode({&c, 1}) == (unreserved ? std::string(1, c) : hex));
        std::string form;
        append_form_encoded(form, {&c, 1});
        bool const stays = alphanumeric || (c != '\0' && std::string("*-._").find(c) != std::string::npos);
        BOOST_TEST(form == (stays ? std::string(1, c) : c == ' ' ? "+" : hex));
    }
}

BOOST_AUTO_TEST_SUITE_END()
