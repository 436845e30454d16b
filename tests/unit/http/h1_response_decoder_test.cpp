// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h1_response_decoder.hpp"

#include <jeton/base/condition.hpp>
#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace jeton;
using namespace jeton::http;
using namespace std::string_literals;
using kind = h1_response_decoder::step::kind;

namespace {

enum class ending { open, orderly, cut_off };

// What came of an answer, with the pieces of the body put together.
struct reading {
    std::string told;  // one line for each step but the pieces of the body
    std::string body;
    std::error_code code;
    bool complete = false;
    bool keep_alive = false;
    int status = 0;
    std::size_t surplus = 0;

    bool operator==(reading const&) const = default;
};

std::ostream& operator<<(std::ostream& os, reading const& r)
{
    return os << r.told << "| body " << r.body.size() << " bytes, " << r.code << (r.complete ? ", complete" : "")
              << (r.keep_alive ? ", kept alive" : "") << ", surplus " << r.surplus;
}

// Plays the connection: its buffer lives in memory of exactly the right size, so that a step too far is seen.
class player {
public:
    explicit player(request_kind asked, answer_limits const& limits = {}) : decoder_(limits) { decoder_.begin(asked); }

    bool finished() const { return finished_; }

    void bring(std::string_view bytes)
    {
        auto larger = std::make_unique<char[]>(size_ + bytes.size());
        if (size_ != 0)
            std::memcpy(larger.get(), held_.get(), size_);
        if (!bytes.empty())
            std::memcpy(larger.get() + size_, bytes.data(), bytes.size());
        held_ = std::move(larger);
        size_ += bytes.size();
        while (!finished_ && note(decoder_.feed({held_.get(), size_}))) {
        }
    }

    void end(ending how)
    {
        if (!finished_ && how != ending::open)
            note(decoder_.on_eof(how == ending::orderly));
    }

    reading const& result()
    {
        got_.surplus = size_;
        return got_;
    }

private:
    bool note(h1_response_decoder::step const& s)
    {
        std::ostringstream told;
        auto const fields = [&] {
            for (auto const& f : headers(held_.get(), s.fields))
                told << '[' << f.name << ": " << f.value << ']';
        };
        switch (s.what) {
        case kind::need_more: break;
        case kind::interim: told << s.status << ' '; break;
        case kind::head:
            told << "HTTP/1." << s.minor << ' ' << s.status << ' ' << int(s.framing) << ' ' << s.length;
            fields();
            got_.keep_alive = s.keep_alive;
            got_.status = s.status;
            break;
        case kind::body:
            BOOST_REQUIRE(!s.piece.empty());
            got_.body += s.piece;
            break;
        case kind::trailers:
            told << " trailers ";
            fields();
            break;
        case kind::end: finished_ = got_.complete = true; break;
        case kind::failed:
            finished_ = true;
            got_.code = s.code;
            BOOST_REQUIRE(s.why != nullptr);
            told << " failed: " << s.why;
            break;
        }
        got_.told += told.str();
        BOOST_REQUIRE(s.consumed <= size_);
        std::memmove(held_.get(), held_.get() + s.consumed, size_ - s.consumed);
        size_ -= s.consumed;
        return s.what != kind::need_more && !finished_;
    }

    h1_response_decoder decoder_;
    std::unique_ptr<char[]> held_ = std::make_unique<char[]>(0);
    std::size_t size_ = 0;
    bool finished_ = false;
    reading got_;
};

struct asking {
    request_kind kind = request_kind::other;
    ending eof = ending::open;
    answer_limits limits{};
};

reading read_in_pieces(std::string_view answer, asking const& how, auto&& next_size)
{
    player p(how.kind, how.limits);
    while (!answer.empty() && !p.finished()) {
        auto const n = std::min(static_cast<std::size_t>(next_size()), answer.size());
        p.bring(answer.substr(0, n));
        answer.remove_prefix(n);
    }
    if (p.finished())
        p.bring(answer);
    p.end(how.eof);
    return p.result();
}

// Whole, byte by byte, and cut in two everywhere: what comes of it must not depend on it. A failure leaves what it leaves.
reading read(std::string_view answer, asking const& how = {})
{
    auto const forget_the_rest = [](reading r) {
        r.surplus = r.code ? 0 : r.surplus;
        return r;
    };
    auto const whole = forget_the_rest(read_in_pieces(answer, how, [&] { return answer.size(); }));
    // Byte by byte, if that is not too many.
    auto const step = answer.size() < 4000 ? 1 : 997;
    BOOST_TEST(forget_the_rest(read_in_pieces(answer, how, [&] { return step; })) == whole);
    if (answer.size() < 400)
        for (std::size_t cut = 1; cut < answer.size(); ++cut) {
            auto next = cut;
            BOOST_REQUIRE(
                forget_the_rest(read_in_pieces(answer, how, [&] { return std::exchange(next, answer.size()); }))
                == whole);
        }
    // What follows a complete answer is left alone, and changes nothing about it.
    if (whole.complete && how.eof == ending::open) {
        auto followed = read_in_pieces(std::string(answer) + "HTTP/1.1 500 ", how, [] { return 1 << 30; });
        BOOST_TEST(followed.surplus == whole.surplus + 13);
        followed.surplus = whole.surplus;
        BOOST_TEST(followed == whole);
    }
    return whole;
}

reading read_whole(std::string_view answer)
{
    return read_in_pieces(answer, {}, [&] { return answer.size(); });
}

std::string answer_with(std::string_view fields, std::string_view rest = "")
{
    return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n" + std::string(rest);
}

std::string const chunked = "Transfer-Encoding: chunked\r\n";

void refuse(std::string_view answer, http::errc why, asking const& how = {})
{
    BOOST_TEST_CONTEXT(answer.substr(0, 200))
    {
        auto const r = read(answer, how);
        BOOST_TEST(r.code == make_error_code(why));
        BOOST_TEST(!r.complete);
        BOOST_TEST((r.code == cond::malformed));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_h1_response_decoder)

BOOST_AUTO_TEST_CASE(an_answer_is_read_the_same_however_it_is_cut)
{
    auto const r = read(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nEmpty:\r\nX:  a b\t \r\nContent-Length: 2\r\n\r\n{}");
    BOOST_TEST(r.told == "HTTP/1.1 200 1 2[Content-Type: application/json][Empty: ][X: a b][Content-Length: 2]");
    BOOST_TEST(r.body == "{}");
    BOOST_TEST(r.complete);
    BOOST_TEST(r.keep_alive);
    BOOST_TEST(r.surplus == 0u);
}

BOOST_AUTO_TEST_CASE(one_content_length_or_equal_ones_give_the_size_of_the_body)
{
    // J1
    for (auto const* fields :
         {"Content-Length: 5\r\n", "content-length:5\r\n", "CONTENT-LENGTH: \t 5 \r\n", "Content-Length: 5, 5\r\n",
          "Content-Length: 5,5 ,\t5\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
          "Content-Length: 5, 5\r\nContent-Length: 5\r\n", "Content-Length: 0000000000000000000000000000005\r\n"}) {
        auto const r = read(answer_with(fields, "hello"));
        BOOST_TEST(r.body == "hello");
        BOOST_TEST(r.complete);
        BOOST_TEST(r.keep_alive);
    }
    auto const empty = read(answer_with("Content-Length: 0\r\n"));
    BOOST_TEST(empty.complete);
    BOOST_TEST(empty.body == "");
}

BOOST_AUTO_TEST_CASE(any_other_content_length_is_refused)
{
    // J1
    for (auto const* value : {"",
                              " ",
                              "+5",
                              "-5",
                              "0x5",
                              "5a",
                              "5 5",
                              "5,",
                              ",5",
                              "5,,5",
                              "5, 6",
                              "5.0",
                              "five",
                              "\"5\"",
                              "5;5",
                              "9223372036854775808",
                              "18446744073709551616",
                              "18446744073709551621",
                              "99999999999999999999999999",
                              "5, 18446744073709551621",
                              "\xd9\xa5"})
        refuse(answer_with("Content-Length: "s + value + "\r\n", "hello"), http::errc::bad_content_length);
    refuse(answer_with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), http::errc::bad_content_length);
    refuse(answer_with("Content-Length: 0\r\nContent-Length: 5\r\n", "hello"), http::errc::bad_content_length);
    refuse(answer_with("Content-Length: x\r\nContent-Length: 5\r\n", "hello"), http::errc::bad_content_length);
    // The largest number that is one is a matter of limits.
    refuse(answer_with("Content-Length: 9223372036854775807\r\n"), http::errc::body_too_large);
}

BOOST_AUTO_TEST_CASE(a_length_and_a_coding_together_are_refused)
{
    // J2
    refuse(answer_with("Content-Length: 5\r\n" + chunked, "0\r\n\r\n"), http::errc::ambiguous_length);
    refuse(answer_with(chunked + "Content-Length: 5\r\n", "0\r\n\r\n"), http::errc::ambiguous_length);
    refuse(answer_with(chunked + "Content-Length: nonsense\r\n", "0\r\n\r\n"), http::errc::ambiguous_length);
    refuse(answer_with("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"), http::errc::ambiguous_length);
}

BOOST_AUTO_TEST_CASE(either_of_length_and_coding_frames_an_answer_alone)
{
    // J2
    BOOST_TEST(read(answer_with(chunked, "5\r\nhello\r\n0\r\n\r\n")).body == "hello");
    BOOST_TEST(read(answer_with("Content-Length: 5\r\n", "hello")).body == "hello");
}

BOOST_AUTO_TEST_CASE(the_only_coding_is_chunked_once)
{
    // J3
    for (auto const* name : {"chunked", "Chunked", "CHUNKED", "  chunked\t"})
        BOOST_TEST(read(answer_with("transfer-ENCODING:"s + name + "\r\n", "1\r\na\r\n0\r\n\r\n")).body == "a");
}

BOOST_AUTO_TEST_CASE(any_other_coding_is_refused)
{
    // J3
    for (auto const* value :
         {"", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "chunked;q=1", "xchunked",
          "chunked,", ", chunked", "\"chunked\"", "chunked gzip", "chunke", "chunkee"})
        refuse(answer_with("Transfer-Encoding: "s + value + "\r\n", "0\r\n\r\n"), http::errc::bad_transfer_encoding);
    refuse(answer_with(chunked + chunked, "0\r\n\r\n"), http::errc::bad_transfer_encoding);
    refuse(answer_with("Transfer-Encoding: gzip\r\n" + chunked, "0\r\n\r\n"), http::errc::bad_transfer_encoding);
    refuse(answer_with(chunked + "Transfer-Encoding:\r\n", "0\r\n\r\n"), http::errc::bad_transfer_encoding);
    refuse("HTTP/1.0 200 OK\r\n" + chunked + "\r\n0\r\n\r\n", http::errc::bad_transfer_encoding);
}

BOOST_AUTO_TEST_CASE(chunks_are_put_together)
{
    // J4
    auto const r = read(
        answer_with(chunked, "5\r\nhello\r\n0001;name=value\r\n,\r\n6 \t; a=\"b;\"\r\n world\r\nA\r\n0123456789\r\n"
                             "000;last\r\n\r\n"));
    BOOST_TEST(r.body == "hello, world0123456789");
    BOOST_TEST(r.complete);
    BOOST_TEST(r.keep_alive);
    BOOST_TEST(read(answer_with(chunked, "000000000000000a\r\n0123456789\r\n0000000000000000\r\n\r\n")).body
               == "0123456789");
}

BOOST_AUTO_TEST_CASE(a_chunk_that_is_not_exactly_one_is_refused)
{
    // J4
    for (auto const* rest : {"\r\n",
                             "g\r\n",
                             "-1\r\na",
                             "+1\r\na",
                             " 1\r\na\r\n",
                             "0x1\r\na\r\n",
                             "1 \r\na\r\n",
                             "1\t\r\na\r\n",
                             "1\na\r\n",
                             "1\r\na\n",
                             "1\r\nab\r\n",
                             "1\r\na\r0",
                             "1\r\na\n\n",
                             "1\ra",
                             "1;a\nb\r\n",
                             "1;\rb",
                             "1 a\r\n",
                             ";a\r\n",
                             "1;a\x01\r\n",
                             "1\r\na\r\n\r\n",
                             "00000000000000000\r\n\r\n",
                             "00000000000000001\r\na\r\n",
                             "10000000000000001\r\na\r\n",
                             "1,1\r\n",
                             "1\x0b\r\n"})
        refuse(answer_with(chunked, rest), http::errc::bad_chunk);
    refuse(answer_with(chunked, "1;\0\r\n"s), http::errc::bad_chunk);
    refuse(answer_with(chunked, "ffffffffffffffff\r\n"), http::errc::body_too_large);
    refuse(answer_with(chunked, "1\r\na\r\nffffffffffffffff\r\n"), http::errc::body_too_large);
}

BOOST_AUTO_TEST_CASE(chunk_extensions_are_bounded_over_the_whole_answer)
{
    // J4
    answer_limits limits;
    limits.chunk_extensions = 16;
    asking const how{.limits = limits};
    BOOST_TEST(read(answer_with(chunked, "1;1234567\r\na\r\n1;1234567\r\nb\r\n0\r\n\r\n"), how).body == "ab");
    refuse(answer_with(chunked, "1;1234567\r\na\r\n1;12345678\r\nb\r\n0\r\n\r\n"), http::errc::body_too_large, how);
    refuse(answer_with(chunked, "1                 ;"), http::errc::body_too_large, how);
    std::string flood;
    for (int i = 0; i != 20; ++i)
        flood += "1;\r\na\r\n";
    refuse(answer_with(chunked, flood), http::errc::body_too_large, how);
}

BOOST_AUTO_TEST_CASE(a_flood_of_tiny_chunks_costs_little)
{
    // J4: 300,000 chunks of one byte, fed as they come off a connection with a buffer of 16 KiB.
    std::string answer = answer_with(chunked);
    for (int i = 0; i != 300'000; ++i)
        answer += "1\r\na\r\n";
    answer += "0\r\n\r\n";
    h1_response_decoder decoder;
    decoder.begin(request_kind::other);
    std::size_t at = 0;
    std::size_t held = 0;
    std::size_t got = 0;
    auto const start = std::clock();
    for (bool done = false; !done;) {
        auto const s = decoder.feed({answer.data() + at, held});
        at += s.consumed;
        held -= s.consumed;
        got += s.piece.size();
        done = s.what == kind::end;
        BOOST_REQUIRE(s.what != kind::failed);
        if (s.what == kind::need_more)
            held = std::min<std::size_t>(held + 16384, answer.size() - at);
    }
    BOOST_TEST(got == 300'000U);
#ifdef NDEBUG
    // Of the processor, which a busy machine does not lengthen.
    BOOST_TEST(double(std::clock() - start) / CLOCKS_PER_SEC < 0.1);
#else
    static_cast<void>(start);
#endif
}

BOOST_AUTO_TEST_CASE(trailers_are_told_apart_from_the_header)
{
    // J5
    auto const r = read(answer_with(chunked, "1\r\na\r\n0\r\nDigest: x\r\nServer-Timing: a\r\n b\r\n\r\n"));
    BOOST_TEST(r.told == "HTTP/1.1 200 2 0[Transfer-Encoding: chunked] trailers [Digest: x][Server-Timing: a b]");
    BOOST_TEST(r.complete);
    BOOST_TEST(r.body == "a");
}

BOOST_AUTO_TEST_CASE(trailers_that_would_change_the_answer_are_dropped_and_malformed_ones_refused)
{
    // J5
    auto const r = read(answer_with(
        chunked, "0\r\nContent-Length: 7\r\nTransfer-Encoding: gzip\r\nAuthorization: x\r\nWWW-Authenticate: y\r\n"
                 "Set-Cookie: z\r\nConnection: close\r\n\r\n"));
    BOOST_TEST(r.told == "HTTP/1.1 200 2 0[Transfer-Encoding: chunked]");
    BOOST_TEST(r.complete);
    BOOST_TEST(r.keep_alive);
    for (auto const* section :
         {"no colon\r\n\r\n", " folded: first\r\n\r\n", "a : b\r\n\r\n", "a: b\n\r\n", "a: b\r\rc", ": b\r\n"})
        refuse(answer_with(chunked, "0\r\n"s + section), http::errc::bad_header);
    answer_limits limits;
    limits.fields = 2;
    limits.head = 100;
    asking const how{.limits = limits};
    BOOST_TEST(read(answer_with(chunked, "0\r\na: 1\r\nb: 2\r\n\r\n"), how).complete);
    refuse(answer_with(chunked, "0\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n"), http::errc::header_too_large, how);
    refuse(answer_with(chunked, "0\r\na: " + std::string(100, 'x') + "\r\n\r\n"), http::errc::header_too_large, how);
}

BOOST_AUTO_TEST_CASE(some_answers_have_no_body_whatever_their_fields_say)
{
    // J6
    for (std::string const& fields : {"Content-Length: 5\r\n"s, chunked, ""s}) {
        auto const to_head = read("HTTP/1.1 200 OK\r\n" + fields + "\r\n", {.kind = request_kind::head});
        BOOST_TEST(to_head.complete);
        BOOST_TEST(to_head.keep_alive);
        for (auto const* status : {"204", "304"}) {
            auto const r = read("HTTP/1.1 "s + status + " \r\n" + fields + "\r\n");
            BOOST_TEST(r.complete);
            BOOST_TEST(r.keep_alive);
        }
    }
    // 205 has no such privilege.
    BOOST_TEST(read("HTTP/1.1 205 Reset\r\nContent-Length: 1\r\n\r\na").body == "a");
}

BOOST_AUTO_TEST_CASE(what_follows_an_answer_without_a_body_is_never_taken_for_one)
{
    // J6
    // What such an answer brings all the same belongs to nobody: the caller sees it and closes.
    BOOST_TEST(read("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello").surplus == 5u);
    // Who frames against the rules is believed about the answer, and not asked again.
    for (auto const* fields : {"Content-Length: 5, 6\r\n", "Content-Length: x\r\n", "Transfer-Encoding: gzip\r\n",
                               "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"}) {
        auto const r = read("HTTP/1.1 304 Not Modified\r\n"s + fields + "\r\n");
        BOOST_TEST(r.complete);
        BOOST_TEST(!r.keep_alive);
    }
}

BOOST_AUTO_TEST_CASE(a_body_without_a_length_ends_with_an_orderly_end_of_the_connection)
{
    // J7
    auto const r = read(answer_with("", "hello"), {.eof = ending::orderly});
    BOOST_TEST(r.complete);
    BOOST_TEST(r.body == "hello");
    BOOST_TEST(!r.keep_alive);
    BOOST_TEST(read(answer_with("Connection: keep-alive\r\n"), {.eof = ending::orderly}).complete);
    BOOST_TEST(!read(answer_with("", "hello")).complete);
}

BOOST_AUTO_TEST_CASE(a_body_without_a_length_that_is_cut_off_is_not_complete)
{
    // J7
    auto const r = read(answer_with("", "hello"), {.eof = ending::cut_off});
    BOOST_TEST(!r.complete);
    BOOST_TEST(r.code == make_error_code(net::errc::truncated));
    BOOST_TEST(r.body == "hello");
}

BOOST_AUTO_TEST_CASE(an_answer_that_ends_early_is_incomplete_wherever_it_ends)
{
    // J8
    for (auto const& answer : {answer_with("Content-Length: 5\r\nA: b\r\n", "hello"),
                               answer_with(chunked, "5\r\nhello\r\n0\r\nA: b\r\n\r\n"),
                               "HTTP/1.1 100 Continue\r\n\r\n" + answer_with("Content-Length: 5\r\n", "hello")}) {
        BOOST_TEST(read(answer).complete);
        for (std::size_t n = 1; n != answer.size(); ++n)
            for (auto const eof : {ending::orderly, ending::cut_off}) {
                auto const r = read(std::string_view(answer).substr(0, n), {.eof = eof});
                BOOST_REQUIRE(!r.complete);
                BOOST_REQUIRE(r.code == make_error_code(http::errc::incomplete));
            }
    }
    // A complete one is complete, whatever becomes of the connection.
    for (auto const eof : {ending::orderly, ending::cut_off})
        BOOST_TEST(read(answer_with("Content-Length: 5\r\n", "hello"), {.eof = eof}).complete);
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_before_the_first_byte_is_lost)
{
    for (bool const orderly : {true, false}) {
        h1_response_decoder decoder;
        decoder.begin(request_kind::other);
        BOOST_TEST((decoder.feed({}).what == kind::need_more));
        BOOST_TEST(!decoder.begun());
        auto const s = decoder.on_eof(orderly);
        BOOST_TEST((s.what == kind::failed));
        BOOST_TEST(s.code == make_error_code(http::errc::connection_lost));
        BOOST_TEST((s.code == cond::transient));
    }
}

BOOST_AUTO_TEST_CASE(a_header_with_anything_out_of_place_is_refused)
{
    // J9
    for (std::string const& line :
         {"A: b\nC: d\r\n"s, "A: b\rC: d\r\n"s, "A: b\0c\r\n"s, "A: b\x01\r\n"s, "A: b\x7f\r\n"s, "A : b\r\n"s,
          "A\t: b\r\n"s,     " A: b\r\n"s,      "\tA: b\r\n"s,  "A\r\n"s,        ": b\r\n"s,      "A b: c\r\n"s,
          "A\0: c\r\n"s,     "\x80: c\r\n"s,    "A(: c\r\n"s,   "A\r: c\r\n"s,   "A: b\r\r\n"s,   "\n"s,
          "A: b\r\n\n"s,     "A: b\x0b\r\n"s,   "(A: b\r\n"s,   "A: b\r\n\r "s})
        refuse("HTTP/1.1 200 OK\r\n" + line + "\r\n", http::errc::bad_header);
}

BOOST_AUTO_TEST_CASE(every_byte_value_in_a_field_is_taken_or_refused_as_the_grammar_says)
{
    // J9, T11
    for (int i = 0; i != 256; ++i) {
        auto const c = static_cast<char>(i);
        auto const in_value =
            read(answer_with("Content-Length: 0\r\nLonger-Than-A-Vector: 0123456789a"s + c + "b0123456789abcdef\r\n"));
        BOOST_TEST(in_value.complete == ((i >= 0x20 && i != 0x7f) || i == '\t'));
        bool const is_tchar = is_token({&c, 1});
        for (auto const* begin :
             {"N", "Name", "Name-Of-15-Byte", "Name-Of_16.Bytes", "Name-That-Is-Longer-Than-A-Vector"}) {
            auto const in_name =
                read_whole(answer_with("Content-Length: 0\r\n"s + begin + c + "x-and-16-more-bytes: y\r\n"));
            BOOST_TEST(in_name.complete == (is_tchar || c == ':'));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_folded_value_is_put_together_with_one_blank)
{
    // J10
    auto const told = [](std::string const& field) {
        auto const r = read(answer_with(field + "Content-Length: 1\r\n", "a"));
        BOOST_TEST(r.complete);
        return r.told;
    };
    auto const with = [](std::string const& f) { return "HTTP/1.1 200 1 1[" + f + "][Content-Length: 1]"; };
    BOOST_TEST(told("A: b\r\n c\r\n") == with("A: b c"));
    BOOST_TEST(told("A: b  \t\r\n\t  c  \r\n d\r\n") == with("A: b c d"));
    BOOST_TEST(told("A:\r\n b\r\n") == with("A: b"));
    BOOST_TEST(told("A: b\r\n \t\r\n") == with("A: b"));
    BOOST_TEST(told("A: b\r\n  \r\n c d e f g h\r\n") == with("A: b c d e f g h"));
    // Framing is looked at after the fold.
    BOOST_TEST(read(answer_with("Content-Length:\r\n 1\r\n", "a")).body == "a");
    refuse(answer_with("Content-Length: 1\r\n 1\r\n", "hello world"), http::errc::bad_content_length);
    refuse(answer_with("Transfer-Encoding: chunked\r\n , gzip\r\n", "0\r\n\r\n"), http::errc::bad_transfer_encoding);
}

BOOST_AUTO_TEST_CASE(a_fold_with_a_control_character_or_before_the_first_field_is_refused)
{
    // J10
    refuse("HTTP/1.1 200 OK\r\n folded\r\n\r\n", http::errc::bad_header);
    refuse("HTTP/1.1 200 OK\r\nA: b\r\n c\0d\r\n\r\n"s, http::errc::bad_header);
    refuse("HTTP/1.1 200 OK\r\nA: b\r\n c\nd\r\n\r\n"s, http::errc::bad_header);
}

BOOST_AUTO_TEST_CASE(the_status_line_is_that_of_HTTP_1)
{
    // J11
    for (auto const* line : {"HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 599 \t strange \xe4\xf6", "HTTP/1.0 200 OK",
                             "HTTP/1.9 200 OK", "HTTP/1.1 299  two  blanks "})
        BOOST_TEST(read(line + "\r\nContent-Length: 0\r\n\r\n"s).complete);
    BOOST_TEST(read("HTTP/1.0 404 \r\nContent-Length: 0\r\n\r\n").told == "HTTP/1.0 404 1 0[Content-Length: 0]");
}

BOOST_AUTO_TEST_CASE(anything_else_than_a_status_line_is_refused_at_once)
{
    // J11
    for (std::string const& line : {"HTTP/0.9 200 OK"s,
                                    "HTTP/2.0 200 OK"s,
                                    "HTTP/2 200 OK"s,
                                    "HTTP/1.10 200 OK"s,
                                    "HTTP/1. 200 OK"s,
                                    "HTTP/11 200 OK"s,
                                    "http/1.1 200 OK"s,
                                    "Http/1.1 200 OK"s,
                                    "ICY 200 OK"s,
                                    "SSH-2.0-OpenSSH_9.2"s,
                                    "\x15\x03\x03\x00\x02\x02\x28"s,
                                    "<html>"s,
                                    "\r\nHTTP/1.1 200 OK"s,
                                    " HTTP/1.1 200 OK"s,
                                    "HTTP/1.1  200 OK"s,
                                    "HTTP/1.1\t200 OK"s,
                                    "HTTP/1.1 20 OK"s,
                                    "HTTP/1.1 2000 OK"s,
                                    "HTTP/1.1 200OK"s,
                                    "HTTP/1.1 200"s,
                                    "HTTP/1.1 -20 OK"s,
                                    "HTTP/1.1 2 0 OK"s,
                                    "HTTP/1.1 000 OK"s,
                                    "HTTP/1.1 099 OK"s,
                                    "HTTP/1.1 600 OK"s,
                                    "HTTP/1.1 999 OK"s,
                                    "HTTP/1.1 200 a\0b"s,
                                    "HTTP/1.1 200 a\nb"s,
                                    "HTTP/1.1 200 a\x7f"s,
                                    "HTTP/1.1 200 a\rb"s,
                                    "HTTP/1.1 2x0 OK"s,
                                    "HTTP 200 OK"s})
        refuse(line + "\r\n\r\n", http::errc::bad_status_line);
    // Without waiting for the end of a line that may never come.
    refuse("SSH-2.0", http::errc::bad_status_line);
    refuse("\x15\x03", http::errc::bad_status_line);
}

BOOST_AUTO_TEST_CASE(interim_answers_are_skipped)
{
    // J12
    std::string many;
    for (int i = 0; i != 32; ++i)
        many += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 99\r\n\r\n";
    auto const r = read(many + answer_with("Content-Length: 1\r\n", "a"));
    BOOST_TEST(r.complete);
    BOOST_TEST(r.body == "a");
    BOOST_TEST(read("HTTP/1.1 100 Continue\r\n\r\n" + answer_with("Content-Length: 1\r\n", "a")).told
               == "100 HTTP/1.1 200 1 1[Content-Length: 1]");
    // Whatever a 1xx says about the connection does not count.
    BOOST_TEST(read("HTTP/1.1 102 P\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\n"
                    + answer_with("Content-Length: 1\r\n", "a"))
                   .keep_alive);
    refuse(many + "HTTP/1.1 100 Continue\r\n\r\n" + answer_with("Content-Length: 1\r\n", "a"),
           http::errc::too_many_interim);
}

BOOST_AUTO_TEST_CASE(interim_answers_are_bounded_and_no_switch_of_protocols)
{
    // J12
    refuse("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", http::errc::unexpected_upgrade);
    refuse("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n", http::errc::unexpected_upgrade);
    std::string large;
    for (int i = 0; i != 3; ++i)
        large += "HTTP/1.1 103 Early Hints\r\nLink: " + std::string(30'000, 'x') + "\r\n\r\n";
    refuse(large + answer_with("Content-Length: 0\r\n"), http::errc::too_many_interim);
    refuse("HTTP/1.1 100 Continue\r\nA b\r\n\r\n", http::errc::bad_header);
}

BOOST_AUTO_TEST_CASE(bytes_behind_an_answer_are_left_to_be_seen)
{
    // J13, J14: the connection that brought them is not used again.
    auto const poison = answer_with("Content-Length: 6\r\n", "poison");
    for (auto const& answer : {answer_with("Content-Length: 1\r\n", "a"), answer_with(chunked, "1\r\na\r\n0\r\n\r\n"),
                               answer_with(chunked, "1\r\na\r\n0\r\nT: x\r\n\r\n")}) {
        BOOST_TEST(read(answer).surplus == 0u);
        auto const r = read(answer + poison);
        BOOST_TEST(r.body == "a");
        BOOST_TEST(r.surplus == poison.size());
    }
}

BOOST_AUTO_TEST_CASE(a_head_is_bounded_in_bytes_and_fields)
{
    // J19
    auto const line = [](std::size_t size) { return "HTTP/1.1 200 " + std::string(size - 15, 'x') + "\r\n"; };
    BOOST_TEST(read(line(8192) + "Content-Length: 0\r\n\r\n").complete);
    refuse(line(8193) + "Content-Length: 0\r\n\r\n", http::errc::header_too_large);
    refuse("HTTP/1.1 200 " + std::string(9000, 'x'), http::errc::header_too_large);

    auto const section = [](std::size_t size) {
        return "Content-Length: 0\r\nX: " + std::string(size - 19 - 5 - 2, 'x') + "\r\n\r\n";
    };
    BOOST_TEST(section(65536).size() == 65536u);
    BOOST_TEST(read("HTTP/1.1 200 OK\r\n" + section(65536)).complete);
    refuse("HTTP/1.1 200 OK\r\n" + section(65537), http::errc::header_too_large);
    refuse("HTTP/1.1 200 OK\r\n" + std::string(70'000, 'n'), http::errc::header_too_large);
    refuse("HTTP/1.1 200 OK\r\nA: b" + std::string(70'000, ' '), http::errc::header_too_large);
    std::string folds = "HTTP/1.1 200 OK\r\nA: b\r\n";
    while (folds.size() < 70'000)
        folds += " c\r\n";
    refuse(folds, http::errc::header_too_large);

    std::string fields;
    for (int i = 0; i != 255; ++i)
        fields += "A:b\r\n";
    BOOST_TEST(read(answer_with(fields + "Content-Length: 0\r\n")).complete);
    refuse(answer_with(fields + "A:b\r\nContent-Length: 0\r\n"), http::errc::header_too_large);
}

BOOST_AUTO_TEST_CASE(a_body_is_bounded_however_it_is_framed)
{
    // J19
    answer_limits limits;
    limits.body = 10;
    asking const how{.limits = limits};
    asking const until_close{.eof = ending::orderly, .limits = limits};
    BOOST_TEST(read(answer_with("Content-Length: 10\r\n", "0123456789"), how).complete);
    BOOST_TEST(read(answer_with(chunked, "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), how).complete);
    BOOST_TEST(read(answer_with("", "0123456789"), until_close).complete);
    refuse(answer_with("Content-Length: 11\r\n", "0123456789a"), http::errc::body_too_large, how);
    refuse(answer_with(chunked, "5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n"), http::errc::body_too_large, how);
    refuse(answer_with("", "0123456789a"), http::errc::body_too_large, until_close);
    // A length that nothing follows is none of the body's.
    BOOST_TEST(read(answer_with("Content-Length: 11\r\n"), {.kind = request_kind::head, .limits = limits}).complete);
}

BOOST_AUTO_TEST_CASE(the_peer_decides_whether_the_connection_may_be_used_again)
{
    // J20
    auto const kept = [](std::string_view version, std::string const& fields) {
        auto const r = read("HTTP/1." + std::string(version) + " 200 OK\r\nContent-Length: 1\r\n" + fields + "\r\na");
        BOOST_TEST(r.complete);
        return r.keep_alive;
    };
    BOOST_TEST(kept("1", ""));
    BOOST_TEST(kept("1", "Connection: keep-alive\r\n"));
    BOOST_TEST(kept("1", "Connection: upgrade, ,\r\n"));
    BOOST_TEST(kept("1", "X-Connection: close\r\n"));
    BOOST_TEST(kept("1", "Connection: closed\r\n"));
    BOOST_TEST(kept("0", "Connection: keep-alive\r\n"));
    BOOST_TEST(kept("0", "connection: foo, Keep-Alive\r\n"));
    for (auto const* fields : {"Connection: close\r\n", "CONNECTION: CLOSE\r\n", "Connection: keep-alive, close\r\n",
                               "Connection: close , foo\r\n", "Connection: keep-alive\r\nConnection: close\r\n",
                               "Connection: close\r\nConnection: keep-alive\r\n", "Connection: foo bar\r\n"})
        for (auto const* version : {"0", "1"})
            BOOST_TEST(!kept(version, fields));
    BOOST_TEST(!kept("0", ""));
}

BOOST_AUTO_TEST_CASE(a_body_of_known_length_may_be_read_past_the_decoder)
{
    auto head = answer_with("Content-Length: 5\r\n", "he");
    h1_response_decoder decoder;
    decoder.begin(request_kind::other);
    auto s = decoder.feed({head.data(), head.size()});
    BOOST_REQUIRE((s.what == kind::head));
    BOOST_TEST(decoder.content_left() == 5u);
    s = decoder.feed({head.data() + s.consumed, head.size() - s.consumed});
    BOOST_TEST(s.piece == "he");
    BOOST_TEST(decoder.content_left() == 3u);
    BOOST_TEST((decoder.feed({}).what == kind::need_more));
    decoder.content_taken(3);
    BOOST_TEST(decoder.content_left() == 0u);
    BOOST_TEST((decoder.feed({}).what == kind::end));
}

BOOST_AUTO_TEST_CASE(a_decoder_serves_one_answer_after_another)
{
    h1_response_decoder decoder;
    for (auto const* text :
         {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "HTTP/2",
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
        std::string answer = text;
        decoder.begin(request_kind::other);
        BOOST_TEST(decoder.status() == 0);
        std::size_t at = 0;
        for (;;) {
            auto const s = decoder.feed({answer.data() + at, answer.size() - at});
            at += s.consumed;
            if (s.what == kind::head)
                BOOST_TEST(s.keep_alive == (s.status == 200));
            if (s.what == kind::failed || s.what == kind::end) {
                BOOST_TEST((s.what == kind::failed) == (answer == "HTTP/2"));
                break;
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_failed_answer_stays_failed)
{
    std::string answer = "HTTP/2.0";
    h1_response_decoder decoder;
    decoder.begin(request_kind::other);
    for (int i = 0; i != 2; ++i) {
        BOOST_TEST((decoder.feed({answer.data(), answer.size()}).code == make_error_code(http::errc::bad_status_line)));
        BOOST_TEST((decoder.on_eof(true).code == make_error_code(http::errc::bad_status_line)));
    }
}

BOOST_AUTO_TEST_CASE(mangled_answers_are_read_the_same_however_they_are_cut)
{
    std::vector<std::string> const seeds = {
        answer_with("Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: keep-alive\r\n", "hello"),
        answer_with("Transfer-Encoding: chunked\r\nX: a\r\n b\r\n",
                    "5;x=y\r\nhello\r\n0A\r\n0123456789\r\n0\r\nT: u\r\n v\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
            + answer_with("Content-Length: 5, 5\r\n", "hello"),
        "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end",
        "HTTP/1.1 204 No Content\r\nConnection: close, x\r\n\r\n",
    };
    std::string_view const spice[] = {"\r\n",
                                      "\n",
                                      "\r",
                                      " ",
                                      "\t",
                                      ":",
                                      ",",
                                      ";",
                                      "0",
                                      "5",
                                      "\r\n ",
                                      "\r\n\r\n",
                                      "chunked",
                                      "Content-Length: 5\r\n",
                                      "Transfer-Encoding: chunked\r\n",
                                      "f",
                                      "HTTP/1.1 "};
    std::mt19937 random(20260101);
    auto const below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    answer_limits tight;
    tight.status_line = 40;
    tight.head = 120;
    tight.fields = 4;
    tight.body = 20;
    tight.chunk_extensions = 8;
    tight.interim = 2;
    tight.interim_bytes = 90;

    int complete = 0;
    int failed = 0;
    for (int round = 0; round != 2500; ++round) {
        auto answer = seeds[below(std::size(seeds))];
        for (auto changes = below(4); changes != 0; --changes) {
            auto const at = below(answer.size());
            switch (below(5)) {
            case 0: answer[at] = static_cast<char>(below(256)); break;
            case 1: answer.erase(at, 1 + below(3)); break;
            case 2: answer.insert(at, spice[below(std::size(spice))]); break;
            case 3: answer.insert(at, answer.substr(below(answer.size()), below(40))); break;
            default: answer.insert(at, below(60), answer[at]); break;
            }
            if (answer.empty())
                answer = "H";
        }
        asking how;
        how.kind = below(8) == 0 ? request_kind::head : request_kind::other;
        how.eof = static_cast<ending>(below(3));
        if (below(2) == 0)
            how.limits = tight;
        auto whole = read_in_pieces(answer, how, [&] { return answer.size(); });
        for (int i = 0; i != 4; ++i) {
            auto const largest = 1 + below(i == 0 ? 1 : 30);
            auto cut = read_in_pieces(answer, how, [&] { return 1 + below(largest); });
            if (whole.code)
                cut.surplus = whole.surplus;
            BOOST_TEST_CONTEXT(answer) { BOOST_REQUIRE(cut == whole); }
        }
        complete += whole.complete;
        failed += !!whole.code;
    }
    BOOST_TEST(complete > 200);
    BOOST_TEST(failed > 200);
}

BOOST_AUTO_TEST_SUITE_END()
