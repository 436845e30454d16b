// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/json.hpp>

#include <jeton/http/error.hpp>
#include <jeton/testing/fake_transport.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace jeton;

namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

http::response answer(std::string_view body, fields const& head = {{"Content-Type", "application/json"}},
                      int status = 200)
{
    return testing::fake_transport::answer(status, head, body);
}

result<boost::json::value> read(std::string_view body, json_limits limits = {}) { return json(answer(body), limits); }

result<boost::json::value> read_as(std::string_view content_type)
{
    return json(answer("[1]", {{"Content-Type", std::string(content_type)}}));
}

/// What becomes of `body`, as JSON again; or the name of the error.
std::string outcome(std::string_view body, json_limits limits = {})
{
    auto const got = read(body, limits);
    return got ? boost::json::serialize(*got) : error_name(got.error().code());
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

constexpr json_limits as_text{.numbers = json_numbers::as_text};
constexpr json_limits rounded{.numbers = json_numbers::rounded};

std::string const bad = "jeton.http.bad_json";
std::string const number = "jeton.http.json_number";

}  // namespace

BOOST_AUTO_TEST_SUITE(client_json)

BOOST_AUTO_TEST_CASE(an_answer_becomes_a_value_that_outlives_it)
{
    auto const got = json(answer(R"( {"a": [1, -2, 2.5, true, null, "é\n"], "b": {}} )")).value();
    BOOST_TEST(got.at("a").at(0).as_int64() == 1);
    BOOST_TEST(got.at("a").at(1).as_int64() == -2);
    BOOST_TEST(got.at("a").at(2).as_double() == 2.5);
    BOOST_TEST(got.at("a").at(3).as_bool());
    BOOST_TEST(got.at("a").at(4).is_null());
    BOOST_TEST((got.at("a").at(5).as_string() == "é\n"));
    BOOST_TEST(got.at("b").as_object().empty());

    for (std::string_view const scalar : {"0", "true", "null", R"("x")", "[]", "{}"})
        BOOST_TEST(outcome(scalar) == scalar);
}

BOOST_AUTO_TEST_CASE(whatever_the_status_the_body_is_read)
{
    BOOST_TEST(json(answer(R"({"code":7})", {{"Content-Type", "application/problem+json"}}, 503)).has_value());
}

BOOST_AUTO_TEST_CASE(decimal_strings_stay_strings)
{
    auto const got = read(R"({"price":"0.10","wei":"128000000000000000000"})").value();
    BOOST_TEST((got.at("price").as_string() == "0.10"));
    BOOST_TEST((got.at("wei").as_string() == "128000000000000000000"));
}

BOOST_AUTO_TEST_CASE(an_integer_keeps_every_digit_or_is_refused)
{
    BOOST_TEST(read("9223372036854775807").value().as_int64() == INT64_MAX);
    BOOST_TEST(read("-9223372036854775808").value().as_int64() == INT64_MIN);
    BOOST_TEST(read("9223372036854775808").value().as_uint64() == 9223372036854775808U);
    BOOST_TEST(read("18446744073709551615").value().as_uint64() == UINT64_MAX);

    // The last two a double could hold: what is refused does not depend on the amount of the day.
    for (std::string_view const large : {"18446744073709551616", "-9223372036854775809", "128000000000000000001",
                                         "128000000000000000000", "100000000000000000000"}) {
        BOOST_TEST(outcome(large) == number);
        BOOST_TEST(outcome(std::string(R"({"a":[)") + std::string(large) + "]}") == number);
        BOOST_TEST((read(large, as_text).value().as_string() == large));
        BOOST_TEST(read(large, rounded).value().is_double());
    }
    BOOST_TEST(read("128000000000000000001", rounded).value().as_double() == 128e18);
}

BOOST_AUTO_TEST_CASE(a_fraction_keeps_its_digits_or_is_refused)
{
    for (auto const& [text, value] : std::vector<std::pair<std::string_view, double>>{
             {"0.1", 0.1},
             {"0.10", 0.1},
             {"-0.0", -0.0},
             {"0e5", 0},
             {"1234.56", 1234.56},
             {"1e5", 1e5},
             {"1E+2", 100},
             {"123456789012.345", 123456789012.345},
             {"0.30000000000000004", 0.1 + 0.2},  // what prints doubles so that they can be read back
             {"1.7976931348623157e308", 1.7976931348623157e308},
             {"5e-324", 5e-324},
             {"2.2250738585072014E-308", 2.2250738585072014e-308},
             {"1.000000000000000000000000", 1},
             {"0.000000000000000000000000000001", 1e-30}})
        BOOST_TEST_CONTEXT(text) BOOST_TEST(read(text).value().as_double() == value);
    for (std::string_view const lost :
         {"0.12345678901234567890", "794112.123456789012345678", "9007199254740993.0", "9007199254740993e0", "1e400",
          "-1e400", "1e-400", "3e-324", "1.00000000000000000001", "9.99999999999999999999", "1e-99999"}) {
        BOOST_TEST_CONTEXT(lost)
        {
            BOOST_TEST(outcome(lost) == number);
            BOOST_TEST((read(lost, as_text).value().as_string() == lost));
        }
    }
    BOOST_TEST(read("9.99999999999999999999", rounded).value().as_double() == 10.0);
    BOOST_TEST(read("-1e-400", rounded).value().as_double() == 0.0);
    BOOST_TEST(outcome("1e400", rounded) == number);
    for (auto const limits : {json_limits(), as_text, rounded})
        BOOST_TEST(outcome("1e99999999999999999999", limits) == number);
}

BOOST_AUTO_TEST_CASE(a_double_is_the_nearest_one)
{
    // Printed with as few digits as lead back to it, every double is taken, and is the same one.
    std::mt19937_64 random(1);
    std::array<char, 64> text;
    for (int i = 0; i != 20'000; ++i) {
        double const written =
            std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 400) - 200) * (i % 2 ? 1 : -1);
        auto const end = std::to_chars(text.data(), text.data() + text.size(), written, std::chars_format::scientific);
        auto const got = read({text.data(), end.ptr});
        BOOST_REQUIRE(got.has_value());
        BOOST_REQUIRE(got->as_double() == written);
    }
}

BOOST_AUTO_TEST_CASE(numbers_with_millions_of_digits_end_too)
{
    std::string const digits(1'000'000, '7');
    BOOST_TEST(outcome(digits) == number);
    BOOST_TEST(outcome("0." + digits) == number);
    BOOST_TEST(outcome("1." + std::string(1'000'000, '0')) == "1E0");
    BOOST_TEST(read(digits, as_text).value().as_string().size() == digits.size());
    BOOST_TEST(outcome("1." + digits, rounded).substr(0, 4) == "1.77");
}

BOOST_AUTO_TEST_CASE(a_member_name_that_occurs_twice_is_refused)
{
    for (std::string_view const twice : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"([{"x":[{"a":1,"a":null}]}])",
                                         R"({"a":1,"\u0061":2})", R"({"":1,"":2})", R"({"a":{"b":1,"c":2},"a":0})"})
        BOOST_TEST(outcome(twice) == bad);
    for (std::string_view const once : {R"({"a":1,"A":2})", R"([{"a":1},{"a":2}])", R"({"a":{"a":{"a":1}}})"})
        BOOST_TEST(outcome(once) == once);
    std::string many = "{";
    for (int i = 0; i != 1000; ++i)
        many += '"' + std::to_string(i) + "\":0,";
    BOOST_TEST(read(many + R"("x":0})").has_value());
    BOOST_TEST(outcome(many + R"("500":0})") == bad);
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_refused)
{
    // T35
    for (std::string_view const text : {"",
                                        " ",
                                        "\n",
                                        "{",
                                        "[1",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{'a':1}",
                                        "[01]",
                                        "[+1]",
                                        "[.5]",
                                        "[1.]",
                                        "[1e]",
                                        "[-]",
                                        "[0x1]",
                                        "NaN",
                                        "Infinity",
                                        "[nul]",
                                        "tru",
                                        "TRUE",
                                        "\"abc",
                                        "\"\t\"",
                                        "\"\\x41\"",
                                        "\"\\u12\"",
                                        "\"\\ud800\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\udc00\"",
                                        "[1] x",
                                        "[1][2]",
                                        "{}}",
                                        "// c\n1",
                                        "[1 2]",
                                        "[1:2]",
                                        "{\"a\" 1}",
                                        "{1:2}",
                                        "\xEF\xBB\xBF{}",
                                        "\xFF\xFE{\0",
                                        "<!doctype html>",
                                        "]",
                                        ","})
        BOOST_TEST_CONTEXT(text) BOOST_TEST(outcome(text) == bad);
    using namespace std::string_view_literals;
    for (auto const text : {"[1]\0"sv, "\0"sv, "\"\0\""sv, "[1\0]"sv})
        BOOST_TEST(outcome(text) == bad);
}

BOOST_AUTO_TEST_CASE(what_is_no_utf8_is_refused)
{
    for (std::string_view const text :
         {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82"}) {
        BOOST_TEST(outcome('"' + std::string(text) + '"') == bad);
        BOOST_TEST(outcome("{\"" + std::string(text) + "\":1}") == bad);
    }
    BOOST_TEST(outcome("\"\xf0\x9f\x8c\xb3\"") == "\"\xf0\x9f\x8c\xb3\"");
}

BOOST_AUTO_TEST_CASE(depth_is_limited)
{
    std::string const deep = "jeton.http.json_too_deep";
    BOOST_TEST(read(nested(32)).has_value());
    BOOST_TEST(outcome(nested(33)) == deep);
    BOOST_TEST(outcome(std::string(100'000, '[')) == deep);
    BOOST_TEST(outcome("{\"a\":" + nested(32) + "}") == deep);
    BOOST_TEST(outcome("7", {.depth = 0}) == "7");
    BOOST_TEST(outcome("[]", {.depth = 0}) == deep);
    BOOST_TEST(outcome("{}", {.depth = 0}) == deep);
    // Whatever a caller asks for, the stack holds.
    BOOST_TEST(read(nested(1000), {.depth = SIZE_MAX}).has_value());
    BOOST_TEST(outcome(nested(1001), {.depth = SIZE_MAX}) == deep);
}

BOOST_AUTO_TEST_CASE(size_is_limited)
{
    BOOST_TEST(read("[1,2]", {.size = 5}).has_value());
    auto const got = read("[1,2]", {.size = 4});
    BOOST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().code() == http::errc::body_too_large));
}

BOOST_AUTO_TEST_CASE(the_content_type_decides)
{
    for (std::string_view const type : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                                        "application/json;charset=\"UTF-8\"", "application/json ; x=y",
                                        "application/problem+json", "application/vnd.api+JSON"})
        BOOST_TEST_CONTEXT(type) BOOST_TEST(read_as(type).has_value());
    BOOST_TEST(json(answer("[1]", {})).has_value());

    for (std::string_view const type :
         {"text/html", "TEXT/HTML; charset=utf-8", "text/plain", "text/json", "application/jsonx", "application/+json",
          "application/json+x", "xapplication/json", "json", "application/", "application/xml", "image/x+json",
          "application/x-ndjson"}) {
        auto const got = read_as(type);
        BOOST_TEST_CONTEXT(type)
        {
            BOOST_REQUIRE(!got.has_value());
            BOOST_TEST((got.error().code() == http::errc::not_json));
            BOOST_TEST(got.error().diag().peer_text == type);
        }
    }
    // Two of them: neither is to be trusted with choosing.
    BOOST_TEST(!json(answer("[1]", {{"Content-Type", "application/json"}, {"content-type", "text/html"}})).has_value());
}

BOOST_AUTO_TEST_CASE(an_html_page_answered_with_200_is_called_that)
{
    auto const got =
        json(answer("<html>session of jane.doe has ended</html>", {{"Content-Type", "text/html; charset=\x1b[31m"}}));
    BOOST_REQUIRE(!got.has_value());
    auto const& why = got.error();
    BOOST_TEST((why.code() == cond::malformed));
    BOOST_TEST((why.phase() == phase::body));
    BOOST_TEST((why.delivery() == delivery::answered));
    BOOST_TEST(!why.safe_to_resend());
    BOOST_TEST(why.diag().http_status.value() == 200);
    BOOST_TEST(why.diag().ours.find("status 200") != std::string::npos);
    BOOST_TEST(why.diag().ours.find("HTML page") != std::string::npos);
    BOOST_TEST(why.diag().peer_text == "text/html; charset=\\x1b[31m");
    BOOST_TEST(why.to_string().find("charset") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_error_quotes_nothing_of_the_body)
{
    for (std::string_view const body : {R"({"iban":"quoted")", R"(["quoted",1e400])", R"({"quoted":1,"quoted":2})",
                                        R"(["quoted"] quoted)", "quoted"}) {
        auto const got = read(body);
        BOOST_REQUIRE(!got.has_value());
        auto const& why = got.error();
        BOOST_TEST((why.code() == cond::malformed));
        BOOST_TEST((why.phase() == phase::body));
        BOOST_TEST((why.delivery() == delivery::answered));
        BOOST_TEST(why.diag().ours.find(std::to_string(body.size()) + " bytes") != std::string::npos);
        BOOST_TEST(why.diag().ours.find("quoted") == std::string::npos);
        BOOST_TEST(why.diag().peer_text.empty());
        BOOST_TEST(why.diag().peer_code.empty());
    }
}

BOOST_AUTO_TEST_CASE(whatever_the_bytes_reading_them_ends)
{
    std::mt19937 random(7);
    std::string const good =
        R"({"a":[1,-2.5e3,"x\u00e9\ud83c\udf33",true,false,null,{"b":{}}],"c":18446744073709551616})";
    std::string_view const alphabet = "{}[]:,\"\\u0123456789eE+-.truefalsn \xEF\xBB\xC3\xA9\x80\xff";
    for (int i = 0; i != 20'000; ++i) {
        auto text = good.substr(0, random() % (good.size() + 1));
        for (auto changes = random() % 4; changes != 0 && !text.empty(); --changes)
            text[random() % text.size()] = alphabet[random() % alphabet.size()];
        for (auto const limits : {json_limits(), as_text, rounded, json_limits{.depth = 2, .size = 40}}) {
            auto const got = read(text, limits);
            if (!got)
                BOOST_REQUIRE((got.error().code() == cond::malformed));
            else  // and what was taken can be written, and read again
                BOOST_REQUIRE(boost::json::parse(boost::json::serialize(*got)) == *got);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
