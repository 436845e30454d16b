// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/headers.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace jeton::http;

BOOST_AUTO_TEST_SUITE(http_headers)

BOOST_AUTO_TEST_CASE(fields_are_found_by_name_without_regard_to_case)
{
    std::string const text = "Alpha: 1\r\nbeta: 2\r\nALPHA: 3\r\n";
    std::vector<field_position> const at = {{0, 7, 1, 5}, {10, 16, 1, 4}, {19, 26, 1, 5}};
    headers const h(text.data(), at);
    BOOST_TEST(h.size() == 3u);
    BOOST_TEST(h.find("alpha").value() == "1");
    BOOST_TEST(h.find("BETA").value() == "2");
    BOOST_TEST(!h.find("gamma").has_value());
    BOOST_TEST(!h.find("alph").has_value());
    BOOST_TEST(h.count("aLPHa") == 2u);
    BOOST_TEST(h[2].value == "3");
    std::string names;
    for (auto const& f : h)
        names += f.name;
    BOOST_TEST(names == "AlphabetaALPHA");
    BOOST_TEST(headers().size() == 0u);
    BOOST_TEST(!headers().find("a").has_value());
}

BOOST_AUTO_TEST_CASE(names_differ_in_more_than_one_bit)
{
    BOOST_TEST(same_field_name("Content-Type", "content-TYPE"));
    BOOST_TEST(!same_field_name("a^", "a~"));
    BOOST_TEST(!same_field_name("a-b", "a\rb"));
    BOOST_TEST(!same_field_name("abc", "abcd"));
}

BOOST_AUTO_TEST_CASE(every_byte_value_is_judged_for_names_and_values)
{
    // J18, T11
    std::string const marks = "!#$%&'*+-.^_`|~";
    for (int i = 0; i != 256; ++i) {
        auto const c = static_cast<char>(i);
        bool const alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        BOOST_TEST(is_token("a" + std::string(1, c) + "b")
                   == (alphanumeric || (i != 0 && marks.find(c) != std::string::npos)));
        bool const field = i == '\t' || (i >= 0x20 && i != 0x7f);
        for (std::size_t const before : {1U, 5U, 14U, 15U, 16U, 17U, 31U, 40U})
            for (std::size_t const behind : {1U, 20U})
                BOOST_TEST(is_field_value(std::string(before, 'x') + c + std::string(behind, 'y')) == field);
    }
    BOOST_TEST(!is_token(""));
    BOOST_TEST(is_field_value(""));
    for (auto const* blank : {" ", "\t", " a", "a ", "\ta", "a\t"})
        BOOST_TEST(!is_field_value(blank));
}

BOOST_AUTO_TEST_SUITE_END()
