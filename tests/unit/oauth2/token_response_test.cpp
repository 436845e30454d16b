// SPDX-License-Identifier: BSL-1.0
#include "oauth2/sansio/token_response.hpp"

#include <jeton/oauth2/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <string>
#include <vector>

using namespace jeton;
using namespace jeton::oauth2;
using namespace std::chrono_literals;

namespace {

moment const sent{time_point(24h), wall_time(std::chrono::seconds(1'800'000'000))};

struct fixture {
    token_endpoint rules{};
    std::string head{};
    std::vector<http::field_position> fields{};

    void field(std::string const& name, std::string const& value)
    {
        http::field_position at;
        at.name = static_cast<std::uint32_t>(head.size());
        at.name_size = static_cast<std::uint16_t>(name.size());
        head += name + ": ";
        at.value = static_cast<std::uint32_t>(head.size());
        at.value_size = static_cast<std::uint32_t>(value.size());
        head += value + "\r\n";
        fields.push_back(at);
    }

    result<token_ptr> read(int status, std::string_view body)
    {
        token_answer a;
        a.status = status;
        a.headers = http::headers(head.data(), fields);
        a.body = body;
        std::string_view const secrets[] = {"s3cret", ""};
        return read_token_answer(a, rules, "https://auth.example/token", sent, sent.wall + 1s, secrets);
    }

    token_ptr good(std::string_view body)
    {
        auto const r = read(200, body);
        BOOST_REQUIRE_MESSAGE(r.has_value(), body);
        return *r;
    }

    failure bad(std::string_view body, oauth2::errc why, int status = 200)
    {
        auto const r = read(status, body);
        BOOST_REQUIRE_MESSAGE(!r.has_value(), body);
        BOOST_TEST_CONTEXT(body)
        {
            BOOST_TEST(r.error().code() == make_error_code(why));
            BOOST_TEST((r.error().phase() == phase::token));
            BOOST_TEST((r.error().delivery() == delivery::answered));
            BOOST_TEST(*r.error().diag().http_status == status);
            BOOST_TEST(r.error().diag().ours.find("https://auth.example/token") != std::string::npos);
        }
        return r.error();
    }

    static std::string with(std::string const& more)
    {
        return R"({"access_token":"abc","token_type":"Bearer")" + more + "}";
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(oauth2_token_response, fixture)

BOOST_AUTO_TEST_CASE(a_token_is_read_with_all_that_belongs_to_it)
{
    // A7, A21
    field("Cache-Control", "private, No-Store");
    rules.refresh = refresh_use::with_client;
    auto const t =
        good(with(R"(,"expires_in":3600,"scope":"read write","refresh_token":"r.1","other":[{"access_token":1}])"));
    BOOST_TEST(t->access() == "abc");
    BOOST_TEST((t->lifetime() == 1h));
    BOOST_TEST((t->sent().boot == sent.boot));
    BOOST_TEST(t->scope == "read write");
    BOOST_TEST(t->refresh.reveal() == "r.1");
    BOOST_TEST(t->endpoint == "https://auth.example/token");
    BOOST_TEST(!t->may_be_cached);
    BOOST_TEST(good(R"({"token_type":"bEaReR","access_token":"a-._~+/b=="})")->access() == "a-._~+/b==");
    BOOST_TEST(read(201, with("")).has_value());
}

BOOST_AUTO_TEST_CASE(every_character_of_a_bearer_token_is_taken)
{
    // B2
    std::string_view const all = "ABCXYZabcxyz0189-._~+/==";
    auto const t = good(R"({"token_type":"Bearer","access_token":")" + std::string(all) + "\"}");
    BOOST_TEST(t->access() == all);
    BOOST_TEST(t->authorization()->reveal() == "Authorization: Bearer " + std::string(all) + "\r\n");
}

BOOST_AUTO_TEST_CASE(a_token_that_cannot_stand_in_a_header_is_refused)
{
    // A7, B2, FAULTS 45
    for (auto const* t : {R"("")", R"("a b")", R"("a\r\nX: y")", R"("ä")", R"("a\u0000")", R"("a=b")", R"("=")", "1",
                          "null", R"(["a"])", R"({"a":"b"})", "true", R"("a\u007f")"})
        (void)bad(R"({"token_type":"Bearer","access_token":)" + std::string(t) + "}", oauth2::errc::bad_response);
    (void)bad(R"({"token_type":"Bearer"})", oauth2::errc::bad_response);
}

BOOST_AUTO_TEST_CASE(tokens_may_be_long_but_not_without_bound)
{
    // A10, FAULTS 45
    auto const of = [](std::size_t n) {
        return R"({"token_type":"Bearer","access_token":")" + std::string(n, 'a') + "\"}";
    };
    BOOST_TEST(good(of(16 * 1024))->access().size() == 16u * 1024);
    (void)bad(of(16 * 1024 + 1), oauth2::errc::bad_response);
    rules.longest_token = 20;
    BOOST_TEST(good(of(20)) != nullptr);
    (void)bad(of(21), oauth2::errc::bad_response);
}

BOOST_AUTO_TEST_CASE(the_type_is_bearer_in_whatever_case)
{
    // A8
    for (auto const* type : {"Bearer", "bearer", "BEARER", "bEARER"})
        BOOST_TEST(good(R"({"access_token":"a","token_type":")" + std::string(type) + "\"}")->access() == "a");
}

BOOST_AUTO_TEST_CASE(another_type_than_bearer_is_refused)
{
    // A8, FAULTS 44
    for (auto const* t : {R"("mac")", R"("N_A")", R"("DPoP")", R"("")", "null", "1", R"("Bearer ")"})
        (void)bad(R"({"access_token":"a","token_type":)" + std::string(t) + "}", oauth2::errc::bad_token_type);
    (void)bad(R"({"access_token":"a"})", oauth2::errc::bad_token_type);
}

BOOST_AUTO_TEST_CASE(expires_in_is_read_in_the_forms_that_servers_send)
{
    // A9, FAULTS 41 to 43
    struct {
        char const* text;
        duration life;
    } const cases[] = {
        {"3600", 1h},
        {"0", 0s},
        {"-0", 0s},
        {"1", 1s},
        {"3600.0", 1h},
        {"36e2", 1h},
        {R"("3600")", 1h},
        {R"("0")", 0s},
        {"86400", 24h},
        {"86401", 24h},
        {"1e12", 24h},
        {"9223372036854775808", 24h},
        {"9223372036854775807", 24h},
        {"18446744073709551616", 24h},
        {R"("99999999999999999999999999")", 24h},
        {"1e300", 24h},
    };
    for (auto const& c : cases)
        BOOST_TEST_CONTEXT(c.text)
    BOOST_TEST((good(with(",\"expires_in\":" + std::string(c.text)))->lifetime() == c.life));
}

BOOST_AUTO_TEST_CASE(expires_in_that_is_no_whole_number_of_seconds_is_refused)
{
    // A9, FAULTS 40
    for (auto const* text :
         {"-1", "1.5", "true", "false", R"("1h")", R"("")", R"(" 1")", R"("1.0")", R"("-1")", "[]", "{}", "-1.0"})
        (void)bad(with(",\"expires_in\":" + std::string(text)), oauth2::errc::bad_expires_in);
    for (auto const* text : {"1e400", "-1e400", "1e999999999999"})
        BOOST_TEST((read(200, with(",\"expires_in\":" + std::string(text))).error().code() == cond::malformed));
    for (auto const* text : {"NaN", "Infinity", "0x10", "01", "+1", "1."})
        (void)bad(with(",\"expires_in\":" + std::string(text)), oauth2::errc::bad_response);
}

BOOST_AUTO_TEST_CASE(without_expires_in_the_jwt_or_the_rules_say_how_long)
{
    // A9, FAULTS 42. Payloads: {"exp":1800000600}, {"exp":1800000600.5}, {"exp":1}, {"exp":"x"}, {"exp":9e18}
    struct {
        char const* token;
        duration life;
    } const cases[] = {
        {"e30.eyJleHAiOjE4MDAwMDA2MDB9.c2ln", 600s},
        {"e30.eyJleHAiOjE4MDAwMDA2MDAuNX0.c2ln", 600s},
        {"e30.eyJleHAiOjF9.c2ln", 0s},
        {"e30.eyJleHAiOiJ4In0.c2ln", 300s},
        {"e30.eyJleHAiOjllMTh9.c2ln", 24h},
        {"e30.!!!!.c2ln", 300s},
        {"opaque", 300s},
        {"a.b.c.d", 300s},
        {"a.AAAA.c", 300s},
    };
    for (auto const& c : cases) {
        std::string body = R"({"token_type":"Bearer","access_token":")" + std::string(c.token) + "\"}";
        if (std::strchr(c.token, '!')) {
            (void)bad(body, oauth2::errc::bad_response);
            continue;
        }
        BOOST_TEST_CONTEXT(c.token)
        BOOST_TEST((good(body)->lifetime() == c.life));
    }
    BOOST_TEST((good(with(",\"expires_in\":null"))->lifetime() == 300s));
    rules.assumed_lifetime = 7s;
    BOOST_TEST((good(with(""))->lifetime() == 7s));
    auto const t =
        good(R"({"token_type":"Bearer","expires_in":60,"access_token":"e30.eyJleHAiOjE4MDAwMDA2MDB9.c2ln"})");
    BOOST_TEST((t->lifetime() == 60s));
    BOOST_TEST((t->jwt_expiry == sent.wall + 600s));
}

BOOST_AUTO_TEST_CASE(a_member_name_that_occurs_twice_is_refused)
{
    // A10, FAULTS 48
    (void)bad(with(R"(,"access_token":"def")"), oauth2::errc::bad_response);
    (void)bad(with(R"(,"x":1,"x":1)"), oauth2::errc::bad_response);
    (void)bad(with(R"(,"\u0061ccess_token":"def")"), oauth2::errc::bad_response);
    BOOST_TEST(good(with(R"(,"x":{"x":1,"access_token":2})"))->access() == "abc");
}

BOOST_AUTO_TEST_CASE(what_is_no_strict_json_object_is_refused)
{
    // A7, FAULTS 38, 46 to 48
    for (auto const& body : std::vector<std::string>{"",
                                                     " ",
                                                     "null",
                                                     "1",
                                                     "\"a\"",
                                                     "[]",
                                                     "[" + with("") + "]",
                                                     "{",
                                                     "{}{}",
                                                     with("") + "x",
                                                     with("") + with(""),
                                                     with("") + std::string(1, '\0'),
                                                     std::string("\0", 1),
                                                     with(",\"x\":\"\xff\""),
                                                     with(",\"x\":\"\xed\xa0\x80\""),
                                                     with(",\"x\":\"a\nb\""),
                                                     with(",}"),
                                                     with(",\"x\":'a'"),
                                                     "/**/" + with(""),
                                                     "<html>login</html>",
                                                     with("").substr(0, 20),
                                                     std::string(100'000, '['),
                                                     "{\"a\":" + std::string(100'000, '{'),
                                                     "\xef\xbb\xbf",
                                                     R"({"token_type":"Bearer","access_token":"a","x":)"
                                                         + std::string(40, '[') + std::string(40, ']') + "}"})
        (void)bad(body, oauth2::errc::bad_response);
    BOOST_TEST(good("\xef\xbb\xbf \r\n\t" + with("") + " \n") != nullptr);
    (void)bad(with(",\"x\":\"" + std::string(64 * 1024, 'a') + "\""), oauth2::errc::bad_response);
    (void)bad(with(""), oauth2::errc::bad_response, 204);
    (void)bad("", oauth2::errc::bad_response, 202);
}

BOOST_AUTO_TEST_CASE(the_scope_that_was_granted_counts)
{
    // A11
    rules.scope = "read write";
    BOOST_TEST(good(with(R"(,"scope":"read")"))->scope == "read");
    BOOST_TEST(good(with(""))->scope == "read write");
    rules.required_scopes = {"write"};
    BOOST_TEST(good(with("")) != nullptr);
    BOOST_TEST(good(with(R"(,"scope":"write read")")) != nullptr);
    (void)bad(with(R"(,"scope":"read")"), oauth2::errc::scope_not_granted);
    (void)bad(with(R"(,"scope":"writer")"), oauth2::errc::scope_not_granted);
    (void)bad(with(R"(,"scope":"")"), oauth2::errc::scope_not_granted);
    (void)bad(with(R"(,"scope":["write"])"), oauth2::errc::bad_response);
    (void)bad(with(R"(,"scope":"write\n")"), oauth2::errc::bad_response);
}

BOOST_AUTO_TEST_CASE(a_refresh_token_is_ignored_unless_the_provider_uses_it)
{
    // A17
    BOOST_TEST(good(with(R"(,"refresh_token":"r")"))->refresh.empty());
    rules.refresh = refresh_use::without_client;
    BOOST_TEST(good(with(R"(,"refresh_token":"r")"))->refresh.reveal() == "r");
    BOOST_TEST(good(with(R"(,"refresh_token":1)"))->refresh.empty());
}

BOOST_AUTO_TEST_CASE(an_answer_that_may_be_stored_is_noted)
{
    // A16
    BOOST_TEST(good(with(""))->may_be_cached);
    field("cache-control", "max-age=0");
    BOOST_TEST(good(with(""))->may_be_cached);
    field("Cache-Control", "x , no-store ,y");
    BOOST_TEST(!good(with(""))->may_be_cached);
}

BOOST_AUTO_TEST_CASE(errors_are_told_with_code_and_text)
{
    // A12
    auto const why = bad(R"({"error":"invalid_client","error_description":"who?","error_uri":"https://x/y"})",
                         oauth2::errc::invalid_client, 401);
    BOOST_TEST(why.diag().peer_code == "invalid_client");
    BOOST_TEST(why.diag().peer_text == "who?; see https://x/y");
    auto const other =
        bad(R"({"code":"unauthorized_request","message":"Invalid client id"})", oauth2::errc::refused, 401);
    BOOST_TEST(other.diag().peer_code == "unauthorized_request");
    BOOST_TEST(other.diag().peer_text == "Invalid client id");
    auto const nested = bad(R"({"error":{"code":"not_found","message":"nope"}})", oauth2::errc::refused, 404);
    BOOST_TEST(nested.diag().peer_code == "not_found");
    BOOST_TEST(nested.diag().peer_text == "nope");
}

BOOST_AUTO_TEST_CASE(what_the_peer_says_is_clipped_and_escaped)
{
    // A12, T12
    auto const why = bad(R"({"error":"a\u001b[2J","error_description":"\r\n\u001b[2J)" + std::string(5000, 'x') + "\"}",
                         oauth2::errc::refused, 400);
    BOOST_TEST(why.diag().peer_text.size() <= 1024u);
    BOOST_TEST(why.diag().peer_text.find('\x1b') == std::string::npos);
    BOOST_TEST(why.diag().peer_text.find('\n') == std::string::npos);
    BOOST_TEST(why.diag().peer_code.find('\x1b') == std::string::npos);
    auto const html = bad("<html>\x1b[2J" + std::string(5000, 'x'), oauth2::errc::bad_response);
    BOOST_TEST(html.diag().peer_text.starts_with("<html>"));
    BOOST_TEST(html.diag().peer_text.size() <= 256u);
}

BOOST_AUTO_TEST_CASE(answers_without_an_error_code_are_refusals_all_the_same)
{
    // A12, FAULTS 49
    for (auto const* body : {"", "{}", "<html>no</html>", "{\"error\":1}", "[1]", "{\"error\":null}"})
        for (int const status : {400, 401, 403, 404, 418})
            (void)bad(body, oauth2::errc::refused, status);
}

BOOST_AUTO_TEST_CASE(an_error_within_a_200_is_no_token)
{
    // A13
    auto const why = bad(with(R"(,"error":"invalid_scope")"), oauth2::errc::invalid_scope);
    BOOST_TEST(why.diag().peer_code == "invalid_scope");
    (void)bad(R"({"error":"whatever"})", oauth2::errc::refused);
}

BOOST_AUTO_TEST_CASE(an_error_of_null_is_none)
{
    // A13
    BOOST_TEST(good(with(R"(,"error":null)")) != nullptr);
}

BOOST_AUTO_TEST_CASE(the_status_decides_what_is_passing_and_what_is_permanent)
{
    // A14
    struct {
        int status;
        char const* body;
        oauth2::errc code;
        cond answers_to;
    } const cases[] = {
        {400, R"({"error":"invalid_grant"})", oauth2::errc::invalid_grant, cond::credentials},
        {400, R"({"error":"unauthorized_client"})", oauth2::errc::unauthorized_client, cond::credentials},
        {400, R"({"error":"unsupported_grant_type"})", oauth2::errc::unsupported_grant_type, cond::credentials},
        {400, R"({"error":"temporarily_unavailable"})", oauth2::errc::temporarily_unavailable, cond::transient},
        {400, R"({"error":"server_error"})", oauth2::errc::server_error, cond::transient},
        {400, R"({"error":"my_own"})", oauth2::errc::refused, cond::credentials},
        {408, "", oauth2::errc::temporarily_unavailable, cond::transient},
        {429, R"({"error":"invalid_client"})", oauth2::errc::temporarily_unavailable, cond::transient},
        {500, R"({"error":"invalid_client"})", oauth2::errc::server_error, cond::transient},
        {502, "<html>", oauth2::errc::server_error, cond::transient},
        {503, "", oauth2::errc::temporarily_unavailable, cond::transient},
        {504, "", oauth2::errc::server_error, cond::transient},
    };
    for (auto const& c : cases)
        BOOST_TEST((bad(c.body, c.code, c.status).code() == c.answers_to));
}

BOOST_AUTO_TEST_CASE(retry_after_is_heard_on_429_and_503)
{
    // A15
    field("Retry-After", "7");
    BOOST_TEST((bad("", oauth2::errc::temporarily_unavailable, 503).diag().retry_after == 7s));
    BOOST_TEST((bad("", oauth2::errc::temporarily_unavailable, 429).diag().retry_after == 7s));
    BOOST_TEST(!bad("", oauth2::errc::server_error, 500).diag().retry_after.has_value());
    fixture garbage;
    garbage.field("Retry-After", "soon");
    BOOST_TEST(!garbage.bad("", oauth2::errc::temporarily_unavailable, 503).diag().retry_after.has_value());
}

BOOST_AUTO_TEST_CASE(a_redirect_is_an_error_and_shows_where_to_without_the_query)
{
    // A18, FAULTS 46
    field("Location", "https://evil.example/x?secret=1");
    for (int const status : {301, 302, 303, 307, 308}) {
        auto const why = bad(with(""), oauth2::errc::redirect, status);
        BOOST_TEST(why.diag().peer_text == "https://evil.example/x");
    }
}

BOOST_AUTO_TEST_CASE(no_secret_is_quoted)
{
    // A12
    for (auto const& why : {bad(R"({"access_token":"hush","token_type":"mac"})", oauth2::errc::bad_token_type),
                            bad(R"(callback({"access_token":"hush"}))", oauth2::errc::bad_response),
                            bad("<pre>client_id=me&amp;s3cret hush</pre>", oauth2::errc::refused, 400),
                            bad(R"({"error":"x","error_description":"s3cret hush"})", oauth2::errc::refused, 400),
                            bad(R"({"error":"s3cret hush"})", oauth2::errc::refused, 400)}) {
        auto const all = why.to_string() + why.diag().ours + why.diag().peer_code + why.diag().peer_text;
        BOOST_TEST(all.find("hush") == std::string::npos);
    }
    BOOST_TEST(bad(R"({"error":"x","error_description":"client_secret is wrong"})", oauth2::errc::refused, 400)
                   .diag()
                   .peer_text
               == "client_secret is wrong");
}

BOOST_AUTO_TEST_SUITE_END()
