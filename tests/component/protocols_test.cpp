// SPDX-License-Identifier: BSL-1.0
#include "component/sandboxed.hpp"

#include <jeton/http/error.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

// Which protocol carries what, through the whole client.

namespace {

constexpr std::string_view order = R"({"instance_type":"1V100.6V"})";

struct fixture : sandboxed {
    client& speaking(http::protocol_choice protocol, int resends = 1000)
    {
        auto o = options();
        o.http.protocol = protocol;
        o.retry.budget_floor = resends;
        return use("datacrunch", std::move(o));
    }

    static asio::awaitable<void> get_into(client& api, std::vector<answer>& all)
    {
        auto got = co_await api.get("/balance");
        all.push_back(std::move(got));
    }

    // So many at once; what came, in the order in which it came.
    std::vector<answer> get_at_once(std::size_t n)
    {
        std::vector<answer> all;
        for (std::size_t i = 0; i != n; ++i)
            asio::co_spawn(io, get_into(*api, all), asio::detached);
        until([&] { return all.size() == n; });
        for (auto const& each : all)
            BOOST_TEST(each->status() == 200);
        return all;
    }
};

std::size_t count(std::vector<fixture::answer> const& all, std::string_view protocol)
{
    std::size_t n = 0;
    for (auto const& each : all)
        n += each->protocol() == protocol ? 1 : 0;
    return n;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(component_protocols, fixture)

BOOST_AUTO_TEST_CASE(few_requests_go_over_http_1_1_and_many_over_http_2)
{
    speaking(http::protocol_choice::automatic);
    BOOST_TEST(get("/balance")->protocol() == "http/1.1");
    world.set_api_latency(20ms);
    BOOST_TEST(count(get_at_once(20), "http/1.1") == 20U);
    BOOST_TEST(world.counters().h2_connections == 0U);
    BOOST_TEST(count(get_at_once(300), "h2") > 100U);
    auto const dialled = world.counters().connections;
    BOOST_TEST(dialled < 64U);
    BOOST_TEST_CONTEXT("and back")
    {
        world.set_api_latency({});
        BOOST_TEST(get("/balance")->protocol() == "http/1.1");
        BOOST_TEST(world.counters().connections == dialled);
    }
}

BOOST_AUTO_TEST_CASE(what_a_server_wants_over_http_1_1_goes_there_and_so_does_what_follows)
{
    // K13
    speaking(http::protocol_choice::automatic);
    (void)get("/balance");
    world.set_api_latency(20ms);
    auto const refusal = world.on_api_request(fault().require_http_1_1());
    auto const all = get_at_once(300);
    BOOST_TEST(world.struck(refusal) == 1U);
    BOOST_TEST(count(all, "http/1.1") > 0U);
    auto const streams = world.counters().streams;
    BOOST_TEST(count(get_at_once(300), "h2") == 0U);
    BOOST_TEST(world.counters().streams == streams);
}

BOOST_AUTO_TEST_CASE(where_http_2_is_all_that_may_be_spoken_a_wish_for_http_1_1_is_an_error)
{
    // K13
    speaking(http::protocol_choice::http_2);
    (void)get("/balance");
    world.on_api_request(fault().require_http_1_1().times(2));
    auto const got = get("/balance");
    BOOST_REQUIRE(!got);
    BOOST_TEST(got.error().code() == http::errc::http_1_1_required);
    BOOST_TEST((got.error().delivery() == delivery::not_sent));
    BOOST_TEST(get("/balance")->status() == 200);
}

BOOST_AUTO_TEST_CASE(a_misdirected_request_is_sent_once_more_over_a_new_connection)
{
    // K14: whatever its method
    for (auto const protocol : {http::protocol_choice::http_1_1, http::protocol_choice::http_2}) {
        speaking(protocol);
        (void)get("/balance");
        auto const before = world.counters().connections;
        world.on_api_request(fault().status(421));
        auto const posted = post("/instances", std::string(order));
        BOOST_REQUIRE(posted);
        BOOST_TEST(posted->status() != 421);
        BOOST_TEST(posted->attempts() == 2);
        BOOST_TEST(world.counters().connections == before + 1);
        BOOST_TEST_CONTEXT("a second time it is the answer")
        {
            world.on_api_request(fault().status(421).times(2));
            auto const got = get("/balance");
            BOOST_REQUIRE(got);
            BOOST_TEST(got->status() == 421);
            BOOST_TEST(got->attempts() == 2);
        }
        run(api->shut_down());
    }
}

BOOST_AUTO_TEST_CASE(a_post_whose_stream_is_refused_is_sent_again_with_pauses_and_carried_out_once)
{
    // K2
    speaking(http::protocol_choice::http_2);
    (void)get("/balance");
    world.on_api_request(fault().refuse_stream().times(2));
    auto const posted = post("/instances", std::string(order));
    BOOST_REQUIRE(posted);
    BOOST_TEST(posted->attempts() == 3);
    BOOST_TEST(world.most_repeated("POST") == 1U);
    BOOST_TEST(world.counters().connections == 1U);
    auto const resent = happened->all<happenings::resent>();
    BOOST_REQUIRE(resent.size() == 2U);
    BOOST_TEST((resent[0].pause >= 50ms));
    BOOST_TEST((resent[1].pause >= 100ms));
    BOOST_TEST_CONTEXT("and not for ever")
    {
        world.on_api_request(fault().refuse_stream().times(3));
        auto const refused = post("/instances", std::string(order));
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().code() == http::errc::stream_refused);
        BOOST_TEST((refused.error().delivery() == delivery::not_sent));
    }
}

BOOST_AUTO_TEST_SUITE_END()
