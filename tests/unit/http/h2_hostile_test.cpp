// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h2_session.hpp"

#include "h2_scene.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace std::chrono_literals;
using namespace jeton;
using http::h2_limits;
using jeton::testing::h2_asked;
using jeton::testing::h2_scene;
namespace h2 = jeton::testing::h2;

namespace {

std::string repeated(std::string_view what, int times)
{
    std::string all;
    for (int i = 0; i != times; ++i)
        all += what;
    return all;
}

// Two requests; `frames` are sent, whole or byte by byte. Both fail with `code`, and the peer is told with `farewell`.
void ends_the_connection(std::string_view frames, http::errc code, std::uint32_t farewell,
                         std::string_view greeting = h2::greeting())
{
    for (std::size_t const cut : {std::string_view::npos, std::size_t(1)}) {
        h2_scene s(greeting);
        s.cut = cut;
        auto* const one = s.send("POST", "x");
        auto* const other = s.send();
        s.feed(frames);
        BOOST_TEST(s.it.dead());
        BOOST_TEST((s.dead_code == code), s.dead_code);
        BOOST_TEST((one->code == code), one->code);
        BOOST_TEST((other->code == code), other->code);
        BOOST_TEST(!one->unprocessed);
        BOOST_TEST(!one->done);
        BOOST_TEST(s.it.slots() == 0u);
        auto const told = s.frames(h2::goaway);
        BOOST_REQUIRE(told.size() == 1u);
        BOOST_TEST(told[0].number(4) == farewell);
        s.feed(h2::answer(1));
        BOOST_TEST(!one->done);
    }
}

// The first request fails with `code`, the second one is answered.
void ends_the_stream(std::string_view frames, http::errc code, h2_limits const& how = {})
{
    for (std::size_t const cut : {std::string_view::npos, std::size_t(1)}) {
        h2_scene s(h2::greeting(), how);
        s.cut = cut;
        auto* const one = s.send();
        auto* const other = s.send();
        s.feed(frames);
        BOOST_TEST((one->code == code), one->code);
        BOOST_TEST(!one->done);
        BOOST_TEST(s.frames(h2::rst_stream).size() == 1u);
        s.feed(h2::answer(1));
        s.feed(h2::answer(3));
        BOOST_TEST(!one->done);
        BOOST_TEST(other->story == "head 200 server=x; data; end; ");
        BOOST_TEST(!s.it.dead());
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_h2_hostile)

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_speak_http2_is_refused)
{
    // K17
    for (std::string_view const first :
         {std::string_view("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), std::string_view("SSH-2.0-x\r\n"),
          std::string_view("\0\0\0\4\1\0\0\0\0", 9)}) {
        for (std::size_t const cut : {std::string_view::npos, std::size_t(1)}) {
            h2_scene s(std::string_view{});
            s.cut = cut;
            auto* const one = s.send();
            s.feed(first);
            BOOST_TEST((one->code == http::errc::not_h2));
            BOOST_TEST(s.it.dead());
        }
    }
}

BOOST_AUTO_TEST_CASE(faulty_settings_end_the_connection)
{
    // K4
    using http::errc;
    ends_the_connection(h2::set({{2, 1}}), errc::h2_protocol, h2::protocol_error);
    ends_the_connection(h2::set({{2, 2}}), errc::h2_protocol, h2::protocol_error);
    ends_the_connection(h2::set({{4, 0x80000000}}), errc::h2_flow_control, h2::flow_control_error);
    ends_the_connection(h2::set({{5, 16383}}), errc::h2_protocol, h2::protocol_error);
    ends_the_connection(h2::set({{5, 16777216}}), errc::h2_protocol, h2::protocol_error);
    ends_the_connection(h2::frame(h2::settings, h2::ack, 0, "xxxxxx"), errc::h2_frame_size, h2::frame_size_error);
    ends_the_connection(h2::frame(h2::settings, 0, 0, "xxxxx"), errc::h2_frame_size, h2::frame_size_error);
    ends_the_connection(h2::frame(h2::settings, 0, 1), errc::h2_protocol, h2::protocol_error);
    ends_the_connection(h2::settings_ack(), errc::h2_protocol, h2::protocol_error);  // of nothing
}

BOOST_AUTO_TEST_CASE(header_blocks_may_come_in_pieces)
{
    // K5
    auto const block = h2::block({{":status", "200"}, {"server", "x"}});
    {
        h2_scene s;
        auto* const one = s.send();
        s.feed(h2::frame(h2::headers, h2::end_stream, 1, block.substr(0, 1)));
        for (std::size_t i = 1; i != 8; ++i)
            s.feed(h2::frame(h2::continuation, 0, 1, block.substr(i, 1)));
        s.feed(h2::frame(h2::continuation, h2::end_headers, 1, block.substr(8)));
        BOOST_TEST(one->story == "head 200 server=x; end; ");
    }
    for (std::size_t const cut : {std::size_t(1), std::string_view::npos}) {
        h2_scene s;
        s.cut = cut;
        auto* const one = s.send();
        s.feed(h2::frame(h2::headers, h2::end_stream, 1, block.substr(0, 1)));
        s.feed(h2::frame(h2::continuation, 0, 1, block.substr(1, 5)));
        s.feed(repeated(h2::frame(h2::continuation, 0, 1), 6));
        s.feed(h2::frame(h2::continuation, h2::end_headers, 1, block.substr(6)));
        BOOST_TEST(one->story == "head 200 server=x; end; ");
    }
}

BOOST_AUTO_TEST_CASE(header_blocks_that_are_interleaved_or_have_no_end_are_refused)
{
    // K5
    auto const block = h2::block({{":status", "200"}, {"server", "x"}});
    using http::errc;
    auto const begin = h2::frame(h2::headers, 0, 1, block);
    ends_the_connection(begin + h2::frame(h2::ping, 0, 0, "01234567"), errc::h2_protocol, h2::protocol_error);
    ends_the_connection(begin + h2::frame(h2::continuation, h2::end_headers, 3), errc::h2_protocol, h2::protocol_error);
    ends_the_connection(h2::frame(h2::continuation, h2::end_headers, 1), errc::h2_protocol, h2::protocol_error);
    // CVE-2024-28182, with and without bytes in them
    ends_the_connection(begin + repeated(h2::frame(h2::continuation, 0, 1), 9), errc::h2_flood, h2::enhance_your_calm);
    ends_the_connection(begin + repeated(h2::frame(h2::continuation, 0, 1, h2::literal("a", "b")), 1000),
                        errc::h2_flood, h2::enhance_your_calm);
    // Large rather than many: the list is too large before the block is.
    auto const large = h2::literal("x", std::string(16000, 'x'));
    h2_scene s;
    auto* const one = s.send();
    s.feed(begin + repeated(h2::frame(h2::continuation, 0, 1, large), 6));
    BOOST_TEST((one->code == errc::header_too_large));
    BOOST_TEST((s.dead_code == errc::h2_flood));
}

BOOST_AUTO_TEST_CASE(a_header_that_grows_when_it_is_decoded_is_refused_while_it_does)
{
    // K6: one large field in the table, and then its index again and again
    auto const bomb =
        h2::indexed(8) + h2::indexed_literal("x", std::string(3900, 'x')) + repeated(h2::indexed(62), 12000);
    ends_the_stream(h2::frame(h2::headers, h2::end_headers | h2::end_stream, 1, bomb), http::errc::header_too_large);
    std::string many;
    for (int i = 0; i != 257; ++i)
        many += h2::literal("a", "b");
    ends_the_stream(h2::frame(h2::headers, h2::end_headers | h2::end_stream, 1, h2::indexed(8) + many),
                    http::errc::header_too_large);
}

BOOST_AUTO_TEST_CASE(a_header_list_of_just_the_size_that_is_allowed_is_read)
{
    // K6
    // The limit itself is allowed: 32 bytes for each field count (RFC 9113 §6.5.2).
    h2_limits how;
    how.answers.head = 32 + 10 + 32 + 40;
    {
        h2_scene s(h2::greeting(), how);
        auto* const one = s.send();
        s.feed(h2::head(1, {{":status", "200"}, {"x", std::string(39, 'x')}}, true));
        BOOST_TEST(one->done);
    }
    ends_the_stream(h2::head(1, {{":status", "200"}, {"x", std::string(40, 'x')}}, true), http::errc::header_too_large,
                    how);
}

BOOST_AUTO_TEST_CASE(floods_are_bounded)
{
    // K8
    using http::errc;
    std::string const floods[] = {
        repeated(h2::set(), 20000),
        repeated(h2::frame(h2::ping, 0, 0, "01234567"), 20000),
        repeated(h2::frame(h2::ping, h2::ack, 0, "01234567"), 20000),
        repeated(h2::window(0, 1), 20000),
        repeated(h2::window(1, 1), 20000),
        repeated(h2::frame(h2::priority, 0, 3, std::string("\0\0\0\0\1", 5)), 20000),
        repeated(h2::frame(0xbb, 0, 0), 20000),
        repeated(h2::go_away(0x7fffffff), 20000),
        h2::head(1, {{":status", "200"}}) + repeated(h2::body(1, "", false), 20000),
        h2::head(1, {{":status", "200"}}) + repeated(h2::frame(h2::data, h2::padded, 1, std::string("\1\0", 2)), 20000),
        h2::reset(3, h2::cancel) + repeated(h2::head(3, {}), 20000),
    };
    for (auto const& flood : floods) {
        BOOST_TEST_CONTEXT("frame type " << static_cast<int>(flood[flood.size() > 3 ? 3 : 0]))
        {
            // As a connection brings it: a few kilobytes at a time, each answered at once.
            h2_scene s;
            s.cut = 4096;
            auto* const one = s.send();
            s.send();
            s.feed(flood);
            BOOST_TEST(s.it.dead());
            BOOST_TEST((s.dead_code == errc::h2_flood), s.dead_code);
            BOOST_TEST(one->failed);
            BOOST_TEST(!one->unprocessed);
            auto const told = s.frames(h2::goaway);
            BOOST_REQUIRE(told.size() == 1u);
            BOOST_TEST(told[0].number(4) == h2::enhance_your_calm);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_flood_of_resets_is_bounded_more_tightly)
{
    // K8: CVE-2023-44487
    for (int const count : {1000, 1001}) {
        h2_scene s;
        s.send();
        auto* const one = s.send();
        s.feed(repeated(h2::reset(1, h2::cancel), count));
        BOOST_TEST(s.it.dead() == (count == 1001));
        BOOST_TEST(one->failed == (count == 1001));
        s.feed(h2::answer(3));
        BOOST_TEST(one->done == (count == 1000));
    }
}

BOOST_AUTO_TEST_CASE(acknowledgements_do_not_pile_up_while_nothing_can_be_written)
{
    // K8: a peer that asks and does not read
    h2_scene s;
    auto* const one = s.send();
    for (int i = 0; i != 2000 && !s.it.dead(); ++i)
        s.hear(s.it.feed(h2::frame(h2::ping, 0, 0, "01234567"), s.now));
    BOOST_TEST(s.it.dead());
    BOOST_TEST((one->code == http::errc::h2_flood));
}

BOOST_AUTO_TEST_CASE(interim_answers_without_end_are_refused)
{
    // K8
    ends_the_stream(repeated(h2::head(1, {{":status", "103"}}), 33), http::errc::too_many_interim);
    ends_the_stream(repeated(h2::head(1, {{":status", "103"}, {"link", std::string(10000, 'x')}}), 7),
                    http::errc::too_many_interim);
    h2_scene s;
    auto* const one = s.send();
    s.feed(repeated(h2::head(1, {{":status", "103"}}), 32) + h2::answer(1));
    BOOST_TEST(one->done);
}

BOOST_AUTO_TEST_CASE(a_busy_connection_is_no_flood)
{
    // K8: window updates for what is sent, and early hints before each answer
    h2_scene s(h2::greeting({{4, 0x7fffffff}}));
    s.feed(h2::window(0, 0x7fff0000 - 65535));
    std::string const body(64 * 16384, 'b');
    std::uint32_t id = 1;
    for (int i = 0; i != 30; ++i, id += 2) {
        auto* const one = s.send("POST", body);
        s.feed(repeated(h2::window(0, 4096) + h2::window(id, 4096), 256) + h2::answer(id));
        BOOST_REQUIRE(one->done);
        s.sent.clear();
    }
    for (int i = 0; i != 5000; ++i, id += 2) {
        auto* const one = s.send();
        s.feed(h2::head(id, {{":status", "103"}}) + h2::frame(h2::ping, 0, 0, "01234567") + h2::window(0, 1)
               + h2::answer(id));
        BOOST_REQUIRE(one->done);
        s.sent.clear();
    }
    BOOST_TEST_CONTEXT("nor is a server that answers before it has read what was sent, as nginx does")
    for (int i = 0; i != 5000; ++i, id += 2) {
        auto* const one = s.send("POST", "body");
        s.feed(h2::answer(id) + h2::reset(id, h2::no_error));
        BOOST_REQUIRE(one->done);
        s.sent.clear();
    }
    BOOST_TEST(!s.it.dead());
}

BOOST_AUTO_TEST_CASE(malformed_answers_are_delivered_to_nobody)
{
    // K9
    auto const whole = [](h2::fields const& f) { return h2::head(1, f, true); };
    std::string const cases[] = {
        whole({}),
        whole({{"server", "x"}}),
        whole({{":status", "200"}, {":status", "200"}}),
        whole({{"server", "x"}, {":status", "200"}}),
        whole({{":status", "20"}}),
        whole({{":status", "2000"}}),
        whole({{":status", "abc"}}),
        whole({{":status", "099"}}),
        whole({{":status", "600"}}),
        whole({{":status", ""}}),
        whole({{":status", "101"}}),
        whole({{":status", "200"}, {":path", "/"}}),
        whole({{":status", "200"}, {":other", "x"}}),
        whole({{":status", "200"}, {"Server", "x"}}),
        whole({{":status", "200"}, {"", "x"}}),
        whole({{":status", "200"}, {"a b", "x"}}),
        whole({{":status", "200"}, {"a", "x\ry"}}),
        whole({{":status", "200"}, {"a", "x\ny"}}),
        whole({{":status", "200"}, {"a", std::string_view("x\0y", 3)}}),
        whole({{":status", "200"}, {"a", " x"}}),
        whole({{":status", "200"}, {"a", "x\t"}}),
        whole({{":status", "200"}, {"connection", "close"}}),
        whole({{":status", "200"}, {"keep-alive", "x"}}),
        whole({{":status", "200"}, {"proxy-connection", "x"}}),
        whole({{":status", "200"}, {"transfer-encoding", "chunked"}}),
        whole({{":status", "200"}, {"upgrade", "x"}}),
        whole({{":status", "200"}, {"content-length", "-1"}}),
        whole({{":status", "200"}, {"content-length", "1"}, {"content-length", "2"}}),
        whole({{":status", "200"}, {"content-length", "99999999999999999999"}}),
        whole({{":status", "200"}, {"content-length", "5"}}),
        whole({{":status", "103"}}),
        h2::head(1, {{":status", "200"}, {"content-length", "5"}}) + h2::body(1, "four"),
        h2::head(1, {{":status", "200"}, {"content-length", "5"}}) + h2::body(1, "sixsix"),
        h2::head(1, {{":status", "204"}}) + h2::body(1, "x"),
        h2::head(1, {{":status", "304"}}) + h2::body(1, "x"),
        h2::head(1, {{":status", "103"}}) + h2::body(1, "x"),
        h2::head(1, {{":status", "200"}}) + h2::head(1, {{":status", "200"}}, true),
        h2::head(1, {{":status", "200"}}) + h2::head(1, {{"x-sum", "1"}}, false),
        h2::head(1, {{":status", "200"}}) + h2::head(1, {{"X-Sum", "1"}}, true),
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT("case " << &c - cases) { ends_the_stream(c, http::errc::malformed_answer); }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_larger_than_wanted_is_refused_as_soon_as_that_shows)
{
    // J19, K7
    for (auto const& frames :
         {h2::head(1, {{":status", "200"}, {"content-length", "11"}}),
          h2::head(1, {{":status", "200"}}) + h2::body(1, "0123456", false) + h2::body(1, "789a")}) {
        h2_scene s;
        auto* const one = s.ask("GET", {}, {}, 10);
        s.flush();
        s.feed(frames);
        BOOST_TEST((one->code == http::errc::body_too_large));
        BOOST_TEST(!s.it.dead());
        BOOST_TEST(s.frames(h2::rst_stream).size() == 1u);
    }
}

BOOST_AUTO_TEST_CASE(nothing_may_be_pushed)
{
    // K10
    auto const push = h2::frame(h2::push_promise, h2::end_headers, 1,
                                h2::u32(2) + h2::block({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}}));
    ends_the_connection(push, http::errc::h2_protocol, h2::protocol_error);
    // Not even before our SETTINGS have been acknowledged: nothing can be pushed before a request, and they came first.
    ends_the_connection(push, http::errc::h2_protocol, h2::protocol_error, h2::set());
}

BOOST_AUTO_TEST_CASE(frames_that_break_the_rules_end_the_connection)
{
    // K12
    using http::errc;
    struct {
        std::string frames;
        errc code;
        std::uint32_t farewell;
    } const cases[] = {
        {h2::frame_of_length(16385, h2::data, 0, 1, std::string(16385, 'x')), errc::h2_frame_size,
         h2::frame_size_error},
        {h2::frame(h2::ping, 0, 0, "seven77"), errc::h2_frame_size, h2::frame_size_error},
        {h2::frame(h2::ping, 0, 1, "01234567"), errc::h2_protocol, h2::protocol_error},
        {h2::frame(h2::rst_stream, 0, 1, "xxx"), errc::h2_frame_size, h2::frame_size_error},
        {h2::frame(h2::rst_stream, 0, 0, "xxxx"), errc::h2_protocol, h2::protocol_error},
        {h2::frame(h2::window_update, 0, 0, "xxxxx"), errc::h2_frame_size, h2::frame_size_error},
        {h2::frame(h2::goaway, 0, 0, "xxxx"), errc::h2_frame_size, h2::frame_size_error},
        {h2::frame(h2::goaway, 0, 1, h2::u32(1) + h2::u32(0)), errc::h2_protocol, h2::protocol_error},
        {h2::frame(h2::data, 0, 0, "x"), errc::h2_protocol, h2::protocol_error},
        {h2::body(1, "before a header"), errc::h2_protocol, h2::protocol_error},
        {h2::body(5, "on an idle stream"), errc::h2_protocol, h2::protocol_error},
        {h2::head(5, {{":status", "200"}}), errc::h2_protocol, h2::protocol_error},
        {h2::head(2, {{":status", "200"}}), errc::h2_protocol, h2::protocol_error},
        {h2::body(2, "x"), errc::h2_protocol, h2::protocol_error},
        {h2::head(0, {{":status", "200"}}), errc::h2_protocol, h2::protocol_error},
        {h2::reset(2, 0), errc::h2_protocol, h2::protocol_error},
        {h2::window(5, 1), errc::h2_protocol, h2::protocol_error},
        {h2::frame(h2::data, h2::padded, 1, "\x05xxx"), errc::h2_protocol, h2::protocol_error},
        {h2::frame(h2::headers, h2::end_headers | h2::padded, 1, "\x05xx"), errc::h2_protocol, h2::protocol_error},
        {h2::frame(h2::headers, h2::end_headers, 1, h2::indexed(0)), errc::h2_compression, h2::compression_error},
        {h2::frame(h2::headers, h2::end_headers, 1, h2::indexed(99)), errc::h2_compression, h2::compression_error},
        {h2::frame(h2::headers, h2::end_headers, 1, h2::indexed(8).append("\x00\x05xx", 4)), errc::h2_compression,
         h2::compression_error},
        {h2::frame(h2::headers, h2::end_headers, 1, std::string(12, '\xff')), errc::h2_compression,
         h2::compression_error},
        // A table larger than we allow (RFC 7541 §6.3).
        {h2::frame(h2::headers, h2::end_headers, 1, h2::integer(0x20, 5, 4097) + h2::indexed(8)), errc::h2_compression,
         h2::compression_error},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT("case " << &c - cases) { ends_the_connection(c.frames, c.code, c.farewell); }
    }
}

BOOST_AUTO_TEST_CASE(frames_for_streams_that_are_over_harm_nobody)
{
    // K12
    h2_scene s;
    s.send();
    auto* const other = s.send();
    s.feed(h2::answer(1));
    s.feed(h2::body(1, "late") + h2::window(1, 5) + h2::reset(1, h2::no_error));
    BOOST_TEST(!s.it.dead());
    s.feed(h2::answer(3));
    BOOST_TEST(other->done);
}

BOOST_AUTO_TEST_SUITE_END()
