// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/retry.hpp>

#include "http/request_access.hpp"
#include "support/run.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>
#include <jeton/testing/fake_transport.hpp>
#include <jeton/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>

#include <stdexcept>
#include <system_error>

using namespace std::chrono_literals;
using namespace jeton;
using http::request;
using http::response;
using jeton::testing::fake_transport;
using jeton::testing::manual_clock;
using jeton::testing::settle;
using jeton::testing::started;

namespace {

failure lost(delivery d) { return {http::errc::connection_lost, phase::first_byte, d, "lost"}; }

failure refused() { return {net::errc::refused, phase::connect, delivery::not_sent, "refused"}; }

// Keeps what of a request only transports see, and passes it on.
struct eavesdropper final : http::transport {
    explicit eavesdropper(std::shared_ptr<http::transport> t) : inner(std::move(t)) {}
    http::awaitable<result<response>> send(request what) override
    {
        after.push_back(http::request_access::dialled_after(what));
        return inner->send(std::move(what));
    }
    std::shared_ptr<http::transport> inner;
    std::vector<std::optional<time_point>> after{};
};

struct log final : observer {
    void on(happening const& what) override { resends += std::get_if<happenings::resent>(&what) != nullptr; }
    int resends = 0;
};

struct scene {
    std::unique_ptr<started<result<response>>> send(request what)
    {
        if (!retrying)
            retrying = http::with_retries(ear, serial(io), clock, policy, seen);
        auto one = std::make_unique<started<result<response>>>(io, retrying->send(std::move(what)));
        settle(io);
        return one;
    }
    void pass(duration by)
    {
        clock->advance(by);
        settle(io);
    }

    asio::io_context io{1};
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    std::shared_ptr<fake_transport> server = std::make_shared<fake_transport>(serial(io));
    std::shared_ptr<eavesdropper> ear = std::make_shared<eavesdropper>(server);
    std::shared_ptr<log> seen = std::make_shared<log>();
    http::retry_policy policy{};
    std::shared_ptr<http::transport> retrying{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_retry)

BOOST_AUTO_TEST_CASE(what_succeeds_is_sent_once)
{
    scene s;
    s.server->will_answer(503);
    auto one = s.send(request::get("https://a.example/"));
    BOOST_REQUIRE(one->done());
    BOOST_TEST(one->outcome().value().status() == 503);
    BOOST_TEST(s.server->calls() == 1u);
    BOOST_TEST(s.seen->resends == 0);
}

BOOST_AUTO_TEST_CASE(a_request_lost_with_a_dead_connection_goes_again_at_once_over_a_young_one)
{
    // J15
    scene s;
    s.server->will_answer(lost(delivery::maybe_processed));
    s.server->will_answer(200, "hello");
    auto one = s.send(request::get("https://a.example/"));
    BOOST_REQUIRE(one->done());
    BOOST_TEST(one->outcome().value().text() == "hello");
    BOOST_TEST(s.server->requests().at(1).attempt == 2);
    BOOST_TEST(!s.ear->after.at(0));
    BOOST_TEST((s.ear->after.at(1) == s.clock->now()));
    BOOST_TEST(s.seen->resends == 1);
}

BOOST_AUTO_TEST_CASE(an_order_that_may_have_been_placed_is_not_placed_again)
{
    // J15
    scene s;
    s.server->will_answer(lost(delivery::maybe_processed));
    auto one = s.send(request::post("https://a.example/", "{}"));
    BOOST_REQUIRE(one->done());
    BOOST_TEST(s.server->calls() == 1u);
    BOOST_TEST(!one->outcome().error().safe_to_resend());

    s.server->will_answer(lost(delivery::not_sent));
    s.server->will_answer(201);
    auto unsent = s.send(request::post("https://a.example/", "{}"));
    BOOST_REQUIRE(unsent->done());
    BOOST_TEST(unsent->outcome().has_value());
}

BOOST_AUTO_TEST_CASE(a_failed_automatic_retry_is_the_end)
{
    // J16
    scene s;
    s.policy.attempts = 9;
    s.server->otherwise([](auto const&) -> result<response> { return lost(delivery::maybe_processed); });
    auto one = s.send(request::get("https://a.example/"));
    BOOST_REQUIRE(one->done());
    BOOST_TEST(s.server->calls() == 2u);
}

BOOST_AUTO_TEST_CASE(a_later_attempt_that_did_not_leave_does_not_hide_an_earlier_one_that_did)
{
    scene s;
    s.policy.attempts = 2;
    s.server->will_answer(lost(delivery::maybe_processed));
    s.server->will_answer(refused());
    auto one = s.send(request::get("https://a.example/"));
    BOOST_REQUIRE(one->done());
    BOOST_TEST((one->outcome().error().code() == net::errc::refused));
    BOOST_TEST(!one->outcome().error().safe_to_resend());
}

BOOST_AUTO_TEST_CASE(what_did_not_leave_is_tried_again_after_growing_pauses_and_within_the_deadline)
{
    // J16
    scene s;
    s.policy.attempts = 3;
    s.server->otherwise([](auto const&) -> result<response> { return refused(); });
    auto one = s.send(request::post("https://a.example/", "{}"));
    BOOST_TEST(s.server->calls() == 1u);
    s.pass(49ms);
    BOOST_TEST(s.server->calls() == 1u);
    s.pass(53ms);
    BOOST_TEST(s.server->calls() == 2u);
    s.pass(202ms);
    BOOST_TEST(s.server->calls() == 3u);
    BOOST_REQUIRE(one->done());
    BOOST_TEST(s.clock->alarms_set() == 0u);

    auto hurried = s.send(request::post("https://a.example/", "{}").deadline(40ms));
    BOOST_REQUIRE(hurried->done());
    BOOST_TEST(s.server->calls() == 4u);
}

BOOST_AUTO_TEST_CASE(the_deadline_is_one_for_all_attempts)
{
    scene s;
    s.server->will_answer(refused());
    s.server->will_answer(200);
    auto const begun = s.clock->now();
    auto one = s.send(request::get("https://a.example/").deadline(10s));
    s.pass(102ms);
    BOOST_REQUIRE(one->done());
    BOOST_TEST((s.server->requests().at(1).until == begun + 10s));
}

BOOST_AUTO_TEST_CASE(a_token_that_will_be_tried_for_again_is_waited_for)
{
    scene s;
    diagnostics d;
    d.retry_at = s.clock->now() + 2s;
    failure const blocked(net::errc::refused, phase::token, delivery::not_sent, d);
    s.server->will_answer(blocked);
    s.server->will_answer(200);
    auto one = s.send(request::get("https://a.example/"));
    BOOST_TEST(!one->done());
    s.pass(2s + 2ms);
    BOOST_REQUIRE(one->done());
    BOOST_TEST(s.server->requests().at(1).attempt == 1);
    BOOST_TEST((one->outcome().value().phases().token == 2s));

    d.retry_at = s.clock->now() + 2s;
    s.server->will_answer(failure(net::errc::refused, phase::token, delivery::not_sent, d));
    auto hurried = s.send(request::get("https://a.example/").deadline(1s));
    BOOST_REQUIRE(hurried->done());
    BOOST_TEST(!hurried->outcome());
}

BOOST_AUTO_TEST_CASE(a_pause_can_be_cancelled)
{
    scene s;
    s.server->will_answer(refused());
    auto one = s.send(request::get("https://a.example/"));
    BOOST_TEST(!one->done());
    one->cancel();
    settle(s.io);
    BOOST_REQUIRE(one->done());
    BOOST_TEST((one->outcome().error().code() == cond::cancelled));
    BOOST_TEST(one->outcome().error().safe_to_resend());
    BOOST_TEST(s.clock->alarms_set() == 0u);
}

BOOST_AUTO_TEST_CASE(listed_statuses_are_tried_again_when_the_server_asks_to)
{
    scene s;
    s.policy.statuses = {503};
    s.server->will_answer(fake_transport::answer(503, {{"Retry-After", "3"}}));
    s.server->will_answer(200);
    auto one = s.send(request::get("https://a.example/"));
    s.pass(2900ms);
    BOOST_TEST(s.server->calls() == 1u);
    s.pass(102ms);
    BOOST_REQUIRE(one->done());
    BOOST_TEST(one->outcome().value().status() == 200);

    s.server->will_answer(503);
    auto order = s.send(request::post("https://a.example/", "{}"));
    BOOST_REQUIRE(order->done());
    BOOST_TEST(order->outcome().value().status() == 503);
}

BOOST_AUTO_TEST_CASE(a_caller_on_another_executor_is_served_too)
{
    scene s;
    s.server->will_answer(200);
    s.retrying = http::with_retries(s.server, serial(s.io), s.clock);
    asio::io_context elsewhere(1);
    started<result<response>> one(elsewhere, s.retrying->send(request::get("https://a.example/")));
    settle(elsewhere);
    settle(s.io);
    settle(elsewhere);
    BOOST_REQUIRE(one.done());
    BOOST_TEST(one.outcome().has_value());
}

BOOST_AUTO_TEST_CASE(what_a_transport_throws_passes_and_leaves_the_callers_setting_as_it_was)
{
    struct throwing final : http::transport {
        http::awaitable<result<response>> send(request) override
        {
            throw std::system_error(std::make_error_code(std::errc::io_error), "disk");
        }
    };
    asio::io_context home(1);
    asio::io_context elsewhere(1);
    auto const through =
        http::with_retries(std::make_shared<throwing>(), serial(home), std::make_shared<manual_clock>());
    struct caller {
        static asio::awaitable<void> call(std::shared_ptr<http::transport> to, int& seen)
        {
            try {
                auto what = request::get("https://a.example/");
                (void)co_await to->send(std::move(what));
            } catch (std::system_error const& e) {
                seen += e.code() == std::errc::io_error;
            }
            bool const throws = co_await asio::this_coro::throw_if_cancelled();
            seen += throws;
        }
    };
    for (auto* from : {&home, &elsewhere}) {
        int seen = 0;
        asio::co_spawn(*from, caller::call(through, seen), asio::detached);
        for (int i = 0; i != 5; ++i) {
            settle(home);
            settle(elsewhere);
        }
        BOOST_TEST(seen == 2);
    }
}

BOOST_AUTO_TEST_CASE(a_policy_that_cannot_work_is_refused)
{
    scene s;
    auto const refuses = [&](auto change) {
        http::retry_policy policy;
        change(policy);
        BOOST_CHECK_THROW(http::with_retries(s.server, serial(s.io), s.clock, policy), std::invalid_argument);
    };
    refuses([](auto& p) { p.attempts = 0; });
    refuses([](auto& p) { p.first_pause = 0s; });
    refuses([](auto& p) { p.longest_pause = 1ms; });
    refuses([](auto& p) { p.budget = 1.1; });
    refuses([](auto& p) { p.budget_floor = -1; });
    refuses([](auto& p) { p.total = 0s; });
    BOOST_CHECK_THROW(http::with_retries(nullptr, serial(s.io), s.clock), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
