// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/request_parser.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace jeton::testing;

namespace {

using kind = request_parser::outcome::kind;

constexpr std::string_view post =
    "POST /a/b?c=d HTTP/1.1\r\nHost: x:1\r\nContent-Type: text/plain\r\nAuthorization: Bearer t\r\n"
    "Content-Length: 5\r\n\r\nhello";

request_parser::outcome parse(std::string_view text)
{
    server_request into;
    return request_parser().parse(text, into);
}

int status_of(std::string_view text)
{
    auto const o = parse(text);
    return o.what == kind::bad ? o.status : o.what == kind::whole ? 200 : 0;
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(jeton::testing::request_parser::outcome::kind)

BOOST_AUTO_TEST_SUITE(testing_request_parser)

BOOST_AUTO_TEST_CASE(a_request_is_taken_apart)
{
    server_request r;
    auto const o = request_parser().parse(post, r);
    BOOST_TEST(o.what == kind::whole);
    BOOST_TEST(o.consumed == post.size());
    BOOST_TEST(r.method == "POST");
    BOOST_TEST(r.target == "/a/b?c=d");
    BOOST_TEST(r.path == "/a/b");
    BOOST_TEST(r.query == "c=d");
    BOOST_TEST(r.host == "x:1");
    BOOST_TEST(r.content_type == "text/plain");
    BOOST_TEST(r.authorization == "Bearer t");
    BOOST_TEST(r.body == "hello");
    BOOST_TEST(r.keep_alive);
    BOOST_TEST(r.fields().size() == 4U);
    BOOST_TEST(r.fields()[1].name == "Content-Type");
    BOOST_TEST(r.fields()[1].value == "text/plain");
}

BOOST_AUTO_TEST_CASE(every_split_gives_the_same)
{
    server_request r;
    request_parser p;
    for (std::size_t n = 0; n != post.size(); ++n)
        BOOST_TEST(p.parse(post.substr(0, n), r).what == kind::more);
    BOOST_TEST(p.parse(post, r).what == kind::whole);
    BOOST_TEST(r.body == "hello");
}

BOOST_AUTO_TEST_CASE(what_follows_belongs_to_the_next_request)
{
    auto const two = std::string(post) + std::string(post);
    BOOST_TEST(parse(two).consumed == post.size());
}

BOOST_AUTO_TEST_CASE(connection_close_is_noticed)
{
    server_request r;
    request_parser().parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", r);
    BOOST_TEST(!r.keep_alive);
}

BOOST_AUTO_TEST_CASE(what_a_client_must_not_send_is_refused)
{
    struct row {
        int status;
        std::string_view text;
    };
    row const rows[] = {
        {200, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
        {200, "GET / HTTP/1.1\r\nHost: x\r\nEmpty:\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n\r\n"},                        // J18: no Host
        {400, "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"},  // J18: two of them
        {400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},            // J18: two blanks
        {400, "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n"},
        {400, "GET /#f HTTP/1.1\r\nHost: x\r\n\r\n"},
        {400, "GET x HTTP/1.1\r\nHost: x\r\n\r\n"},
        {400, "G(T / HTTP/1.1\r\nHost: x\r\n\r\n"},
        {400, "\r\n\r\n"},
        {400, "GET / http/1.1\r\nHost: x\r\n\r\n"},
        {505, "GET / HTTP/1.0\r\nHost: x\r\n\r\n"},
        {505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost : x\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"},  // B1: once
        {400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"},
        {413, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n"},
        {413, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"},
        {501, "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"},
    };
    for (auto const& r : rows)
        BOOST_TEST(status_of(r.text) == r.status, r.text);
}

BOOST_AUTO_TEST_CASE(a_head_has_an_end)
{
    auto const field = "X: " + std::string(60000, 'a') + "\r\n";
    BOOST_TEST(status_of("GET / HTTP/1.1\r\nHost: x\r\n" + field + "\r\n") == 200);
    BOOST_TEST(status_of("GET / HTTP/1.1\r\nHost: x\r\n" + field + field + "\r\n") == 431);
    BOOST_TEST(status_of("GET / HTTP/1.1\r\nHost: x\r\n" + field + field) == 431);
    std::string many;
    for (int i = 0; i != 100; ++i)
        many += "A: b\r\n";
    BOOST_TEST(status_of("GET / HTTP/1.1\r\nHost: x\r\n" + many + "\r\n") == 431);
}

BOOST_AUTO_TEST_SUITE_END()
