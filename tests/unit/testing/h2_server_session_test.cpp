// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/h2_server_session.hpp"

#include "support/h2_listener.hpp"
#include "testing/sansio/fault_access.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace jeton::testing;

namespace {

using kind = h2_server_session::event::kind;

h2::fields const get{{":method", "GET"}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "/x?y=1"}};

h2::fields with(h2::fields all, h2::fields const& more)
{
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

// A session, and its client's ear.
struct scene {
    explicit scene(h2_server_settings const& settings = {}, bool acknowledges = true) : it(settings)
    {
        flush();
        feed(std::string(h2::preface) + h2::set() + (acknowledges ? h2::settings_ack() : std::string()));
    }

    void feed(std::string_view bytes)
    {
        while (!bytes.empty()) {
            auto const piece = bytes.substr(0, cut);
            bytes.remove_prefix(piece.size());
            hear(it.feed(piece));
        }
        flush();
    }

    void flush()
    {
        std::string out;
        hear(it.write(out));
        client.hear(out);
    }

    void hear(std::span<h2_server_session::event const> events)
    {
        for (auto const& e : events) {
            auto const number = std::to_string(e.stream);
            switch (e.what) {
            case kind::opened: story += "opened " + number + "; "; break;
            case kind::request:
                story += "request " + number + "; ";
                shown = std::string(e.request->method) + ' ' + std::string(e.request->path) + ' '
                        + std::string(e.request->query) + ' ' + std::string(e.request->host);
                authorization = e.request->authorization;
                content_type = e.request->content_type;
                body = e.request->body;
                custom = e.request->fields().find("X-Custom").value_or("");
                fields = e.request->fields().size();
                break;
            case kind::unacceptable: story += "unacceptable " + number + ' ' + std::to_string(e.status) + "; "; break;
            case kind::sent: story += "sent " + number + "; "; break;
            case kind::closed: story += (e.cancelled ? "cancelled " : "closed ") + number + "; "; break;
            case kind::malformed: story += "malformed " + number + "; "; break;
            case kind::over_limit: story += "over limit " + number + "; "; break;
            case kind::broken: story += "broken; "; break;
            }
        }
    }

    void answer(std::uint32_t stream, fault const& how = {}, std::string_view text = "0123456789")
    {
        server_reply reply;
        reply.json(200, text);
        fault_access::apply(how, reply);
        it.answer(stream, reply, "now");
        flush();
    }

    std::string take_story() { return std::exchange(story, {}); }

    h2_server_session it;
    h2_listener client{};
    std::size_t cut = std::string_view::npos;
    std::string story{}, shown{}, authorization{}, content_type{}, body{}, custom{};
    std::size_t fields = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(testing_h2_server_session)

BOOST_AUTO_TEST_CASE(a_request_comes_out_the_same_however_its_bytes_are_cut)
{
    for (auto const cut : {std::string_view::npos, std::size_t(1), std::size_t(7)}) {
        scene s;
        s.cut = cut;
        s.feed(h2::head(1, with(get, {{"authorization", "Bearer t"}, {"content-type", "a/b"}, {"x-custom", "c"}}))
               + h2::body(1, "hel", false) + h2::body(1, "lo"));
        BOOST_TEST(s.take_story() == "opened 1; request 1; ");
        BOOST_TEST(s.shown == "GET /x y=1 a.example");
        BOOST_TEST(s.authorization == "Bearer t");
        BOOST_TEST(s.content_type == "a/b");
        BOOST_TEST(s.body == "hello");
        BOOST_TEST(s.custom == "c");
        BOOST_TEST(s.fields == 3U);
        BOOST_TEST(s.it.latest() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_goes_out_with_its_head_body_and_end)
{
    scene s;
    s.feed(h2::head(1, get, true) + h2::head(3, get, true));
    s.take_story();
    s.answer(3, fault().header("X-Key", "v"));
    BOOST_TEST(s.take_story() == "sent 3; closed 3; ");
    s.answer(1, {}, "");
    auto const& three = s.client.answers[3];
    BOOST_TEST(three.status == "200");
    BOOST_TEST(three.field("date") == "now");
    BOOST_TEST(three.field("content-type") == "application/json");
    BOOST_TEST(three.field("content-length") == "10");
    BOOST_TEST(three.field("x-key") == "v");
    BOOST_TEST(three.body == "0123456789");
    BOOST_TEST(three.ended);
    BOOST_TEST(s.client.answers[1].ended);
    BOOST_TEST(s.client.answers[1].field("content-length") == "0");
    BOOST_TEST(s.it.open() == 0U);
    // Neither may be answered again.
    auto const frames = s.client.frames.size();
    s.answer(1);
    BOOST_TEST(s.client.frames.size() == frames);
}

BOOST_AUTO_TEST_CASE(an_answer_to_head_or_without_content_is_a_head)
{
    scene s;
    s.feed(h2::head(1, get, true) + h2::head(3, get, true));
    server_reply reply;
    reply.json(200, "0123456789");
    reply.bodiless = true;
    s.it.answer(1, reply, "now");
    s.answer(3, fault().status(204));
    BOOST_TEST(s.client.answers[1].field("content-length") == "10");
    BOOST_TEST(s.client.answers[1].body == "");
    BOOST_TEST(s.client.answers[1].ended);
    BOOST_TEST(s.client.answers[3].status == "204");
    BOOST_TEST(s.client.answers[3].field("content-length") == "");
    BOOST_TEST(s.client.answers[3].ended);
}

BOOST_AUTO_TEST_CASE(a_long_answer_waits_for_the_clients_window)
{
    scene s;
    s.feed(h2::head(1, get, true));
    s.take_story();
    s.answer(1, {}, std::string(100'000, 'x'));
    BOOST_TEST(s.client.answers[1].body.size() == 65'535U);
    BOOST_TEST(s.take_story() == "");
    s.feed(h2::window(0, 100'000) + h2::window(1, 100'000));
    BOOST_TEST(s.client.answers[1].body.size() == 100'000U);
    BOOST_TEST(s.take_story() == "sent 1; closed 1; ");
}

BOOST_AUTO_TEST_CASE(an_answer_leaves_as_far_as_ordered)
{
    scene s;
    for (std::uint32_t id = 1; id != 9; id += 2)
        s.feed(h2::head(id, get, true));
    s.take_story();
    s.answer(1, fault().send(fault::part::nothing));
    s.answer(3, fault().send(fault::part::head));
    s.answer(5, fault().send(fault::part::half));
    s.answer(7, fault().raw("\x01\x02").surplus("!"));
    BOOST_TEST(s.take_story() == "sent 1; sent 3; sent 5; sent 7; ");
    BOOST_TEST(!s.client.answers.contains(1));
    BOOST_TEST(s.client.answers[3].status == "200");
    BOOST_TEST(s.client.answers[3].body == "");
    BOOST_TEST(s.client.answers[5].body == "01234");
    BOOST_TEST(!s.client.answers[3].over());
    BOOST_TEST(!s.client.answers[5].over());
    BOOST_TEST(s.client.incomplete() == "\x01\x02!");
    BOOST_TEST(s.it.open() == 4U);
}

BOOST_AUTO_TEST_CASE(half_a_body_that_is_just_the_clients_window_has_left)
{
    scene s;
    s.feed(h2::head(1, get, true));
    s.take_story();
    s.answer(1, fault().send(fault::part::half), std::string(2 * 65'535, 'x'));
    BOOST_TEST(s.client.answers[1].body.size() == 65'535U);
    BOOST_TEST(s.take_story() == "sent 1; ");
}

BOOST_AUTO_TEST_CASE(a_stream_is_reset_before_amid_or_after_its_answer)
{
    scene s;
    s.feed(h2::head(1, get, true) + h2::head(3, get, true) + h2::head(5, get, true));
    s.take_story();
    s.answer(1, fault().refuse_stream());
    s.answer(3, fault().reset_stream(h2_error::cancel, fault::part::half));
    s.answer(5, fault().reset_stream(h2_error(0xabcd), fault::part::head));
    BOOST_TEST(s.take_story() == "sent 1; closed 1; sent 3; closed 3; sent 5; closed 5; ");
    BOOST_TEST(s.client.answers[1].reset.value_or(0) == h2::refused_stream);
    BOOST_TEST(s.client.answers[1].status == "");
    BOOST_TEST(s.client.answers[3].reset.value_or(0) == h2::cancel);
    BOOST_TEST(s.client.answers[3].body == "01234");
    BOOST_TEST(s.client.answers[5].reset.value_or(0) == 0xabcdU);
    BOOST_TEST(s.client.answers[5].status == "200");
}

BOOST_AUTO_TEST_CASE(after_go_away_what_was_begun_is_answered_and_then_it_is_over)
{
    scene s;
    s.feed(h2::head(1, get, true) + h2::head(3, get, true) + h2::head(5, get, true));
    s.take_story();
    s.it.go_away(h2_error::no_error, h2_server_session::any_stream);
    s.flush();
    s.feed(h2::head(7, get, true));
    BOOST_TEST(s.take_story() == "opened 7; request 7; ");
    s.it.go_away(h2_error::enhance_your_calm, 3);
    s.flush();
    BOOST_TEST(s.take_story() == "closed 7; closed 5; ");
    s.feed(h2::head(9, get, true));
    BOOST_TEST(s.take_story() == "");
    BOOST_REQUIRE(s.client.farewells.size() == 2U);
    BOOST_TEST(s.client.farewells[0].last == 0x7fffffffU);
    BOOST_TEST(s.client.farewells[0].code == h2::no_error);
    BOOST_TEST(s.client.farewells[1].last == 3U);
    BOOST_TEST(s.client.farewells[1].code == h2::enhance_your_calm);
    s.answer(1);
    BOOST_TEST(!s.it.over());
    s.answer(3);
    BOOST_TEST(s.it.over());
    BOOST_TEST(s.client.answers[3].ended);
}

BOOST_AUTO_TEST_CASE(the_number_of_streams_is_announced_and_lowered_and_held)
{
    scene s({.streams = 2}, false);
    BOOST_TEST(s.client.stream_limits.back() == 2U);
    // The client cannot know yet.
    s.feed(h2::head(1, get, true) + h2::head(3, get, true) + h2::head(5, get, true));
    BOOST_TEST(s.take_story() == "opened 1; request 1; opened 3; request 3; over limit 5; ");
    BOOST_TEST(s.client.answers[5].reset.value_or(0) == h2::refused_stream);

    s.feed(h2::settings_ack());
    s.it.set_streams(0);
    s.flush();
    BOOST_TEST(s.client.stream_limits.back() == 0U);
    s.answer(1);
    s.take_story();
    s.feed(h2::head(7, get, true));
    BOOST_TEST(s.take_story() == "over limit 7; ");
    BOOST_TEST(s.client.answers[7].reset.value_or(0) == h2::refused_stream);
    // Now it does.
    s.feed(h2::settings_ack() + h2::head(9, get, true));
    BOOST_TEST(s.take_story() == "broken; ");
    BOOST_REQUIRE(s.client.farewells.size() == 1U);
    BOOST_TEST(s.client.farewells[0].code == h2::protocol_error);
    BOOST_TEST(s.it.over());
}

BOOST_AUTO_TEST_CASE(window_is_given_back_unless_it_is_not_to_be)
{
    for (bool const gives : {true, false}) {
        scene s({.gives_window_back = gives});
        std::string const piece(16'000, 'x');
        s.feed(h2::head(1, get));
        for (int i = 0; i != 4; ++i)
            s.feed(h2::body(1, piece, false));
        BOOST_TEST((s.client.windows_given != 0) == gives);
        s.feed(h2::body(1, "end"));
        BOOST_TEST(s.take_story() == "opened 1; request 1; ");
        BOOST_TEST(s.body.size() == 64'003U);
    }
}

BOOST_AUTO_TEST_CASE(a_cancelled_request_is_forgotten)
{
    scene s;
    s.feed(h2::head(1, get, true));
    s.feed(h2::reset(1, h2::cancel));
    BOOST_TEST(s.take_story() == "opened 1; request 1; cancelled 1; ");
    s.answer(1);
    BOOST_TEST(!s.client.answers.contains(1));
    // Within one turn as well, and what is shown of it still stands.
    s.feed(h2::head(3, get, true) + h2::reset(3, h2::cancel));
    BOOST_TEST(s.take_story() == "opened 3; request 3; cancelled 3; ");
    BOOST_TEST(s.shown == "GET /x y=1 a.example");
}

BOOST_AUTO_TEST_CASE(pings_and_settings_are_answered)
{
    scene s;
    s.feed(h2::frame(h2::ping, 0, 0, "12345678"));
    BOOST_REQUIRE(s.client.pongs.size() == 1U);
    BOOST_TEST(s.client.pongs[0] == "12345678");
    BOOST_TEST(s.client.settings_acknowledged == 1);
}

BOOST_AUTO_TEST_CASE(what_no_client_of_ours_may_send_is_reset)
{
    h2::fields const wrong[] = {
        {{":method", "GET"}, {":scheme", "https"}, {":authority", "a.example"}},
        with(get, {{"Upper", "x"}}),
        with(get, {{"connection", "close"}}),
        with(get, {{"x", "a\nb"}}),
        with(get, {{":path", "/again"}}),
        with({{"x", "before"}}, get),
    };
    for (auto const& fields : wrong) {
        scene s;
        s.feed(h2::head(1, fields, true));
        BOOST_TEST(s.story.find("malformed 1; ") != std::string::npos, s.story);
        BOOST_TEST(s.story.find("request") == std::string::npos, s.story);
        BOOST_TEST(s.client.answers[1].reset.value_or(0) == h2::protocol_error);
        // The others go on.
        s.feed(h2::head(3, get, true));
        BOOST_TEST(s.story.find("request 3; ") != std::string::npos, s.story);
    }
    scene s;
    s.feed(h2::head(1, with(get, {{"content-length", "3"}})) + h2::body(1, "four"));
    BOOST_TEST(s.story.find("malformed 1; ") != std::string::npos, s.story);
}

BOOST_AUTO_TEST_CASE(what_is_well_formed_and_yet_no_request_for_us_gets_a_status)
{
    auto const refused = [](h2::fields const& fields) {
        scene s;
        s.feed(h2::head(1, fields, true));
        BOOST_TEST(!s.it.over());
        return s.take_story();
    };
    h2::fields const base{{":method", "GET"}, {":scheme", "https"}, {":authority", "a.example"}};
    BOOST_TEST(refused(with(base, {{":path", "/x#y"}})) == "opened 1; unacceptable 1 400; ");
    BOOST_TEST(refused({{":method", "GET"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", "/"}})
               == "opened 1; unacceptable 1 400; ");
    BOOST_TEST(refused(with(get, {{"host", "b.example"}})) == "opened 1; unacceptable 1 400; ");
    BOOST_TEST(refused(with(get, {{"authorization", "a"}, {"authorization", "b"}}))
               == "opened 1; unacceptable 1 400; ");
    BOOST_TEST(refused(with(get, {{"content-type", "a"}, {"content-type", "b"}})) == "opened 1; unacceptable 1 400; ");
    h2::fields many = get;
    for (int i = 0; i != 64; ++i)
        many.emplace_back("x", "y");
    BOOST_TEST(refused(many) == "opened 1; unacceptable 1 431; ");

    // Host alone is enough.
    scene s;
    s.feed(h2::head(1, {{":method", "GET"}, {":scheme", "https"}, {":path", "/x"}, {"host", "b.example"}}, true));
    BOOST_TEST(s.shown == "GET /x  b.example");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_too_long_is_answered_before_its_end)
{
    scene s;
    s.feed(h2::head(1, get));
    std::string const piece(16'000, 'x');
    for (int i = 0; i != 263; ++i)
        s.feed(h2::body(1, piece, false));
    BOOST_TEST(s.take_story() == "opened 1; unacceptable 1 413; ");
    s.answer(1, fault().status(413));
    BOOST_TEST(s.client.answers[1].status == "413");
    BOOST_TEST(s.client.answers[1].reset.value_or(99) == h2::no_error);
    BOOST_TEST(s.take_story() == "sent 1; closed 1; ");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_http_2_end_it)
{
    h2_server_session it({});
    auto const events = it.feed("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    BOOST_REQUIRE(events.size() == 1U);
    BOOST_TEST((events[0].what == kind::broken));
    BOOST_TEST(it.over());
    std::string out;
    BOOST_TEST(it.write(out).empty());
    BOOST_TEST(it.feed("more").empty());

    scene s;
    s.feed(h2::frame(h2::data, 0, 1, "on a stream that is idle"));
    BOOST_TEST(s.take_story() == "broken; ");
    BOOST_TEST(s.client.farewells.size() == 1U);
    BOOST_TEST(s.it.over());
}

BOOST_AUTO_TEST_SUITE_END()
