// SPDX-License-Identifier: BSL-1.0
// HTTP/2 servers that break the rules, over TLS and real sockets. What each attack may cost is measured where the client runs; the figures
// hold for a release build, in which this file is a program of its own (`core_hostile`).
#include "support/besieged.hpp"

#include <jeton/testing/manual_clock.hpp>

#include <openssl/ssl.h>

#include <algorithm>

#include <sys/socket.h>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;
using talk = rogue_server::talk;
namespace h2 = jeton::testing::h2;

namespace {

constexpr std::size_t mib = 1024 * 1024;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int cost = 20;   // instrumented and hardly optimised
constexpr int weight = 4;  // and each allocation has red zones
#else
constexpr int cost = 1;
constexpr int weight = 1;
#endif
constexpr auto most_time = 1s * cost;
constexpr auto most_cpu = 200ms * cost;
constexpr std::int64_t most_memory = std::int64_t(4) * 1024 * 1024 * weight;

/// What an attack does beyond the stream that it is carried out on.
enum class harm { connection, stream, none };

struct attack {
    std::string_view name;
    harm to = harm::connection;
    std::error_code code{};  ///< of the request on stream 1; none: it is answered with "fine"
    std::function<void(talk&)> strike{};
    bool safe = false;  ///< that request was not looked at
    rogue_server::options how{};
    bool ungreeted = false;   ///< the attack comes before any SETTINGS
    std::error_code other{};  ///< of the request on stream 3, if the connection was hurt; none: the same
};

std::string why(besieged::answer const& a) { return a ? "it was answered" : a.error().to_string(); }

struct spent {
    double ms = 0;
    double cpu_ms = 0;
    double kib = 0;
};

double ms(std::chrono::nanoseconds d) { return std::chrono::duration<double, std::milli>(d).count(); }

/// Two requests on one connection, then the attack. Whatever comes of it: the first one ends as expected, and in time, the other one has
/// its answer if only a stream was hurt, the next request is answered, and the good server does not notice.
spent withstand(besieged& client, attack const& a)
{
    spent costs;
    BOOST_TEST_CONTEXT(a.name)
    {
        rogue_server evil(
            besieged::certificate(),
            [&](talk& l) {
                if (!a.ungreeted)
                    l.say(h2::greeting());
                // Nobody sends a second one before it is known how many there may be.
                if (!l.await_requests(a.ungreeted ? 1 : 2))
                    return;
                l.strike();
                a.strike(l);
                if (a.to == harm::connection) {
                    l.await_end();
                    return;
                }
                l.say(h2::answer(3, "fine"));
                l.be_good(2);
            },
            rogue_server::good, a.how);

        auto const heap = heap::restart();
        auto const cpu = besieged::cpu_of_this_thread();
        auto const victim = client.get(evil.url("/victim"));
        auto const other = client.get(evil.url("/other"));
        client.until([&] { return victim->over() && other->over() && (a.to != harm::connection || evil.over()); });
        costs.cpu_ms = ms(besieged::cpu_of_this_thread() - cpu);
        costs.kib = static_cast<double>(heap::peak() - heap) / 1024;

        if (auto const begun = evil.struck()) {
            costs.ms = ms(victim->ended - *begun);
            BOOST_TEST(costs.ms < ms(most_time));
        }
        BOOST_TEST(costs.cpu_ms < ms(most_cpu));
        BOOST_TEST(costs.kib < static_cast<double>(most_memory) / 1024);

        auto const& first = *victim->outcome;
        auto const& second = *other->outcome;
        if (!a.code) {
            BOOST_REQUIRE_MESSAGE(first, why(first));
            BOOST_TEST(first->text() == "fine");
        } else {
            BOOST_REQUIRE_MESSAGE(!first, "was answered");
            BOOST_TEST((first.error().code() == a.code), first.error().to_string());
            BOOST_TEST(first.error().safe_to_resend() == a.safe, first.error().to_string());
            BOOST_TEST(first.error().to_string().find(besieged::poison) == std::string::npos);
        }
        if (a.to == harm::connection && !a.ungreeted) {
            BOOST_REQUIRE_MESSAGE(!second, "was answered");
            BOOST_TEST((second.error().code() == (a.other ? a.other : a.code)), second.error().to_string());
        } else {
            BOOST_REQUIRE_MESSAGE(second, why(second));
            BOOST_TEST(second->text() == "fine");
        }
        auto const next = client.get(evil.url("/next"));
        client.until([&] { return next->over(); });
        BOOST_REQUIRE_MESSAGE(*next->outcome, why(*next->outcome));
        BOOST_TEST((*next->outcome)->text() == "fine");
        BOOST_TEST(evil.connections() == (a.to == harm::connection ? 2 : 1));
        client.all_is_well();
    }
    return costs;
}

void withstand_all(std::vector<attack> const& attacks)
{
    http::client_options o;
    o.answers.body = 1 * mib;
    besieged client(o);
    spent worst;
    std::string_view longest;
    std::string_view dearest;
    std::string_view largest;
    for (auto const& a : attacks) {
        auto const costs = withstand(client, a);
        BOOST_TEST_MESSAGE("  " << a.name << ": " << costs.ms << " ms, " << costs.cpu_ms << " ms of CPU, " << costs.kib
                                << " KiB");
        if (costs.ms > std::exchange(worst.ms, std::max(worst.ms, costs.ms)))
            longest = a.name;
        if (costs.cpu_ms > std::exchange(worst.cpu_ms, std::max(worst.cpu_ms, costs.cpu_ms)))
            dearest = a.name;
        if (costs.kib > std::exchange(worst.kib, std::max(worst.kib, costs.kib)))
            largest = a.name;
    }
    BOOST_TEST_MESSAGE(attacks.size() << " attacks, at most " << worst.ms << " ms (" << longest << "), " << worst.cpu_ms
                                      << " ms of CPU (" << dearest << "), " << worst.kib << " KiB (" << largest << ")");
}

attack bytes(std::string_view name, harm to, std::error_code code, std::string what)
{
    return {.name = name, .to = to, .code = code, .strike = [what = std::move(what)](talk& l) { l.say(what); }};
}

attack breaks(std::string_view name, http::errc code, std::string what)
{
    return bytes(name, harm::connection, code, std::move(what));
}

attack spoils(std::string_view name, http::errc code, std::string what)
{
    return bytes(name, harm::stream, code, std::move(what));
}

/// Goes on and on, reading nothing.
attack floods(std::string_view name, http::errc code, std::string first, std::string unit, std::error_code other = {})
{
    return {.name = name,
            .code = code,
            .strike =
                [first = std::move(first), unit = std::move(unit)](talk& l) {
                    l.say(first);
                    l.flood(unit);
                },
            .other = other};
}

/// So much that has no end of its own, and then, if the connection is still there, something behind it.
attack pours(std::string_view name, harm to, std::error_code code, std::string first, std::string unit,
             std::size_t most, std::string last = {})
{
    return {.name = name, .to = to, .code = code, .strike = [=](talk& l) {
                l.say(first);
                l.flood(unit, most);
                l.say(last);
            }};
}

std::string repeated(std::string_view what, int times)
{
    std::string all;
    for (int i = 0; i != times; ++i)
        all += what;
    return all;
}

std::string const poisoned = h2::literal("x-note", "poison") + h2::literal("poison", "x");

/// The head of an answer to stream 1.
std::string head(h2::fields const& fields, bool last = false)
{
    return h2::frame(h2::headers, h2::end_headers | (last ? h2::end_stream : 0U), 1, h2::block(fields) + poisoned);
}
std::string body(std::string_view bytes, bool last = true) { return h2::body(1, bytes, last); }
std::string const fine = h2::answer(1, "fine");
std::string const ok = head({{":status", "200"}});

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile_server)

BOOST_AUTO_TEST_CASE(what_a_server_says_of_its_connection_is_checked)
{
    // K1, K2, K4
    using http::errc;
    withstand_all({
        breaks("GOAWAY that takes back what it gave up", errc::h2_protocol, h2::go_away(3) + h2::go_away(5)),
        breaks("a reset of a stream that never was", errc::h2_protocol, h2::reset(7, h2::cancel)),
        breaks("a reset of the connection", errc::h2_protocol, h2::reset(0, h2::cancel)),
        {.name = "GOAWAY for an error, and the end",
         .code = errc::incomplete,
         .strike =
             [](talk& l) {
                 l.say(ok + h2::frame(h2::goaway, 0, 0, h2::u32(3) + h2::u32(h2::internal_error) + "poison"));
                 SSL_shutdown(l.tls());
                 ::shutdown(l.descriptor(), SHUT_WR);
             },
         .other = net::errc::closed},
        spoils("a reset amid the answer", errc::stream_reset,
               ok + body("poison", false) + h2::reset(1, h2::internal_error)),
        breaks("SETTINGS that allow the client to be pushed to", errc::h2_protocol, h2::set({{2, 1}})),
        breaks("SETTINGS with a switch that is neither on nor off", errc::h2_protocol, h2::set({{2, 2}})),
        breaks("SETTINGS with too large a window", errc::h2_flow_control, h2::set({{4, 0x80000000}})),
        breaks("SETTINGS with too small a frame", errc::h2_protocol, h2::set({{5, 16383}})),
        breaks("SETTINGS with too large a frame", errc::h2_protocol, h2::set({{5, 16777216}})),
        breaks("SETTINGS in order: the last one is wrong", errc::h2_protocol, h2::set({{3, 0}, {3, 100}, {2, 9}})),
        breaks("SETTINGS for a stream", errc::h2_protocol, h2::frame(h2::settings, 0, 1)),
        breaks("SETTINGS that end amid a value", errc::h2_frame_size, h2::frame(h2::settings, 0, 0, "poiso")),
        breaks("an acknowledgement with something in it", errc::h2_frame_size,
               h2::frame(h2::settings, h2::ack, 0, "poison")),
        breaks("an acknowledgement of nothing", errc::h2_protocol, h2::settings_ack()),
    });
}

BOOST_AUTO_TEST_CASE(settings_that_are_never_acknowledged_end_the_connection)
{
    // K4: after 10 s, which pass at once here
    auto const time = std::make_shared<manual_clock>();
    http::client_options o;
    o.time = time;
    besieged client(o);
    rogue_server evil(besieged::certificate(), [](talk& l) {
        l.say(h2::set());
        l.await_requests(1);
        l.strike();
        l.await_end();
    });
    auto const victim = client.get(evil.url("/"));
    client.until([&] { return evil.struck().has_value(); });
    time->advance(10s - 1ms);
    client.all_is_well();
    BOOST_TEST(!victim->over());
    time->advance(1ms);
    auto const due = besieged::steady::now();
    client.until([&] { return victim->over() && evil.over(); });
    BOOST_REQUIRE(!*victim->outcome);
    BOOST_TEST((victim->outcome->error().code() == http::errc::h2_settings_timeout),
               victim->outcome->error().to_string());
    BOOST_TEST((victim->ended - due < most_time));
    client.all_is_well();
}

BOOST_AUTO_TEST_CASE(no_stream_at_all_is_allowed_and_who_asks_waits)
{
    // K3: from the beginning, and while requests run
    http::client_options o;
    o.queue = 300ms;
    besieged client(o);
    rogue_server evil(
        besieged::certificate(),
        [](talk& l) {
            l.say(h2::greeting({{3, 1}}));
            l.await_requests(1);
            l.strike();
            l.say(h2::set({{3, 0}}) + fine);
            l.await_end();
        },
        [](talk& l) {
            l.say(h2::greeting({{3, 0}}));
            l.await_end();
        });
    auto const one = client.get(evil.url("/"));
    client.until([&] { return one->over(); });
    BOOST_TEST(one->outcome->has_value());
    auto const late = client.get(evil.url("/"));
    client.until([&] { return late->over(); });
    BOOST_REQUIRE(!*late->outcome);
    BOOST_TEST((late->outcome->error().code() == cond::timeout), late->outcome->error().to_string());
    BOOST_TEST((late->outcome->error().phase() == phase::queue));
    BOOST_TEST(late->outcome->error().safe_to_resend());
    client.all_is_well();
}

BOOST_AUTO_TEST_CASE(header_blocks_are_bounded)
{
    // K5, K6
    using http::errc;
    auto const begin = h2::frame(h2::headers, 0, 1, h2::block({{":status", "200"}}) + poisoned);
    auto const bomb =
        h2::indexed(8) + h2::indexed_literal("poison", std::string(3900, 'x')) + repeated(h2::indexed(62), 12000);
    std::string many = h2::indexed(8);
    for (int i = 0; i != 257; ++i)
        many += h2::literal("poison", "b");
    withstand_all({
        breaks("a block that is interrupted", errc::h2_protocol, begin + h2::frame(h2::ping, 0, 0, "01234567")),
        breaks("a block that goes on elsewhere", errc::h2_protocol,
               begin + h2::frame(h2::continuation, h2::end_headers, 3)),
        breaks("a block that nobody began", errc::h2_protocol, h2::frame(h2::continuation, h2::end_headers, 1)),
        floods("CONTINUATION of nothing, without end", errc::h2_flood, begin, h2::frame(h2::continuation, 0, 1)),
        floods("CONTINUATION of little, without end", errc::h2_flood, begin,
               h2::frame(h2::continuation, 0, 1, h2::literal("poison", "b"))),
        floods("CONTINUATION of much, without end", errc::header_too_large, begin,
               h2::frame(h2::continuation, 0, 1, h2::literal("poison", std::string(16000, 'x'))), errc::h2_flood),
        spoils("a bomb: one field again and again", errc::header_too_large,
               h2::frame(h2::headers, h2::end_headers | h2::end_stream, 1, bomb)),
        spoils("more fields than anybody needs", errc::header_too_large,
               h2::frame(h2::headers, h2::end_headers | h2::end_stream, 1, many)),
        spoils("trailers that are a bomb", errc::header_too_large,
               ok + h2::frame(h2::headers, h2::end_headers | h2::end_stream, 1, bomb.substr(1))),
    });
}

BOOST_AUTO_TEST_CASE(windows_are_kept)
{
    // K7
    using http::errc;
    auto const full = body(std::string(16384 - 6, 'x') + "poison", false);
    withstand_all({
        pours("64 MiB without waiting for window", harm::stream, errc::body_too_large, ok, full, 64 * mib),
        pours("64 MiB for a stream that is over", harm::none, {}, fine, full, 64 * mib),
        pours("64 MiB for a stream that was reset", harm::stream, errc::malformed_answer, ok + ok, full, 64 * mib),
        pours("padding, and hardly anything else", harm::stream, errc::stream_reset, ok,
              h2::frame(h2::data, h2::padded, 1, std::string("\xff") + "p" + std::string(255, '\0')), 8 * mib,
              h2::reset(1, h2::cancel)),
        breaks("no window at all for the connection", errc::h2_protocol, h2::window(0, 0)),
        breaks("no window at all for the stream", errc::h2_protocol, ok + h2::window(1, 0)),
        breaks("more window than there can be", errc::h2_flow_control,
               h2::window(0, 0x7fffffff) + h2::window(0, 0x7fffffff)),
        spoils("more window than a stream can have", errc::h2_flow_control,
               ok + h2::window(1, 0x7fffffff) + h2::window(1, 0x7fffffff)),
        spoils("SETTINGS that make a stream's window more than it can be", errc::h2_flow_control,
               h2::window(1, 0x7fff0000) + h2::set({{4, 0x7fffffff}})),
        bytes("a window that becomes negative", harm::none, {}, h2::set({{4, 0}}) + h2::set({{4, 65535}}) + fine),
        spoils("more than was asked for", errc::body_too_large,
               head({{":status", "200"}, {"content-length", "99999999"}}) + full),
    });
}

BOOST_AUTO_TEST_CASE(floods_are_bounded)
{
    // K8
    using http::errc;
    auto const trickle = [](std::string_view name, std::string unit) {
        // Reads what comes back, so that nothing piles up on its way.
        return attack{.name = name, .code = errc::h2_flood, .strike = [unit = repeated(unit, 500)](talk& l) {
                          while (l.say(unit) && l.more()) {
                          }
                      }};
    };
    withstand_all({
        floods("SETTINGS", errc::h2_flood, {}, h2::set()),
        floods("SETTINGS with much in them", errc::h2_flood, {}, h2::set(h2::settings_list(100, {1, 4096}))),
        floods("PING", errc::h2_flood, {}, h2::frame(h2::ping, 0, 0, "01234567")),
        trickle("PING whose answers are read", h2::frame(h2::ping, 0, 0, "01234567")),
        floods("PING answers that nobody asked for", errc::h2_flood, {}, h2::frame(h2::ping, h2::ack, 0, "01234567")),
        floods("RST_STREAM", errc::stream_reset, {}, h2::reset(1, h2::cancel), errc::h2_flood),
        floods("WINDOW_UPDATE for the connection", errc::h2_flood, {}, h2::window(0, 1)),
        floods("WINDOW_UPDATE for the stream", errc::h2_flood, {}, h2::window(1, 1)),
        floods("PRIORITY", errc::h2_flood, {}, h2::frame(h2::priority, 0, 3, std::string("\0\0\0\0\1", 5))),
        floods("frames that nobody knows", errc::h2_flood, {}, h2::frame(0xbb, 0, 0, "poison")),
        floods("GOAWAY", errc::h2_flood, {}, h2::go_away(0x7fffffff)),
        floods("empty DATA", errc::h2_flood, ok, body("", false)),
        floods("DATA of nothing but padding", errc::h2_flood, ok,
               h2::frame(h2::data, h2::padded, 1, std::string("\1\0", 2))),
        floods("empty HEADERS", errc::h2_flood, h2::reset(3, h2::cancel), h2::head(3, {}), errc::stream_reset),
    });
}

BOOST_AUTO_TEST_CASE(interim_answers_are_bounded)
{
    // K8
    using http::errc;
    withstand_all({
        spoils("more interim answers than anybody needs", errc::too_many_interim,
               repeated(head({{":status", "103"}}), 33)),
        spoils("interim answers that are large", errc::too_many_interim,
               repeated(head({{":status", "103"}, {"link", std::string(10000, 'x')}}), 7)),
        floods("interim answers without end", errc::too_many_interim, {}, head({{":status", "100"}}), errc::h2_flood),
    });
}

BOOST_AUTO_TEST_CASE(malformed_answers_are_delivered_to_nobody)
{
    // K9
    auto const whole = [](std::string_view name, h2::fields const& f) {
        return spoils(name, http::errc::malformed_answer, head(f, true));
    };
    auto const more = [](std::string_view name, std::string frames) {
        return spoils(name, http::errc::malformed_answer, std::move(frames));
    };
    withstand_all({
        whole("no status", {{"server", "x"}}),
        whole("two statuses", {{":status", "200"}, {":status", "200"}}),
        whole("a late status", {{"server", "x"}, {":status", "200"}}),
        whole("a status of two digits", {{":status", "20"}}),
        whole("a status that is none", {{":status", "600"}}),
        whole("a switch of protocols", {{":status", "101"}}),
        whole("a request's field", {{":status", "200"}, {":path", "/"}}),
        whole("an upper-case name", {{":status", "200"}, {"Server", "x"}}),
        whole("a name that is empty", {{":status", "200"}, {"", "x"}}),
        whole("a name with a blank", {{":status", "200"}, {"a b", "x"}}),
        whole("CR in a value", {{":status", "200"}, {"a", "x\ry"}}),
        whole("LF in a value", {{":status", "200"}, {"a", "x\ny: poison"}}),
        whole("NUL in a value", {{":status", "200"}, {"a", std::string_view("x\0y", 3)}}),
        whole("a blank before a value", {{":status", "200"}, {"a", " x"}}),
        whole("a tab behind a value", {{":status", "200"}, {"a", "x\t"}}),
        whole("connection", {{":status", "200"}, {"connection", "close"}}),
        whole("transfer-encoding", {{":status", "200"}, {"transfer-encoding", "chunked"}}),
        whole("upgrade", {{":status", "200"}, {"upgrade", "x"}}),
        whole("keep-alive", {{":status", "200"}, {"keep-alive", "x"}}),
        whole("two lengths", {{":status", "200"}, {"content-length", "1"}, {"content-length", "2"}}),
        whole("a length of nothing that comes", {{":status", "200"}, {"content-length", "5"}}),
        more("less than its length", head({{":status", "200"}, {"content-length", "7"}}) + body("poison")),
        more("more than its length", head({{":status", "200"}, {"content-length", "5"}}) + body("poison")),
        more("a body where none can be", head({{":status", "204"}}) + body("poison")),
        more("a body behind an interim answer", head({{":status", "103"}}) + body("poison")),
        more("an interim answer that ends", head({{":status", "103"}}, true)),
        more("two heads", ok + ok),
        more("trailers that do not end", ok + body("poison", false) + head({}, false)),
        more("a status among the trailers", ok + body("poison", false) + head({{":status", "200"}}, true)),
        more("an upper-case name among the trailers", ok + body("poison", false) + head({{"X-Sum", "1"}}, true)),
    });
}

BOOST_AUTO_TEST_CASE(pushes_are_refused)
{
    // K10
    using http::errc;
    auto const asked = h2::block({{":method", "GET"}, {":scheme", "https"}, {":path", "/victim"}});
    auto const promise = h2::frame(h2::push_promise, h2::end_headers, 1, h2::u32(2) + asked);
    auto early = breaks("a push before the client's SETTINGS are acknowledged", errc::h2_protocol, {});
    early.ungreeted = true;
    early.strike = [promise](talk& l) { l.say(h2::set() + promise + h2::answer(2, "poison")); };
    withstand_all({
        breaks("a push", errc::h2_protocol, promise),
        breaks("a push, and what is pushed", errc::h2_protocol, promise + h2::answer(2, "poison")),
        std::move(early),
    });
}

BOOST_AUTO_TEST_CASE(what_nobody_knows_is_passed_over)
{
    // K11, and K13: what is known and wanted otherwise
    using http::errc;
    auto elsewhere = spoils("HTTP_1_1_REQUIRED", errc::http_1_1_required, h2::reset(1, h2::http_1_1_required));
    elsewhere.safe = true;
    auto refused = spoils("REFUSED_STREAM", errc::stream_refused, h2::reset(1, h2::refused_stream));
    refused.safe = true;
    withstand_all({
        bytes("a frame that nobody knows", harm::none, {}, h2::frame(0x7a, 0xff, 1, "poison") + fine),
        bytes("settings that nobody knows", harm::none, {}, h2::set({{0x1a2a, 7}, {0xffff, 0xffffffff}}) + fine),
        bytes("flags that nobody knows", harm::none, {},
              h2::frame(h2::ping, 0xfe, 0, "01234567")
                  + h2::frame(h2::headers, h2::end_headers | 0x10, 1, h2::block({{":status", "200"}}))
                  + h2::frame(h2::data, h2::end_stream | 0xf2, 1, "fine")),
        spoils("an error code that nobody knows", errc::stream_reset, h2::reset(1, 0xbad)),
        std::move(elsewhere),
        std::move(refused),
    });
}

BOOST_AUTO_TEST_CASE(frames_that_break_the_rules_end_the_connection)
{
    // K12
    using http::errc;
    withstand_all({
        breaks("a frame that is larger than allowed", errc::h2_frame_size,
               ok + h2::frame_of_length(16385, h2::data, 0, 1, "poison" + std::string(16379, 'x'))),
        breaks("a PING of seven bytes", errc::h2_frame_size, h2::frame(h2::ping, 0, 0, "seven77")),
        breaks("a reset of three bytes", errc::h2_frame_size, h2::frame(h2::rst_stream, 0, 1, "xxx")),
        breaks("a window of five bytes", errc::h2_frame_size, h2::frame(h2::window_update, 0, 0, "xxxxx")),
        breaks("GOAWAY of four bytes", errc::h2_frame_size, h2::frame(h2::goaway, 0, 0, "xxxx")),
        breaks("DATA for no stream", errc::h2_protocol, h2::frame(h2::data, 0, 0, "poison")),
        breaks("DATA before a head", errc::h2_protocol, body("poison")),
        breaks("DATA for a stream that never was", errc::h2_protocol, h2::body(5, "poison")),
        breaks("an answer to a stream that never was", errc::h2_protocol, h2::answer(5, "poison")),
        breaks("an answer on a server's stream", errc::h2_protocol, h2::answer(2, "poison")),
        breaks("an answer on no stream", errc::h2_protocol, h2::answer(0, "poison")),
        breaks("more padding than there is frame", errc::h2_protocol, h2::frame(h2::data, h2::padded, 1, "\x07poison")),
        breaks("a field that is not in the table", errc::h2_compression,
               h2::frame(h2::headers, h2::end_headers, 1, h2::indexed(99))),
        breaks("a field with the number 0", errc::h2_compression,
               h2::frame(h2::headers, h2::end_headers, 1, h2::indexed(0))),
        breaks("a text that goes past the block", errc::h2_compression,
               h2::frame(h2::headers, h2::end_headers, 1, h2::indexed(8).append("\x00\x09poison", 8))),
        breaks("a number without end", errc::h2_compression,
               h2::frame(h2::headers, h2::end_headers, 1, std::string(12, '\xff'))),
        breaks("a table that is larger than allowed", errc::h2_compression,
               h2::frame(h2::headers, h2::end_headers, 1, h2::integer(0x20, 5, 4097) + h2::indexed(8))),
        bytes("frames for a stream that is over", harm::none, {},
              fine + body("poison") + h2::window(1, 5) + h2::reset(1, h2::no_error)),
    });
}

BOOST_AUTO_TEST_CASE(what_is_agreed_upon_is_spoken)
{
    // K17
    auto const speaks = [](std::string_view name, std::string what) {
        return attack{
            .name = name, .code = http::errc::not_h2, .strike = [what](talk& l) { l.say(what); }, .ungreeted = true};
    };
    auto const handshakes = [](std::string_view name, std::string what) {
        return attack{.name = name,
                      .code = net::errc::tls_protocol,
                      .strike = [what](talk& l) { l.say_in_handshake(what); },
                      .ungreeted = true};
    };
    // RFC 8446 §4.3.2: with a context, and the one extension that it must have.
    std::string const certificate_request("\x0d\x00\x00\x0c\x01p\x00\x08\x00\x0d\x00\x04\x00\x02\x04\x03", 16);
    attack key_updates{
        .name = "key updates, one after the other", .code = net::errc::tls_protocol, .strike = [](talk& l) {
            for (int i = 0; i != 10'000 && SSL_key_update(l.tls(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1
                            && SSL_do_handshake(l.tls()) == 1;
                 ++i) {
            }
        }};
    attack one_of_each{.name = "a key update and a ticket", .to = harm::none, .strike = [](talk& l) {
                           SSL_key_update(l.tls(), SSL_KEY_UPDATE_REQUESTED);
                           SSL_do_handshake(l.tls());
                           SSL_new_session_ticket(l.tls());
                           SSL_do_handshake(l.tls());
                           l.say(fine);
                       }};
    withstand_all({
        speaks("HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"),
        speaks("something else", "SSH-2.0-poison\r\n"),
        speaks("HTTP/2 that begins with something else", h2::frame(h2::ping, 0, 0, "01234567")),
        handshakes("a request for a certificate, late", certificate_request),
        handshakes("a new handshake", std::string("\x00\x00\x00\x00", 4)),
        handshakes("a handshake message that is none", std::string("\x63\x00\x00\x06poison", 10)),
        std::move(key_updates),
        std::move(one_of_each),
    });
}

BOOST_AUTO_TEST_CASE(a_server_with_old_or_weak_tls_gets_no_request)
{
    // K17: what RFC 9113 §9.2 forbids is not among what the client offers
    besieged client;
    rogue_server::options old;
    old.lowest_tls = old.highest_tls = TLS1_1_VERSION;
    rogue_server::options weak;
    weak.lowest_tls = weak.highest_tls = TLS1_2_VERSION;
    weak.suites = "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256";
    for (auto const& how : {old, weak}) {
        auto const good = rogue_server::good;
        rogue_server evil(besieged::certificate(), good, good, how);
        auto const one = client.get(evil.url("/"));
        client.until([&] { return one->over(); });
        BOOST_REQUIRE(!*one->outcome);
        BOOST_TEST((one->outcome->error().phase() == phase::tls), one->outcome->error().to_string());
        BOOST_TEST((one->outcome->error().code() == net::errc::tls_protocol), one->outcome->error().to_string());
        BOOST_TEST(one->outcome->error().safe_to_resend());
    }
    client.all_is_well();
}

BOOST_AUTO_TEST_SUITE_END()
