// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h2_session.hpp"

#include "h2_scene.hpp"

#include <jeton/base/condition.hpp>

#include <nghttp2/nghttp2.h>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

using namespace std::chrono_literals;
using namespace jeton;
using http::h2_limits;
using jeton::testing::h2_asked;
using jeton::testing::h2_scene;
namespace h2 = jeton::testing::h2;

namespace {

// What a header block says, decoded by nghttp2, and how each field was written.
struct decoded {
    explicit decoded(nghttp2_hd_inflater* with, std::string_view block)
    {
        auto const* at = reinterpret_cast<std::uint8_t const*>(block.data());
        auto left = block.size();
        for (;;) {
            nghttp2_nv nv{};
            int flags = 0;
            auto const n = nghttp2_hd_inflate_hd2(with, &nv, &flags, at, left, 1);
            BOOST_REQUIRE(n >= 0);
            at += n;
            left -= static_cast<std::size_t>(n);
            if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
                std::string const name(reinterpret_cast<char*>(nv.name), nv.namelen);
                fields[name] = std::string(reinterpret_cast<char*>(nv.value), nv.valuelen);
                never_indexed[name] = (nv.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0;
            }
            if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0)
                break;
        }
        nghttp2_hd_inflate_end_headers(with);
    }
    std::map<std::string, std::string> fields{};
    std::map<std::string, bool> never_indexed{};
};

struct inflater {
    inflater() { nghttp2_hd_inflate_new(&it); }
    ~inflater() { nghttp2_hd_inflate_del(it); }
    nghttp2_hd_inflater* it = nullptr;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_h2_session)

BOOST_AUTO_TEST_CASE(a_client_begins_with_its_preface_and_settings_that_forbid_push)
{
    // K10
    http::h2_session it({}, time_point(1h));
    http::wire_buffer out;
    it.write(out, 1 << 16, time_point(1h));
    BOOST_REQUIRE(out.view().starts_with(h2::preface));
    auto const all = h2::frames_of(out.view());
    BOOST_REQUIRE(all.size() >= 2u);
    BOOST_TEST(all[0].kind == h2::settings);
    std::map<std::uint32_t, std::uint32_t> settings;
    for (std::size_t at = 0; at < all[0].payload.size(); at += 6)
        settings[static_cast<unsigned char>(all[0].payload[at + 1])] = all[0].number(at + 2);
    BOOST_TEST(settings.at(2) == 0u);
    BOOST_TEST(settings.at(4) == h2_limits().stream_window);
    BOOST_TEST(settings.at(6) == 64u * 1024);
    BOOST_TEST(all[1].kind == h2::window_update);
    BOOST_TEST(all[1].number() == h2_limits().connection_window - 65535);
}

BOOST_AUTO_TEST_CASE(a_request_is_answered_and_the_events_do_not_depend_on_how_the_bytes_are_cut)
{
    // K11: unknown frames, flags, settings and error codes are passed over
    auto const grease =
        h2::frame(0xbb, 0xff, 1, "grease") + h2::frame(0x0a, 0, 0, "altsvc") + h2::set({{0x0a0a, 7}, {0xfafa, 1}});
    auto const all = grease + h2::head(1, {{":status", "103"}, {"link", "<x>"}})
                     + h2::head(1, {{":status", "200"}, {"content-length", "5"}, {"server", "x"}})
                     + h2::frame(h2::data, 0xf0, 1, "he")
                     + h2::frame(h2::data, h2::padded, 1, std::string("\x02llo\0\0", 6))
                     + h2::head(1, {{"x-sum", "1"}, {"content-type", "no"}}, true);
    for (std::size_t const cut : {std::string_view::npos, std::size_t(1), std::size_t(7), std::size_t(10)}) {
        BOOST_TEST_CONTEXT("cut into pieces of " << cut)
        {
            h2_scene s;
            s.cut = cut;
            auto* const one = s.send();
            s.feed(all);
            BOOST_TEST(one->story == "head 200 content-length=5 server=x; data; trailers x-sum=1; end; ");
            BOOST_TEST(one->body == "hello");
            BOOST_TEST(one->length.value_or(0) == 5u);
            BOOST_TEST(one->written().has_value());
            BOOST_TEST(!s.it.dead());
            BOOST_TEST(s.it.open() == 0u);
            BOOST_TEST(s.it.slots() == 256u);
        }
    }
}

BOOST_AUTO_TEST_CASE(answers_to_many_requests_come_back_mixed)
{
    h2_scene s;
    std::vector<h2_asked*> all;
    for (int i = 0; i != 50; ++i)
        all.push_back(s.ask());
    s.flush();
    std::string heads;
    std::string bodies;
    for (std::uint32_t i = 0; i != 50; ++i) {
        heads += h2::head(2 * i + 1, {{":status", "200"}, {"x-n", std::to_string(i)}});
        bodies = h2::body(2 * i + 1, std::to_string(i)) + bodies;
    }
    s.feed(heads + bodies);
    for (int i = 0; i != 50; ++i) {
        auto const n = std::to_string(i);
        BOOST_TEST(all[static_cast<std::size_t>(i)]->story == "head 200 x-n=" + n + "; data; end; ");
        BOOST_TEST(all[static_cast<std::size_t>(i)]->body == n);
    }
}

BOOST_AUTO_TEST_CASE(answers_without_a_body_have_none_whatever_their_fields_say)
{
    h2_scene s;
    auto const head = s.send("HEAD");
    auto const same = s.send();
    auto const nothing = s.send();
    s.feed(h2::head(1, {{":status", "200"}, {"content-length", "1000"}}, true));
    s.feed(h2::head(3, {{":status", "304"}, {"content-length", "1000"}}, true));
    s.feed(h2::head(5, {{":status", "204"}}, true));
    BOOST_TEST(head->story == "head 200 content-length=1000; end; ");
    BOOST_TEST(same->story == "head 304 content-length=1000; end; ");
    BOOST_TEST(nothing->story == "head 204; end; ");
    for (auto const* const each : {head, same, nothing})
        BOOST_TEST(each->length.value_or(1) == 0u);
}

BOOST_AUTO_TEST_CASE(secrets_are_never_indexed)
{
    // K15
    h2_scene s;
    inflater in;
    for (int i = 0; i != 2; ++i) {
        s.sent.clear();
        auto* const one =
            s.ask("GET", {}, {{"Authorization", "Bearer abc", true}, {"DPoP", "proof", true}, {"User-Agent", "jeton"}});
        s.flush();
        auto const heads = s.frames(h2::headers);
        BOOST_REQUIRE(heads.size() == 1u);
        decoded const d(in.it, heads[0].payload);
        BOOST_TEST(d.fields.at("authorization") == "Bearer abc");
        BOOST_TEST(d.never_indexed.at("authorization"));
        BOOST_TEST(d.never_indexed.at("dpop"));
        BOOST_TEST(!d.never_indexed.at("user-agent"));
        // The second time the others are in the table.
        if (i == 1)
            BOOST_TEST(nghttp2_hd_inflate_get_num_table_entries(in.it) > 61u);
        for (std::size_t e = 62; e <= nghttp2_hd_inflate_get_num_table_entries(in.it); ++e) {
            auto const* const nv = nghttp2_hd_inflate_get_table_entry(in.it, e);
            std::string const name(reinterpret_cast<char const*>(nv->name), nv->namelen);
            BOOST_TEST(name != "authorization");
            BOOST_TEST(name != "dpop");
        }
        s.it.reset(*one, s.now);
    }
}

BOOST_AUTO_TEST_CASE(a_large_body_waits_for_the_peers_window_without_blocking_others)
{
    // K7
    h2_scene s(h2::greeting({{4, 10}}));
    std::string const body(100, 'b');
    auto const large = s.send("POST", body);
    auto const small = s.send();
    auto const sent = [&] {
        std::size_t n = 0;
        for (auto const& f : s.frames(h2::data))
            n += f.payload.size();
        return n;
    };
    BOOST_TEST(sent() == 10u);
    BOOST_TEST(!large->written().has_value());
    s.feed(h2::answer(3));
    BOOST_TEST(small->done);

    // RFC 9113 §6.9.2: SETTINGS may make a window negative.
    s.feed(h2::set({{4, 0}}));
    s.feed(h2::window(1, 10));
    BOOST_TEST(sent() == 10u);
    s.feed(h2::window(1, 5));
    BOOST_TEST(sent() == 15u);
    s.feed(h2::window(1, 1000));
    BOOST_TEST(sent() == 100u);
    BOOST_TEST(large->written().has_value());
    s.feed(h2::answer(1));
    BOOST_TEST(large->done);
}

BOOST_AUTO_TEST_CASE(an_early_answer_ends_the_upload)
{
    h2_scene s(h2::greeting({{4, 10}}));
    std::string const body(100, 'b');
    auto* const one = s.send("POST", body);
    s.feed(h2::head(1, {{":status", "413"}}, true));
    BOOST_TEST(one->story == "head 413; end; ");
    auto const resets = s.frames(h2::rst_stream);
    BOOST_REQUIRE(resets.size() == 1u);
    BOOST_TEST(resets[0].number() == h2::no_error);
    BOOST_TEST(s.it.slots() == 256u);
    s.feed(h2::window(0, 1000) + h2::reset(1, h2::no_error));
    BOOST_TEST(!s.it.dead());
}

BOOST_AUTO_TEST_CASE(what_is_read_is_given_back_to_the_peers_window_and_nothing_else)
{
    // K7
    h2_limits how;
    how.stream_window = 65535;
    how.connection_window = 65535;
    h2_scene s(h2::greeting(), how);
    s.reading = false;
    auto* const one = s.send();
    s.feed(h2::head(1, {{":status", "200"}}));
    for (int i = 0; i != 4; ++i)
        s.feed(h2::body(1, std::string(15000, 'x'), false));
    BOOST_TEST(s.frames(h2::window_update).empty());
    s.it.consumed(*one, 40000);
    s.flush();
    auto const updates = s.frames(h2::window_update);
    BOOST_REQUIRE(updates.size() == 2u);
    BOOST_TEST(updates[0].number() == 40000u);
    BOOST_TEST(updates[1].number() == 40000u);
}

BOOST_AUTO_TEST_CASE(discarded_and_reset_streams_do_not_use_up_the_connections_window)
{
    // K7
    h2_limits how;
    how.stream_window = 65535;
    how.connection_window = 65535;
    how.resets = {1000, 33};
    h2_scene s(h2::greeting(), how);
    s.reading = false;
    for (std::uint32_t i = 0; i != 20; ++i) {
        auto* const one = s.send();
        s.feed(h2::head(2 * i + 1, {{":status", "200"}}) + h2::body(2 * i + 1, std::string(16000, 'x'), false));
        s.it.reset(*one, s.now);
        s.flush();
        // What was on its way already.
        s.feed(h2::body(2 * i + 1, std::string(16000, 'y')));
        BOOST_TEST(!s.it.dead());
        for (auto const& f : s.frames(h2::ping))
            s.feed(h2::frame(h2::ping, h2::ack, 0, f.payload));
        s.sent.clear();
    }
}

BOOST_AUTO_TEST_CASE(a_peer_that_pays_no_heed_to_our_window_is_dropped)
{
    // K7
    for (bool const stream_only : {false, true}) {
        h2_limits how;
        how.stream_window = 65535;
        how.connection_window = stream_only ? 1 << 20 : 65535;
        h2_scene s(h2::greeting(), how);
        s.reading = false;
        auto* const one = s.send();
        auto* const other = s.send();
        s.feed(h2::head(1, {{":status", "200"}}));
        for (int i = 0; i != 5; ++i)
            s.feed(h2::body(1, std::string(16000, 'x'), false));
        BOOST_TEST(one->failed);
        BOOST_TEST((one->code == http::errc::h2_flow_control));
        BOOST_TEST(one->body.size() <= 65535u);
        BOOST_TEST(s.it.dead() == !stream_only);
        BOOST_TEST(other->failed == !stream_only);
    }
}

BOOST_AUTO_TEST_CASE(faulty_window_updates_are_errors)
{
    // K7
    struct {
        std::string frames;
        bool connection;
    } const cases[] = {
        {h2::window(0, 0), true},
        {h2::window(0, 0x7fffffff), true},
        {h2::window(1, 0), true},
        {h2::window(1, 0x7fffffff), false},
        {h2::set({{4, 0x7fffffff}}) + h2::window(1, 1), false},
    };
    for (auto const& c : cases) {
        h2_scene s;
        auto* const one = s.send();
        auto* const other = s.send();
        s.feed(c.frames);
        BOOST_TEST(one->failed);
        BOOST_TEST(s.it.dead() == c.connection);
        BOOST_TEST(other->failed == c.connection);
        BOOST_TEST(((one->code == http::errc::h2_flow_control) || (one->code == http::errc::h2_protocol)));
    }
}

// GOAWAY and resets.

BOOST_AUTO_TEST_CASE(a_connection_that_goes_away_serves_what_it_accepted_and_gives_the_rest_back)
{
    // K1
    h2_scene s;
    auto const first = s.send();
    auto const second = s.send("POST", "x");
    s.feed(h2::go_away(0x7fffffff));
    BOOST_TEST(s.it.draining());
    BOOST_TEST(s.it.slots() == 0u);
    BOOST_TEST(!second->failed);
    s.ask();
    BOOST_TEST(!s.submitted);
    s.feed(h2::go_away(1));
    BOOST_TEST(second->failed);
    BOOST_TEST(second->unprocessed);
    BOOST_TEST((second->code == http::errc::stream_refused));
    BOOST_TEST((second->code == cond::transient));
    BOOST_TEST(!first->failed);
    s.feed(h2::answer(1));
    BOOST_TEST(first->done);
    BOOST_TEST(!s.it.dead());
    BOOST_TEST(s.drains_told == 2);
}

BOOST_AUTO_TEST_CASE(a_request_that_has_not_left_when_the_connection_goes_away_is_given_back)
{
    // K1
    h2_scene s;
    auto* const one = s.ask("POST", "x");
    s.feed(h2::go_away(0, h2::no_error));
    s.flush();
    BOOST_TEST(one->failed);
    BOOST_TEST(one->unprocessed);
    BOOST_TEST(one->begins_at() == UINT64_MAX);
    BOOST_TEST(s.frames(h2::headers).empty());
}

BOOST_AUTO_TEST_CASE(the_last_stream_of_a_goaway_never_grows)
{
    // K1
    h2_scene s;
    auto const first = s.send();
    auto const second = s.send();
    s.feed(h2::go_away(1));
    BOOST_TEST(second->unprocessed);
    s.feed(h2::go_away(3));
    BOOST_TEST(s.it.dead());
    BOOST_TEST((first->code == http::errc::h2_protocol));
    BOOST_TEST(!first->unprocessed);
}

BOOST_AUTO_TEST_CASE(the_error_of_a_goaway_is_told)
{
    // K1
    h2_scene s;
    auto* const one = s.send();
    s.feed(h2::go_away(1, h2::enhance_your_calm));
    BOOST_TEST((s.drain_code == http::errc::h2_went_away));
    BOOST_TEST(!one->failed);
}

BOOST_AUTO_TEST_CASE(a_reset_says_whether_the_peer_looked_at_the_request)
{
    // K2, K13, K11: also by an error code that nobody knows
    struct {
        std::uint32_t code;
        http::errc becomes;
        bool unprocessed;
    } const cases[] = {
        {h2::refused_stream, http::errc::stream_refused, true},
        {h2::http_1_1_required, http::errc::http_1_1_required, true},
        {h2::internal_error, http::errc::stream_reset, false},
        {h2::cancel, http::errc::stream_reset, false},
        {h2::no_error, http::errc::stream_reset, false},
        {0xdeadbeef, http::errc::stream_reset, false},
    };
    for (auto const& c : cases) {
        h2_scene s;
        auto* const one = s.send("POST", "x");
        auto* const other = s.send();
        s.feed(h2::reset(1, c.code));
        BOOST_TEST((one->code == c.becomes));
        BOOST_TEST(one->unprocessed == c.unprocessed);
        BOOST_TEST(!one->peer_code.empty());
        s.feed(h2::answer(3));
        BOOST_TEST(other->done);
    }
}

BOOST_AUTO_TEST_CASE(nobody_resets_what_does_not_exist)
{
    // K2
    h2_scene s;
    auto* const one = s.send();
    s.feed(h2::reset(7, h2::refused_stream));
    BOOST_TEST(s.it.dead());
    BOOST_TEST(!one->unprocessed);
}

// Slots.

BOOST_AUTO_TEST_CASE(the_peers_limit_of_streams_is_kept_and_may_change_at_any_time)
{
    // K3
    h2_scene s(h2::greeting({{3, 2}}));
    BOOST_TEST(s.it.slots() == 2u);
    s.send();
    s.send();
    BOOST_TEST(s.it.slots() == 0u);
    BOOST_TEST(s.it.capacity() == 2u);
    auto const third = s.send();  // nobody should, but it must do no harm
    BOOST_TEST(s.frames(h2::headers).size() == 2u);
    s.feed(h2::set({{3, 1}}));
    BOOST_TEST(s.slots_told > 0);
    s.feed(h2::answer(1));
    BOOST_TEST(s.frames(h2::headers).size() == 2u);
    BOOST_TEST(s.it.slots() == 0u);
    s.feed(h2::answer(3));
    BOOST_TEST(s.frames(h2::headers).size() == 3u);
    s.feed(h2::answer(5));
    BOOST_TEST(third->done);
    BOOST_TEST(s.it.slots() == 1u);
    s.feed(h2::set({{3, 0}}));
    BOOST_TEST(s.it.slots() == 0u);
    s.feed(h2::set({{3, 10}}));
    BOOST_TEST(s.it.slots() == 10u);
}

BOOST_AUTO_TEST_CASE(before_the_peers_settings_and_without_a_limit_of_its_there_is_one_of_ours)
{
    // K3
    h2_limits how;
    how.streams = 120;
    h2_scene s(std::string_view{}, how);
    BOOST_TEST(s.it.slots() == 100u);
    BOOST_TEST(!s.it.capacity_known());
    s.feed(h2::greeting({{3, 0xffffffff}}));
    BOOST_TEST(s.it.slots() == 120u);
    BOOST_TEST(s.it.capacity_known());
    std::vector<h2_asked*> all;
    for (int i = 0; i != 120; ++i)
        all.push_back(s.send());
    BOOST_TEST(s.frames(h2::headers).size() == 120u);
    BOOST_TEST(s.it.slots() == 0u);

    how.before_settings = 1;
    h2_scene careful(std::string_view{}, how);
    careful.send();
    BOOST_TEST(careful.it.slots() == 0u);
    BOOST_TEST(careful.it.capacity() == 1u);
}

BOOST_AUTO_TEST_CASE(a_cancelled_stream_keeps_its_slot_until_the_peer_has_seen_the_reset)
{
    // K18
    h2_scene s(h2::greeting({{3, 2}}));
    auto* const one = s.send();
    auto* const other = s.send();
    s.it.reset(*one, s.now);
    s.flush();
    auto const resets = s.frames(h2::rst_stream);
    auto const pings = s.frames(h2::ping);
    BOOST_REQUIRE(resets.size() == 1u);
    BOOST_TEST(resets[0].number() == h2::cancel);
    BOOST_REQUIRE(pings.size() == 1u);
    BOOST_TEST(s.sent.find(pings[0].payload) > s.sent.rfind(h2::reset(1, h2::cancel)));
    BOOST_TEST(s.it.slots() == 0u);
    BOOST_TEST(s.it.capacity() == 1u);
    s.feed(h2::frame(h2::ping, h2::ack, 0, "another!"));
    BOOST_TEST(s.it.slots() == 0u);
    s.feed(h2::frame(h2::ping, h2::ack, 0, pings[0].payload));
    BOOST_TEST(s.it.slots() == 1u);
    // What was on its way is nobody's.
    s.feed(h2::answer(1));
    BOOST_TEST(one->story == "");
    s.feed(h2::answer(3));
    BOOST_TEST(other->done);
}

BOOST_AUTO_TEST_CASE(a_request_that_is_taken_back_before_it_left_costs_the_peer_nothing)
{
    // K18
    h2_scene s;
    auto* const one = s.ask();
    s.it.reset(*one, s.now);
    s.flush();
    BOOST_TEST(s.frames().empty());
    BOOST_TEST(s.it.slots() == 256u);
}

BOOST_AUTO_TEST_CASE(who_may_not_reset_now_holds_the_slot_until_the_answer_or_until_it_may)
{
    // K18
    h2_scene s;
    std::vector<h2_asked*> all;
    for (int i = 0; i != 100; ++i)
        all.push_back(s.ask());
    s.flush();
    for (auto* const each : all)
        s.it.reset(*each, s.now);
    s.flush();
    BOOST_TEST(s.frames(h2::rst_stream).size() == 33u);
    BOOST_TEST(!s.it.draining());
    auto const pings = s.frames(h2::ping);
    BOOST_REQUIRE(pings.size() == 1u);
    s.feed(h2::frame(h2::ping, h2::ack, 0, pings[0].payload));
    BOOST_TEST(s.it.slots() == 256u - 67u);
    BOOST_TEST_CONTEXT("an answer that comes after all is nobody's, and frees the slot")
    {
        s.feed(h2::answer(2 * 99 + 1));
        BOOST_TEST(all[99]->story == "");
        BOOST_TEST(s.it.slots() == 256u - 66u);
    }
    BOOST_TEST_CONTEXT("a second later the next ones are reset")
    {
        s.sent.clear();
        s.pass(1s);
        auto* const one = s.send();
        BOOST_TEST(s.frames(h2::rst_stream).size() == 33u);
        BOOST_TEST(one->story == "");
    }
}

BOOST_AUTO_TEST_CASE(who_gives_up_more_than_half_of_the_slots_drains_the_connection_and_resets_no_more)
{
    // K18
    h2_scene s;
    std::vector<h2_asked*> all;
    for (int i = 0; i != 200; ++i)
        all.push_back(s.ask());
    s.flush();
    auto const kept = s.ask();
    s.flush();
    for (auto* const each : all)
        s.it.reset(*each, s.now);
    s.flush();
    BOOST_TEST(s.frames(h2::rst_stream).size() == 33u);
    BOOST_TEST(s.it.draining());
    BOOST_TEST(s.it.slots() == 0u);
    for (std::uint32_t i = 0; i != 201; ++i)
        s.feed(h2::answer(2 * i + 1));
    BOOST_TEST(!s.it.dead());
    BOOST_TEST(kept->done);
    BOOST_TEST(all[99]->story == "");
}

BOOST_AUTO_TEST_CASE(a_moderate_rate_of_resets_keeps_the_connection)
{
    // K18
    h2_scene s;
    for (std::uint32_t i = 0; i != 500; ++i) {
        auto* const one = s.send();
        s.it.reset(*one, s.now);
        s.sent.clear();
        s.flush();
        for (auto const& f : s.frames(h2::ping))
            s.feed(h2::frame(h2::ping, h2::ack, 0, f.payload));
        s.pass(31ms);
    }
    BOOST_TEST(!s.it.draining());
    BOOST_TEST(s.it.slots() == 256u);
}

// Time.

BOOST_AUTO_TEST_CASE(settings_that_are_not_acknowledged_end_the_connection)
{
    // K4
    h2_scene s(h2::set());
    auto* const one = s.send();
    s.pass(9s);
    s.feed(h2::frame(h2::ping, 0, 0, "01234567"));
    BOOST_TEST(!s.it.dead());
    s.pass(1s);
    BOOST_TEST(s.it.dead());
    BOOST_TEST((one->code == http::errc::h2_settings_timeout));
    BOOST_TEST((one->code == cond::timeout));
    auto const all = s.frames(h2::goaway);
    BOOST_REQUIRE(all.size() == 1u);
    BOOST_TEST(all[0].number(4) == h2::settings_timeout);
}

BOOST_AUTO_TEST_CASE(settings_are_acknowledged_at_once_and_in_order)
{
    // K4
    h2_scene s;
    s.feed(h2::set({{3, 5}, {3, 7}}) + h2::set({{3, 9}}));
    std::size_t acks = 0;
    for (auto const& f : s.frames(h2::settings))
        acks += f.flags & h2::ack;
    BOOST_TEST(acks == 2u);
    BOOST_TEST(s.it.slots() == 9u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_silent_while_somebody_waits_is_asked_and_then_given_up)
{
    // K16
    h2_scene s;
    s.pass(1h);  // nobody waits: nothing to ask
    BOOST_TEST(!s.it.next_wakeup().has_value());
    BOOST_TEST(s.frames(h2::ping).empty());
    auto* const one = s.send();
    BOOST_TEST((s.it.next_wakeup() == s.now + 15s));
    s.pass(15s);
    BOOST_REQUIRE(s.frames(h2::ping).size() == 1u);
    BOOST_TEST((s.it.next_wakeup() == s.now + 5s));
    s.pass(5s);
    BOOST_TEST(s.it.dead());
    BOOST_TEST((one->code == http::errc::not_responding));
    BOOST_TEST((one->code == cond::timeout));
}

BOOST_AUTO_TEST_CASE(a_peer_that_answers_a_ping_lives)
{
    // K16
    h2_scene s;
    auto* const one = s.send();
    for (int i = 0; i != 10; ++i) {
        s.sent.clear();
        s.pass(15s);
        BOOST_REQUIRE(s.frames(h2::ping).size() == 1u);
        s.feed(h2::frame(h2::ping, h2::ack, 0, s.frames(h2::ping)[0].payload));
    }
    s.feed(h2::answer(1));
    BOOST_TEST(one->done);
    BOOST_TEST(!s.it.next_wakeup().has_value());
}

BOOST_AUTO_TEST_CASE(good_bye_is_said_and_a_lost_connection_fails_everybody)
{
    {
        h2_scene s;
        http::wire_buffer out;
        s.it.say_good_bye(out);
        s.sent = out.view();
        auto const all = s.frames(h2::goaway);
        BOOST_REQUIRE(all.size() == 1u);
        BOOST_TEST(all[0].number(4) == h2::no_error);
        BOOST_TEST(s.it.slots() == 0u);
    }
    h2_scene s;
    auto* const one = s.send();
    auto* const other = s.send();
    s.hear(s.it.lose(http::errc::connection_lost, "lost"));
    BOOST_TEST(one->failed);
    BOOST_TEST(other->failed);
    BOOST_TEST(s.deaths_told == 1);
    s.feed(h2::answer(1));
    BOOST_TEST(one->story == "failed the connection was lost before an answer began; ");
}

BOOST_AUTO_TEST_SUITE_END()
