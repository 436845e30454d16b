// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/fault_orders.hpp"

#include "testing/sansio/fault_access.hpp"

#include <boost/test/unit_test.hpp>

using namespace jeton::testing;

namespace {

struct fixture {
    fault_orders orders;

    // The status that the next request gets; 0: it goes by unharmed.
    int next(std::string_view provider = "alluvial", std::string_view method = "GET", std::string_view path = "/x")
    {
        auto const* f = orders.next(provider, method, path);
        if (f == nullptr)
            return 0;
        server_reply r;
        fault_access::apply(*f, r);
        return r.status;
    }

    std::string wire(fault const& f, std::string_view body = "0123456789")
    {
        server_reply r;
        r.json(200, body);
        fault_access::apply(f, r);
        std::string text;
        write_reply(text, r, "now");
        return text;
    }
};

constexpr std::string_view head =
    "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(testing_fault_orders, fixture)

BOOST_AUTO_TEST_CASE(a_fault_strikes_once_unless_told_otherwise)
{
    orders.add(1, fault().status(503));
    BOOST_TEST(next() == 503);
    BOOST_TEST(next() == 0);
    BOOST_TEST(orders.struck(1) == 1U);
    BOOST_TEST(orders.struck(2) == 0U);
}

BOOST_AUTO_TEST_CASE(faults_strike_in_the_order_of_ordering)
{
    orders.add(1, fault().status(500).times(2));
    orders.add(2, fault().status(501).until_cleared());
    BOOST_TEST(next() == 500);
    BOOST_TEST(next() == 500);
    for (int i = 0; i != 100; ++i)
        BOOST_TEST(next() == 501);
    orders.remove(2);
    BOOST_TEST(next() == 0);
    BOOST_TEST(orders.struck(2) == 100U);
}

BOOST_AUTO_TEST_CASE(a_fault_strikes_only_whom_it_is_for)
{
    orders.add(1, fault().status(500).at("datacrunch").only("POST", "/instances"));
    BOOST_TEST(next("alluvial", "POST", "/instances") == 0);
    BOOST_TEST(next("datacrunch", "GET", "/instances") == 0);
    BOOST_TEST(next("datacrunch", "POST", "/balance") == 0);
    BOOST_TEST(next("datacrunch", "POST", "/instances") == 500);
}

BOOST_AUTO_TEST_CASE(a_fault_may_spare_the_first_ones)
{
    orders.add(1, fault().status(500).after(2));
    BOOST_TEST(next() == 0);
    BOOST_TEST(next() == 0);
    BOOST_TEST(next() == 500);
    BOOST_TEST(next() == 0);
}

BOOST_AUTO_TEST_CASE(clearing_takes_every_order_away)
{
    orders.add(1, fault().status(500).until_cleared());
    orders.clear();
    BOOST_TEST(next() == 0);
    BOOST_TEST(orders.empty());
}

BOOST_AUTO_TEST_CASE(an_answer_can_be_cut_anywhere)
{
    BOOST_TEST(wire(fault()) == std::string(head) + "0123456789");
    BOOST_TEST(wire(fault().hang()) == "");
    BOOST_TEST(wire(fault().send(fault::part::head)) == head);
    BOOST_TEST(wire(fault().half_a_body()) == std::string(head) + "01234");
    BOOST_TEST(wire(fault().surplus("!!")) == std::string(head) + "0123456789!!");
    BOOST_TEST(wire(fault().raw("abcd")) == "abcd");
    BOOST_TEST(wire(fault().raw("abcd").half_a_body()) == "ab");
    BOOST_TEST(wire(fault().header("Retry-After", "2")).find("\r\nRetry-After: 2\r\n\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(half_of_an_answer_without_a_body_is_half_of_its_head)
{
    auto const text = wire(fault().half_a_body(), "");
    BOOST_TEST(text.find("\r\n\r\n") == std::string::npos);
    BOOST_TEST(!text.empty());
}

BOOST_AUTO_TEST_CASE(members_of_a_token_answer_are_replaced_added_and_taken_out)
{
    server_reply r;
    r.members = {{"access_token", R"("t")"}, {"expires_in", "3600"}, {"scope", R"("s")"}};
    fault_access::apply(fault().expires_in(R"("60")").without_member("scope").member("extra", "[1]").token("other"), r);
    r.compose();
    BOOST_TEST(r.body == R"({"access_token":"other","expires_in":"60","extra":[1]})");
}

BOOST_AUTO_TEST_CASE(answers_to_head_and_without_content_have_no_body)
{
    server_reply r;
    r.json(200, "0123456789");
    r.bodiless = true;
    std::string text;
    write_reply(text, r, "now");
    BOOST_TEST(text == head);

    server_reply none;
    none.status = 204;
    text.clear();
    write_reply(text, none, "now");
    BOOST_TEST(text == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(a_fault_may_be_for_one_protocol)
{
    orders.add(1, fault().over("http/1.1"));
    orders.add(2, fault().refuse_stream());
    BOOST_TEST(orders.next({}, "GET", "/x", "h2") != nullptr);
    BOOST_TEST(orders.struck(1) == 0U);
    BOOST_TEST(orders.struck(2) == 1U);
    BOOST_TEST(orders.next({}, "GET", "/x", "h2") == nullptr);
    BOOST_TEST(orders.next({}, "GET", "/x", "http/1.1") != nullptr);
    BOOST_TEST(orders.struck(1) == 1U);
}

BOOST_AUTO_TEST_CASE(only_what_says_so_refuses_a_request)
{
    using last = fault::last_stream;
    BOOST_TEST(!fault_access::refuses(fault().reset_stream(), 5));
    BOOST_TEST(fault_access::refuses(fault().refuse_stream(), 5));
    BOOST_TEST(fault_access::refuses(fault().require_http_1_1(), 5));
    BOOST_TEST(!fault_access::refuses(fault().go_away(), 5));
    BOOST_TEST(!fault_access::refuses(fault().go_away(h2_error::no_error, last::any), 5));
    BOOST_TEST(fault_access::refuses(fault().go_away(h2_error::no_error, last::the_one_before), 5));
    BOOST_TEST(fault_access::refuses(fault().go_away(h2_error::no_error, last::none), 1));
}

BOOST_AUTO_TEST_SUITE_END()
