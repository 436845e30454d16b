// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h1_request_writer.hpp"

#include "http/request_access.hpp"
#include "http/wire_buffer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <string>

using namespace jeton;
using namespace jeton::http;

namespace {

std::string const origin_head = h1_origin_head({true, "api.example", 443}, "jeton/1");

std::string written(request const& what)
{
    wire_buffer out;
    auto const rest = write_request(out, what, origin_head);
    return std::string(out.view()).append(rest);
}

request authorized(request what)
{
    request_access::authorize(what, std::make_shared<secret const>("Authorization: Bearer t0ken\r\n"));
    return what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_h1_request_writer)

BOOST_AUTO_TEST_CASE(a_request_is_one_contiguous_head)
{
    // J18: Host is exact, one space, no Connection field.
    BOOST_TEST(written(authorized(request::get("/eth/v0/status?a=b")))
               == "GET /eth/v0/status?a=b HTTP/1.1\r\n"
                  "Host: api.example\r\n"
                  "User-Agent: jeton/1\r\n"
                  "Accept: application/json\r\n"
                  "Authorization: Bearer t0ken\r\n"
                  "\r\n");
    BOOST_TEST(written(request::post("/orders", "{}").header("X-Id", "7"))
               == "POST /orders HTTP/1.1\r\n"
                  "Host: api.example\r\n"
                  "User-Agent: jeton/1\r\n"
                  "Accept: application/json\r\n"
                  "Content-Type: application/json\r\n"
                  "X-Id: 7\r\n"
                  "Content-Length: 2\r\n"
                  "\r\n{}");
}

BOOST_AUTO_TEST_CASE(a_target_stands_behind_the_path_of_its_base)
{
    auto what = request::get("/balance?x=1");
    request_access::resolve_behind(what, std::make_shared<origin const>(origin{true, "api.example", 443}), "/v1");
    BOOST_TEST(written(what).starts_with("GET /v1/balance?x=1 HTTP/1.1\r\n"));
    request_access::resolve(what, request_access::origin_of(what), "/elsewhere");
    BOOST_TEST(written(what).starts_with("GET /elsewhere HTTP/1.1\r\n"));
}

BOOST_AUTO_TEST_CASE(host_is_the_origins)
{
    // J18, T30
    BOOST_TEST(h1_origin_head({true, "api.example", 8443}, "") == "Host: api.example:8443\r\n");
    BOOST_TEST(h1_origin_head({false, "::1", 8080}, "x") == "Host: [::1]:8080\r\nUser-Agent: x\r\n");
}

BOOST_AUTO_TEST_CASE(what_the_caller_sets_is_not_set_twice)
{
    auto const text = written(authorized(request::get("/")
                                             .header("accept", "text/csv")
                                             .header("user-agent", "mine")
                                             .header("authorization", "Basic x")));
    BOOST_TEST(text
               == "GET / HTTP/1.1\r\nHost: api.example\r\naccept: text/csv\r\nuser-agent: mine\r\nauthorization: Basic "
                  "x\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(a_length_is_said_where_a_body_is_or_might_be_expected)
{
    auto const says_zero = [](request const& r) {
        return written(r).find("\r\nContent-Length: 0\r\n") != std::string::npos;
    };
    for (auto const* method : {"POST", "PUT", "PATCH"})
        BOOST_TEST(says_zero(request(method, "/")));
    for (auto const* method : {"GET", "HEAD", "DELETE", "OPTIONS"})
        BOOST_TEST(written(request(method, "/")).find("Content-Length") == std::string::npos);
    BOOST_TEST(says_zero(request::del("/").body("")));
    BOOST_TEST(written(request::del("/").body("x")).ends_with("Content-Length: 1\r\n\r\nx"));
}

BOOST_AUTO_TEST_CASE(a_large_body_is_not_copied)
{
    wire_buffer out;
    auto const small = request::post("/", std::string(16 * 1024, 'a'));
    BOOST_TEST(write_request(out, small, origin_head).empty());
    BOOST_TEST(out.view().ends_with(small.body()));

    out.clear();
    auto const large = request::post("/", std::string(16 * 1024 + 1, 'a'));
    auto const rest = write_request(out, large, origin_head);
    BOOST_TEST((rest.data() == large.body().data()));
    BOOST_TEST(rest.size() == large.body().size());
    BOOST_TEST(out.view().ends_with("Content-Length: 16385\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(a_request_is_appended_to_what_is_there)
{
    wire_buffer out;
    out.append("before");
    write_request(out, request::get("/"), origin_head);
    BOOST_TEST(out.view().starts_with("beforeGET / HTTP/1.1\r\n"));
}

BOOST_AUTO_TEST_CASE(a_wire_buffer_is_consumed_in_front_and_filled_behind)
{
    wire_buffer b;
    BOOST_TEST(b.empty());
    std::string expected;
    for (int i = 0; i != 2000; ++i) {
        auto const piece = std::string(static_cast<std::size_t>(i % 61), static_cast<char>('a' + i % 26));
        b.append(piece);
        expected += piece;
        auto const n = std::min<std::size_t>(static_cast<std::size_t>(i % 53), b.size());
        b.consume(n);
        expected.erase(0, n);
        BOOST_REQUIRE(b.view() == expected);
    }
    // What is dropped in front is used again.
    BOOST_TEST(b.capacity() < 64 * 1024u);
}

BOOST_AUTO_TEST_CASE(a_wiped_wire_buffer_holds_nothing_of_what_went_through_it)
{
    wire_buffer b;
    b.append("s3cret");
    b.consume(6);
    b.append("x");
    b.wipe();
    BOOST_TEST(b.empty());
    auto const room = b.prepare(6);
    BOOST_TEST(std::string(room.data(), 6) == std::string(6, '\0'));
    auto const before = b.capacity();
    BOOST_TEST(before > 0u);
    b.release();
    BOOST_TEST(b.capacity() == 0u);
    b.append("again");
    auto moved = std::move(b);
    BOOST_TEST(moved.view() == "again");
    BOOST_TEST(b.empty());
}

BOOST_AUTO_TEST_SUITE_END()
