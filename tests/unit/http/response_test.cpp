// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/response.hpp>

#include "http/response_builder.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

using namespace jeton;
using namespace jeton::http;
using namespace std::chrono_literals;

namespace {

std::string const head = "HTTP/1.1 200 OK\r\nA: bc\r\nD: e\r\n\r\n";
std::vector<field_position> const fields = {{17, 20, 2, 1}, {24, 27, 1, 1}};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_response)

BOOST_AUTO_TEST_CASE(a_response_of_known_size_is_read_straight_into_its_block)
{
    response_builder builder;
    BOOST_TEST(!builder.started());
    builder.start(200, head, fields, 5);
    BOOST_TEST(builder.started());
    auto const room = builder.body_room(5);
    BOOST_TEST(room.size() == 5u);
    std::memcpy(room.data(), "hel", 3);
    builder.commit(3);
    // The same block all the way: nothing moves.
    auto const rest = builder.body_room(2);
    BOOST_TEST(rest.size() == 2u);
    BOOST_TEST((rest.data() == room.data() + 3));
    std::memcpy(rest.data(), "lo", 2);
    builder.commit(2);
    BOOST_TEST(builder.body_size() == 5u);

    auto const r = builder.finish();
    BOOST_TEST(!builder.started());
    BOOST_TEST(r.status() == 200);
    BOOST_TEST(r.text() == "hello");
    BOOST_TEST((r.text().data() == room.data()));
    BOOST_TEST(r.headers().size() == 2u);
    BOOST_TEST(r.header("a").value() == "bc");
    BOOST_TEST(r.header("D").value() == "e");
    BOOST_TEST(!r.header("x").has_value());
    BOOST_TEST(r.trailers().size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_response_of_unknown_size_grows)
{
    for (bool const secret : {false, true}) {
        response_builder builder;
        builder.start(404, head, fields, std::nullopt, secret);
        std::string body;
        for (int i = 0; i != 1000; ++i) {
            auto const piece = std::string(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
            builder.append(piece);
            body += piece;
        }
        auto const r = builder.finish();
        BOOST_TEST(r.status() == 404);
        BOOST_TEST(r.text() == body);
        BOOST_TEST(r.header("A").value() == "bc");
    }
}

BOOST_AUTO_TEST_CASE(trailers_are_never_merged_into_the_headers)
{
    // J5
    for (std::size_t const size : {0U, 1U, 2U, 3U, 5000U}) {
        response_builder builder;
        builder.start(200, head, fields, std::nullopt);
        builder.append(std::string(size, 'x'));
        std::string const text = "A: later\r\n\r\n";
        std::vector<field_position> const at = {{0, 3, 5, 1}};
        builder.trailers(text, at);
        auto const r = builder.finish();
        BOOST_TEST(r.headers().count("A") == 1u);
        BOOST_TEST(r.header("A").value() == "bc");
        BOOST_TEST(r.trailers().size() == 1u);
        BOOST_TEST(r.trailers().find("a").value() == "later");
        BOOST_TEST(r.text() == std::string(size, 'x'));
    }
}

BOOST_AUTO_TEST_CASE(a_response_moves_and_tells_how_it_came_about)
{
    response_builder builder;
    builder.start(204, head, {}, 0);
    auto r = builder.finish();
    response_access::info(r).reused = true;
    response_access::info(r).attempts = 2;
    response_access::info(r).phases.first_byte = 3ms;
    response_access::wipe_on_destroy(r);
    auto moved = std::move(r);
    BOOST_TEST(moved.status() == 204);
    BOOST_TEST(moved.text() == "");
    BOOST_TEST(moved.headers().size() == 0u);
    BOOST_TEST(moved.reused());
    BOOST_TEST(moved.attempts() == 2);
    BOOST_TEST(moved.protocol() == "http/1.1");
    BOOST_TEST((moved.phases().first_byte == 3ms));

    builder.start(500, head, fields, 1);
    builder.append("x");
    moved = builder.finish();
    BOOST_TEST(moved.status() == 500);
    BOOST_TEST(!moved.reused());
}

BOOST_AUTO_TEST_CASE(a_builder_drops_what_was_begun_and_starts_again)
{
    response_builder builder;
    builder.start(200, head, fields, 100);
    builder.append("half");
    builder.start(201, head, fields, 1);
    builder.append("x");
    auto other = std::move(builder);
    BOOST_TEST(!builder.started());
    BOOST_TEST(other.finish().text() == "x");
    other.start(200, head, fields, 100);
    other.reset();
    BOOST_TEST(!other.started());
    BOOST_TEST(other.body_size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
