// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/challenges.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace jeton::http;
using namespace std::string_literals;

namespace {

std::string told(std::vector<challenge> const& all)
{
    std::string text;
    for (auto const& c : all) {
        text += c.scheme + '(' + c.token68;
        for (auto const& [name, value] : c.parameters)
            text += name + '=' + value + ';';
        text += ')';
    }
    return text;
}

// "malformed" or what was understood.
std::string read(std::string_view value)
{
    std::vector<challenge> all;
    return parse_challenges(value, all) ? told(all) : "malformed";
}

// A message with these fields, and nothing around them.
class message {
public:
    void add(std::string const& name, std::string const& value)
    {
        auto const at = static_cast<std::uint32_t>(text_.size());
        text_ += name + value;
        fields_.push_back({at, static_cast<std::uint32_t>(at + name.size()), static_cast<std::uint32_t>(value.size()),
                           static_cast<std::uint16_t>(name.size())});
    }
    headers view() const { return {text_.data(), fields_}; }

private:
    std::string text_;
    std::vector<field_position> fields_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_challenges)

BOOST_AUTO_TEST_CASE(challenges_and_their_parameters_are_told_apart)
{
    // B3
    BOOST_TEST(read("Bearer") == "bearer()");
    BOOST_TEST(read("") == "");
    BOOST_TEST(read("Basic realm=\"simple\"") == "basic(realm=simple;)");
    BOOST_TEST(read("Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"")
               == "newauth(realm=apps;type=1;title=Login to \"apps\";)basic(realm=simple;)");
    BOOST_TEST(read("Bearer error=\"invalid_token\", error_description=\"expired, sorry\"")
               == "bearer(error=invalid_token;error_description=expired, sorry;)");
    BOOST_TEST(read("Negotiate, Basic realm=x, Bearer") == "negotiate()basic(realm=x;)bearer()");
    BOOST_TEST(read("Negotiate a87421000492aa874209af8bc028==, Bearer error=x")
               == "negotiate(a87421000492aa874209af8bc028==)bearer(error=x;)");
    BOOST_TEST(read("Foo a/b+c.d-e_f~g") == "foo(a/b+c.d-e_f~g)");
    BOOST_TEST(read("A b=, C") == "a(b=)c()");
    BOOST_TEST(read("A b= c") == "a(b=c;)");
    BOOST_TEST(read(" , ,Basic  realm = \"x\" ,, nonce\t=\ty , ,") == "basic(realm=x;nonce=y;)");
    BOOST_TEST(read("BEARER REALM=\"\"") == "bearer(realm=;)");
    BOOST_TEST(read("DPoP algs=\"ES256 PS256\", Bearer error=\"insufficient_scope\", scope=\"a b\"")
               == "dpop(algs=ES256 PS256;)bearer(error=insufficient_scope;scope=a b;)");
}

BOOST_AUTO_TEST_CASE(a_malformed_challenge_is_no_challenge)
{
    // B3
    for (auto const& value : {"realm=x"s,
                              "=x"s,
                              "Basic realm=\"x"s,
                              "Basic realm=\"x\\"s,
                              "Basic realm=\"x\" y"s,
                              "Basic realm=\"x\"y=z"s,
                              "Basic a=1, a=2"s,
                              "Basic a=1, A=2"s,
                              "Basic a=b c=d"s,
                              "Basic, x=, y"s,
                              "Basic a=b, c="s,
                              "Basic a=\"b\nc\""s,
                              "Basic a=\"b\0\""s,
                              "Basic a=\"\\\0\""s,
                              "Basic @"s,
                              "Negotiate abc==, x=y"s,
                              "\"Basic\""s,
                              "Basic/x"s,
                              "Basic a=b;c=d"s,
                              "Basic a=(b)"s,
                              "Bearer\xc3\xa9"s,
                              "Bearer a=\xc3\xa9"s})
        BOOST_TEST(read(value) == "malformed", value);
}

BOOST_AUTO_TEST_CASE(the_fields_of_an_answer_make_one_list)
{
    // B3
    message m;
    m.add("WWW-Authenticate", "Basic realm=\"a\", Foo");
    m.add("Content-Type", "text/plain");
    m.add("www-authenticate", "Bearer error=\"invalid_token\"");
    BOOST_TEST(told(parse_challenges(m.view())) == "basic(realm=a;)foo()bearer(error=invalid_token;)");
    BOOST_TEST(bearer_error(parse_challenges(m.view())) == "invalid_token");
    BOOST_TEST(parse_challenges(m.view(), "Proxy-Authenticate").empty());
    // One that is malformed makes the whole a bare 401.
    m.add("WWW-Authenticate", "Bearer error=\"x");
    BOOST_TEST(parse_challenges(m.view()).empty());
}

BOOST_AUTO_TEST_CASE(the_error_is_that_of_the_bearer_challenge)
{
    // B3
    auto const error = [](std::string_view value) {
        std::vector<challenge> all;
        BOOST_TEST(parse_challenges(value, all));
        return std::string(bearer_error(all));
    };
    BOOST_TEST(error("Basic error=no, bearer realm=x, ERROR=\"invalid_token\"") == "invalid_token");
    BOOST_TEST(error("Bearer realm=x, Bearer error=insufficient_scope") == "insufficient_scope");
    BOOST_TEST(error("Bearer") == "");
    BOOST_TEST(error("DPoP error=\"invalid_token\"") == "");
}

BOOST_AUTO_TEST_CASE(a_list_is_bounded)
{
    // B3
    std::string many = "A";
    for (int i = 1; i != 32; ++i)
        many += ",A";
    std::vector<challenge> all;
    BOOST_TEST(parse_challenges(many, all));
    BOOST_TEST(all.size() == 32u);
    BOOST_TEST(read(many + ",A") == "malformed");

    std::string parameters = "A p=0";
    for (int i = 1; i != 64; ++i)
        parameters += ",p" + std::to_string(i) + "=0";
    BOOST_TEST(read(parameters) != "malformed");
    BOOST_TEST(read(parameters + ",q=0") == "malformed");

    BOOST_TEST(read("A p=\"" + std::string(16 * 1024 - 6, 'x') + '"') != "malformed");
    BOOST_TEST(read("A p=\"" + std::string(16 * 1024 - 5, 'x') + '"') == "malformed");
    message m;
    m.add("WWW-Authenticate", "A p=" + std::string(10'000, 'x'));
    BOOST_TEST(!parse_challenges(m.view()).empty());
    m.add("WWW-Authenticate", "A p=" + std::string(10'000, 'x'));
    BOOST_TEST(parse_challenges(m.view()).empty());
}

BOOST_AUTO_TEST_CASE(nothing_that_a_server_may_send_does_harm)
{
    // B3: in memory of exactly the right size, so that a byte too far is seen.
    std::string_view const pieces[] = {"Bearer", " ",     ",",  "=",    "\"",   "\\",          "a",
                                       "==",     "error", "\t", "\x01", "\xff", "realm=\"x\"", ";"};
    std::mt19937 random(7);
    for (int i = 0; i != 20'000; ++i) {
        std::vector<char> text;
        for (auto n = random() % 12; n != 0; --n) {
            auto const piece = pieces[random() % std::size(pieces)];
            text.insert(text.end(), piece.begin(), piece.end());
        }
        std::vector<challenge> all;
        if (parse_challenges({text.data(), text.size()}, all))
            for (auto const& c : all)
                BOOST_REQUIRE((is_token(c.scheme) && (c.token68.empty() || c.parameters.empty())));
    }
}

BOOST_AUTO_TEST_SUITE_END()
