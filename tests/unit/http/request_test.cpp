// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/request.hpp>

#include <jeton/http/error.hpp>
#include <jeton/http/headers.hpp>

#include "http/request_access.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace jeton;
using namespace jeton::http;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

void check_mistake(request const& r, http::errc code)
{
    BOOST_REQUIRE(r.mistake() != nullptr);
    BOOST_TEST(r.mistake()->code() == make_error_code(code));
    BOOST_TEST((r.mistake()->phase() == phase::configure));
    BOOST_TEST((r.mistake()->delivery() == delivery::not_sent));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_request)

BOOST_AUTO_TEST_CASE(a_request_tells_what_it_was_made_of)
{
    auto const r =
        request::post("/orders", "{}").query("dry run", "a&b=c/é").query("n", "1").header("X-Id", "7").deadline(2s);
    BOOST_TEST(r.mistake() == nullptr);
    BOOST_TEST(r.method() == "POST");
    BOOST_TEST(r.target() == "/orders?dry%20run=a%26b%3Dc%2F%C3%A9&n=1");
    BOOST_TEST(r.fields() == "Content-Type: application/json\r\nX-Id: 7\r\n");
    BOOST_TEST(r.body() == "{}");
    BOOST_TEST(r.has_body());
    BOOST_TEST(!r.has_secret_body());
    BOOST_TEST((r.within() == 2s));
    BOOST_TEST(!r.until().has_value());
    BOOST_TEST(r.wants_token());
    BOOST_TEST(!r.repeatable());
    BOOST_TEST(r.has_header("x-id"));
    BOOST_TEST(!r.has_header("x-i"));

    auto const g = request::get("/a?b=c").query("d", "").anonymous();
    BOOST_TEST(g.target() == "/a?b=c&d=");
    BOOST_TEST(!g.has_body());
    BOOST_TEST(!g.wants_token());
}

BOOST_AUTO_TEST_CASE(every_byte_value_in_method_target_and_fields_is_refused_or_harmless)
{
    // J18, T11
    for (int i = 0; i != 256; ++i) {
        auto const c = std::string(1, static_cast<char>(i));
        BOOST_TEST_CONTEXT("byte " << i)
        {
            bool const harmful = i < 0x20 || i == 0x7f;
            request const method("GE" + c + "T", "/");
            BOOST_TEST((method.mistake() == nullptr) == is_token(c));
            auto const target = request::get("/a" + c + "b");
            auto const query = request::get("/a?b" + c + "d");
            if (harmful || i == ' ' || i >= 0x80) {
                check_mistake(target, http::errc::bad_target);
                check_mistake(query, http::errc::bad_target);
            }
            auto const name = request::get("/").header("X" + c + "Y", "v");
            BOOST_TEST((name.mistake() == nullptr) == is_token(c));
            auto const value = request::get("/").header("X", "v" + c + "w");
            BOOST_TEST((value.mistake() == nullptr) == (!harmful || i == '\t'));
            auto const type = request::get("/").body("", "a" + c + "b");
            BOOST_TEST((type.mistake() == nullptr) == (!harmful || i == '\t'));
            auto const encoded = request::get("/").query("n" + c, "v" + c);
            BOOST_TEST(encoded.mistake() == nullptr);
            for (char const k : encoded.target())
                BOOST_TEST((k > 0x20 && k < 0x7f));
            // What was refused is not kept, whoever might send it in spite of that.
            if (harmful && i != '\t')
                BOOST_TEST(value.fields() == "");
        }
    }
}

BOOST_AUTO_TEST_CASE(methods_and_targets_that_cannot_be_sent_are_mistakes)
{
    // J18
    check_mistake(request("", "/"), http::errc::bad_method);
    check_mistake(request("CONNECT", "/"), http::errc::bad_method);
    check_mistake(request("GET /x HTTP/1.1\r\nHost: evil\r\n\r\nGET", "/"), http::errc::bad_method);
    for (auto const* target : {"",
                               "a",
                               "*",
                               "//evil.example/",
                               "ftp://h/",
                               "/a#b",
                               "/a\\b",
                               "/%",
                               "/%2",
                               "/%g0",
                               "/{",
                               "/{}",
                               "/{a",
                               "/{a b}",
                               "/}",
                               "/a?{b}",
                               "javascript:x",
                               "://x",
                               "/a|b",
                               "/<a>",
                               "/a b",
                               "/ HTTP/1.1\r\nHost: evil"})
        check_mistake(request::get(target), http::errc::bad_target);
    for (auto const* target : {"/", "/a/{ID}/b", "https://api.example/a?b", "HTTP://localhost:1/",
                               "/a%2fb?c=d[0]&e:/?@", "https://api.example", "/?next=//x", "/a//b"})
        BOOST_TEST(request::get(target).mistake() == nullptr);
}

BOOST_AUTO_TEST_CASE(fields_that_frame_the_message_are_not_the_callers)
{
    // J18
    for (auto const* name : {"Host", "content-length", "Transfer-Encoding", "CONNECTION", "TE", "Upgrade", "Expect",
                             "Keep-Alive", "Trailer", "Proxy-Connection", "Proxy-Authorization", "HTTP2-Settings"})
        check_mistake(request::get("/").header(name, "x"), http::errc::bad_field);
    for (auto const* name : {"Hosts", "Accept", "User-Agent", "Authorization", "Content-Type"})
        BOOST_TEST(request::get("/").header(name, "x").mistake() == nullptr);
    for (auto const* value : {" a", "a ", "\t", "a\r\nHost: evil"})
        check_mistake(request::get("/").header("X", value), http::errc::bad_field);
    BOOST_TEST(request::get("/").header("X", "").fields() == "X: \r\n");
}

BOOST_AUTO_TEST_CASE(the_first_mistake_counts_and_shows_no_value)
{
    auto const r = request::get("/a b?key=s3cret").header("X", "s3cret\n").header("Host", "x");
    check_mistake(r, http::errc::bad_target);
    BOOST_TEST(r.mistake()->to_string().find("s3cret") == std::string::npos);
    auto const h = request::get("/").header("X-Key", "s3cret\n");
    BOOST_TEST(h.mistake()->diag().ours.find("s3cret") == std::string::npos);
    BOOST_TEST(h.mistake()->diag().ours.find("X-Key") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_content_type_of_the_callers_wins_in_any_order)
{
    BOOST_TEST(request::post("/", "x").header("A", "b").header("content-type", "text/plain").fields()
               == "A: b\r\ncontent-type: text/plain\r\n");
    BOOST_TEST(request("POST", "/").header("Content-Type", "text/plain").body("x").fields()
               == "Content-Type: text/plain\r\n");
    BOOST_TEST(request::post("/", "x").header("A", "b").body("y", "text/csv").fields()
               == "Content-Type: text/csv\r\nA: b\r\n");
    BOOST_TEST(request::post("/", "x").body("y", "").fields() == "");
}

BOOST_AUTO_TEST_CASE(copies_share_their_parts_until_one_is_changed)
{
    auto const original = request::post("/a", std::string(1000, 'x'));
    auto copy = original;
    BOOST_TEST(copy.target().data() == original.target().data());
    copy.header("X", "y").query("a", "b");
    copy.deadline(time_point(5s));
    BOOST_TEST(original.fields() == "Content-Type: application/json\r\n");
    BOOST_TEST(original.target() == "/a");
    BOOST_TEST(!original.until().has_value());
    BOOST_TEST(copy.target() == "/a?a=b");
    BOOST_TEST((copy.until() == time_point(5s)));
    BOOST_TEST(copy.body().data() == original.body().data());
}

BOOST_AUTO_TEST_CASE(what_may_be_sent_twice_is_idempotent_or_said_to_be)
{
    for (auto const* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
        BOOST_TEST(request(method, "/").repeatable());
    for (auto const* method : {"POST", "PATCH", "get", "QUERY"})
        BOOST_TEST(!request(method, "/").repeatable());
    BOOST_TEST(request::post("/", "").replayable().repeatable());
    BOOST_TEST(request::post("/", "").header("idempotency-key", "1").repeatable());
}

BOOST_AUTO_TEST_CASE(a_secret_body_replaces_an_open_one_and_the_other_way_round)
{
    auto r = request::post("/", "open");
    r.secret_body(secret("hidden"), "application/x-www-form-urlencoded");
    BOOST_TEST(r.has_secret_body());
    BOOST_TEST(r.body() == "hidden");
    BOOST_TEST(r.fields() == "Content-Type: application/x-www-form-urlencoded\r\n");
    r.body("open");
    BOOST_TEST(!r.has_secret_body());
    BOOST_TEST(r.body() == "open");
}

BOOST_AUTO_TEST_CASE(decorators_tell_the_transport_below_where_it_goes_and_with_what)
{
    auto const original = request::get("/wallet");
    auto r = original;
    auto const to = std::make_shared<origin const>(origin{true, "api.example", 443});
    request_access::resolve(r, to, "/v1/wallet");
    request_access::authorize(r, std::make_shared<secret const>("Authorization: Bearer x\r\n"));
    request_access::only_dialled_after(r, time_point(3s));
    request_access::count_attempt(r, 2);
    BOOST_TEST(r.target() == "/v1/wallet");
    BOOST_TEST(original.target() == "/wallet");
    BOOST_TEST(request_access::origin_of(r) == to);
    BOOST_TEST(request_access::origin_of(original) == nullptr);
    BOOST_TEST((request_access::authorization_of(r)->reveal() == "Authorization: Bearer x\r\n"));
    BOOST_TEST((request_access::dialled_after(r) == time_point(3s)));
    BOOST_TEST(request_access::attempt_of(r) == 2);
}

BOOST_AUTO_TEST_SUITE_END()
