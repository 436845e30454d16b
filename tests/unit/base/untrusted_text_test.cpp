// SPDX-License-Identifier: BSL-1.0
#include "base/untrusted_text.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace jeton;
using namespace std::string_literals;

namespace {

struct example {
    std::string sent;
    std::string shown;
};

std::ostream& operator<<(std::ostream& out, example const& e) { return out << e.shown; }

std::vector<example> const table{
    {"", ""},
    {"invalid_client", "invalid_client"},
    {" ~!\"#", " ~!\"#"},
    {"two\r\nlines\tand a tab", "two\\r\\nlines\\tand a tab"},
    {"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"},  // clears the screen, sets the title
    {"nul\0inside"s, "nul\\x00inside"},
    {"\x7f", "\\x7f"},
    {"C:\\temp", "C:\\\\temp"},
    {"\\x1b", "\\\\x1b"},  // cannot be mistaken for an escape of ours
    {"clé", "clé"},        // two bytes
    {"€", "€"},            // three
    {"𝄞", "𝄞"},            // four
    {"Ж日本語", "Ж日本語"},
    {"\xc2\x9b"
     "31m",
     "\\u{9b}31m"},           // CSI as a C1 control
    {"\xc2\xa0", "\\u{a0}"},  // no-break space
    {"\xe2\x80\xae"
     "gpj.exe",
     "\\u{202e}gpj.exe"},                                  // right-to-left override
    {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}"},  // isolates
    {"\xe2\x80\x8b", "\\u{200b}"},                         // zero-width space
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}"},    // line and paragraph separator
    {"\xef\xbb\xbf", "\\u{feff}"},                         // byte order mark
    {"e\xcc\x81", "e\\u{301}"},                            // combining marks pile up
    {"\xf3\xa0\x81\x81", "\\u{e0041}"},                    // tag letters
    {"\xef\xbf\xbf", "\\u{ffff}"},                         // noncharacter
    {"\xee\x80\x80", "\\u{e000}"},                         // private use
    {"\xff\xfe", "\\xff\\xfe"},                            // not UTF-8
    {"\x80", "\\x80"},                                     // a continuation without a beginning
    {"\xc3", "\\xc3"},                                     // cut off
    {"\xc3(", "\\xc3("},
    {"\xe2\x82", "\\xe2\\x82"},
    {"\xc0\xaf", "\\xc0\\xaf"},  // overlong '/'
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
    {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
    {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(base_untrusted_text)

BOOST_DATA_TEST_CASE(what_could_harm_a_log_or_its_reader_is_escaped, table)
{
    BOOST_TEST(untrusted_text(sample.sent, 1000) == sample.shown);
}

BOOST_AUTO_TEST_CASE(every_single_byte_becomes_printable_ascii)
{
    for (int i = 0; i != 256; ++i)
        for (char const c : untrusted_text(std::string(1, static_cast<char>(i)), 100))
            BOOST_TEST((c >= 0x20 && c < 0x7f));
}

BOOST_AUTO_TEST_CASE(a_text_that_just_fits_is_not_cut)
{
    BOOST_TEST(untrusted_text("12345", 5) == "12345");
    BOOST_TEST(untrusted_text("1234\n", 6) == "1234\\n");
}

BOOST_AUTO_TEST_CASE(a_longer_one_is_cut_between_characters_and_marked)
{
    BOOST_TEST(untrusted_text("123456", 5) == "12...");
    BOOST_TEST(untrusted_text("1\xe2\x80\xae"
                              "23456",
                              8)
               == "1...");  // the escape would not fit whole
    BOOST_TEST(untrusted_text("1\xe2\x82\xac\xe2\x82\xac"
                              "23",
                              8)
               == "1\xe2\x82\xac...");  // nor would the letter
}

BOOST_AUTO_TEST_CASE(a_limit_shorter_than_the_mark_is_kept_too)
{
    BOOST_TEST(untrusted_text("123456", 0) == "");
    BOOST_TEST(untrusted_text("123456", 2) == "..");
    BOOST_TEST(untrusted_text("123456", 3) == "...");
    BOOST_TEST(untrusted_text("12", 2) == "12");
    BOOST_TEST(untrusted_text("", 0) == "");
}

BOOST_AUTO_TEST_CASE(a_megabyte_is_clipped_to_the_limit)
{
    for (auto const* const piece : {"a", "\n", "\xff", "\xe2\x80\xae", "\xe2\x82\xac"}) {
        std::string sent;
        while (sent.size() < 1'000'000)
            sent += piece;
        auto const shown = untrusted_text(sent, 1024);
        BOOST_TEST(shown.size() <= 1024U);
        BOOST_TEST(shown.size() > 1000U);
        BOOST_TEST(shown.ends_with("..."));
    }
}

BOOST_AUTO_TEST_SUITE_END()
