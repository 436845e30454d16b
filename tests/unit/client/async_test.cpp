// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/async.hpp>

#include "base/asio_moved.hpp"
#include "unit/client/offline_client.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/detached.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

template <class T>
using sink = std::optional<result<T>>;

}  // namespace

BOOST_AUTO_TEST_SUITE(client_async)

// Nobody hears of it, and it is done all the same.
BOOST_FIXTURE_TEST_CASE(detached_sends, offline_client)
{
    async_send(make(), http::request::post("/orders", "{}"), asio::detached);
    async_token(*api, oauth2::token_demand(), asio::detached);
    server->settle();
    BOOST_REQUIRE(server->requests().size() == 2U);  // for both, one token
    BOOST_TEST(server->requests().back().method == "POST");
}

BOOST_FIXTURE_TEST_CASE(what_fails_at_once_is_not_told_from_within_the_call, offline_client)
{
    make();
    asio::dispatch(io, [this] {
        bool called = false;
        async_send(*api, http::request::get("https://elsewhere.example/"), [&](auto r) {
            BOOST_TEST((r.error().phase() == phase::configure));
            called = true;
        });
        BOOST_TEST(!called);
        settle(io);
        BOOST_TEST(called);
    });
    settle(io);
}

BOOST_FIXTURE_TEST_CASE(what_is_there_at_once_is_not_told_from_within_the_call, offline_client)
{
    make();
    async_token(*api, oauth2::token_demand(), asio::detached);
    server->settle();
    asio::dispatch(io, [this] {
        bool called = false;
        async_token(*api, oauth2::token_demand(), [&](auto r) {
            BOOST_TEST(r.has_value());
            called = true;
        });
        BOOST_TEST(!called);
        settle(io);
        BOOST_TEST(called);
    });
    settle(io);
}

BOOST_FIXTURE_TEST_CASE(only_terminal_cancellation_counts, offline_client)
{
    api_hangs = true;
    asio::cancellation_signal stop;
    sink<http::response> out;
    async_send(make(), http::request::get("/orders"),
               asio::bind_cancellation_slot(stop.slot(), [&](auto r) { out.emplace(std::move(r)); }));
    server->settle();
    stop.emit(asio::cancellation_type::partial);
    stop.emit(asio::cancellation_type::total);
    server->settle();
    BOOST_TEST(!out);
    stop.emit(asio::cancellation_type::all);
    server->settle();
    BOOST_REQUIRE(out);
    BOOST_TEST((out->error().code() == cond::cancelled));
}

BOOST_FIXTURE_TEST_CASE(a_signal_may_fire_before_anything_has_run, offline_client)
{
    asio::cancellation_signal stop;
    sink<http::response> out;
    async_send(make(), http::request::post("/orders", "{}"),
               asio::bind_cancellation_slot(stop.slot(), [&](auto r) { out.emplace(std::move(r)); }));
    stop.emit(asio::cancellation_type::terminal);
    server->settle();
    BOOST_REQUIRE(out);
    BOOST_TEST((out->error().code() == cond::cancelled));
    BOOST_TEST((out->error().delivery() == delivery::not_sent));
    for (auto const& r : server->requests())
        BOOST_TEST(r.target == "/base/authenticate");
}

BOOST_FIXTURE_TEST_CASE(the_slot_is_empty_when_the_handler_runs, offline_client)
{
    asio::cancellation_signal stop;
    bool called = false;
    async_send(make(), http::request::get("/orders"), asio::bind_cancellation_slot(stop.slot(), [&](auto const&) {
                   BOOST_TEST(!stop.slot().has_handler());
                   called = true;
               }));
    BOOST_TEST(stop.slot().has_handler());
    server->settle();
    BOOST_TEST(called);
}

BOOST_FIXTURE_TEST_CASE(a_signal_may_fire_in_the_completion_and_stops_what_that_one_began, offline_client)
{
    asio::cancellation_signal stop;
    sink<http::response> first;
    sink<http::response> second;
    make();
    auto begin = [&](auto then) {
        async_send(*api, http::request::get("/orders"), asio::bind_cancellation_slot(stop.slot(), std::move(then)));
    };
    begin([&](result<http::response> r) {
        first.emplace(std::move(r));
        stop.emit(asio::cancellation_type::terminal);  // its own operation is over
        begin([&](result<http::response> again) { second.emplace(std::move(again)); });
        stop.emit(asio::cancellation_type::terminal);
    });
    server->settle();
    BOOST_REQUIRE((first && second));
    BOOST_TEST(first->has_value());
    BOOST_TEST(!second->has_value());
}

BOOST_FIXTURE_TEST_CASE(a_signal_may_die_in_the_completion, offline_client)
{
    auto stop = std::make_unique<asio::cancellation_signal>();
    bool called = false;
    async_send(make(), http::request::get("/orders"), asio::bind_cancellation_slot(stop->slot(), [&](auto r) {
                   BOOST_TEST(r.has_value());
                   stop.reset();
                   called = true;
               }));
    server->settle();
    BOOST_TEST(called);
}

BOOST_FIXTURE_TEST_CASE(a_signal_may_fire_after_the_operation_died_with_its_context, offline_client)
{
    asio::cancellation_signal stop;
    {
        asio::io_context other(1);
        auto o = options();
        o.http.connector = std::make_shared<memory_server>(other);
        client brief(serial(other), data(), who(), std::move(o));
        async_send(brief, http::request::get("/orders"),
                   asio::bind_cancellation_slot(stop.slot(), [](auto const&) { BOOST_TEST(false, "called"); }));
    }
    stop.emit(asio::cancellation_type::terminal);
}

BOOST_FIXTURE_TEST_CASE(an_exception_from_the_handler_comes_out_of_run, offline_client)
{
    make();
    async_token(*api, oauth2::token_demand(), asio::detached);
    server->settle();
    async_token(*api, oauth2::token_demand(), [](auto const&) { throw std::runtime_error("mine"); });
    BOOST_CHECK_THROW(server->settle(), std::runtime_error);
    bool called = false;
    async_token(*api, oauth2::token_demand(), [&](auto const&) { called = true; });
    server->settle();
    BOOST_TEST(called);
}

BOOST_FIXTURE_TEST_CASE(an_operation_outlives_the_handle_that_began_it, offline_client)
{
    sink<http::response> sent;
    sink<http::response> deferred_one;
    make();
    async_send(*api, http::request::get("/orders"), [&](auto r) { sent.emplace(std::move(r)); });
    auto later = async_send(*api, http::request::get("/orders"), deferred);
    api.reset();
    std::move(later)([&](auto r) { deferred_one.emplace(std::move(r)); });
    server->settle();
    BOOST_REQUIRE((sent && deferred_one));
    BOOST_TEST((sent->error().code() == cond::cancelled || sent->error().code() == errc::shut_down));
    BOOST_TEST((deferred_one->error().code() == errc::shut_down));
}

BOOST_FIXTURE_TEST_CASE(shut_down_waits_for_what_was_begun_with_a_token, offline_client)
{
    api_hangs = true;
    sink<http::response> out;
    async_send(make(), http::request::get("/orders"), [&](auto r) { out.emplace(std::move(r)); });
    server->settle();
    bool down = false;
    asio::co_spawn(io, api->shut_down(), [&](std::exception_ptr) { down = true; });
    server->settle();
    BOOST_TEST(!down);
    server->answer_late(memory_server::answer(200, "{}"));
    server->settle();
    BOOST_TEST(down);
    BOOST_REQUIRE(out);
    BOOST_TEST(out->has_value());
}

BOOST_FIXTURE_TEST_CASE(handlers_run_on_their_own_executor_and_keep_its_context_at_work, offline_client)
{
    make();
    asio::io_context theirs;
    bool called = false;
    async_send(*api, http::request::get("/orders"), asio::bind_executor(theirs, [&](auto r) {
        BOOST_TEST(r.has_value());
        BOOST_TEST(theirs.get_executor().running_in_this_thread());
        called = true;
    }));
    theirs.poll();
    BOOST_TEST(!theirs.stopped());  // it has work
    server->settle();
    BOOST_TEST(!called);
    theirs.restart();
    theirs.run();
    BOOST_TEST(called);
}

// Cancelled at random, from the thread that the handlers run on, while another one does the work.
BOOST_AUTO_TEST_CASE(ten_thousand_are_cancelled_at_random_from_another_thread_and_each_ends_once)
{
    constexpr int rounds = 100;
    constexpr int together = 100;
    asio::io_context home(1);
    auto guard = asio::make_work_guard(home);
    std::jthread const worker([&] { home.run(); });

    auto tokens = std::make_shared<memory_server>(home);
    auto api = std::make_unique<client>(serial(home), restoration("https://trees.example/base"),
                                        credentials::from([]() -> result<oauth2::client_identity> {
                                            return oauth2::client_identity{.id = "me", .key = secret("hunter2")};
                                        }),
                                        [&] {
                                            client_options o;
                                            o.http.connector = tokens;                       // answers nothing
                                            o.http.time = std::make_shared<manual_clock>();  // nothing times out
                                            return o;
                                        }());
    asio::io_context here(1);
    std::atomic<int> ended = 0;
    unsigned dice = 1;
    for (int round = 0; round != rounds; ++round) {
        std::deque<asio::cancellation_signal> stops(together);
        for (auto& stop : stops) {
            auto done = asio::bind_executor(here, asio::bind_cancellation_slot(stop.slot(), [&](auto const& r) {
                                                BOOST_TEST((r.error().code() == cond::cancelled));
                                                ++ended;
                                            }));
            dice = dice * 1664525 + 1013904223;
            if ((dice >> 16) % 2 == 0)
                async_send(*api, http::request::get("/orders"), std::move(done));
            else
                async_token(*api, oauth2::token_demand(), std::move(done));
            if ((dice >> 20) % 4 == 0)
                here.poll();
            if ((dice >> 24) % 4 == 0)
                stop.emit(asio::cancellation_type::terminal);
        }
        for (auto& stop : stops)
            stop.emit(asio::cancellation_type::terminal);
        here.restart();
        here.run();
        BOOST_REQUIRE(ended == (round + 1) * together);
    }
    std::promise<void> gone;
    asio::post(home, [&] {
        BOOST_TEST(api->snapshot().token.waiters == 0U);
        api.reset();
        gone.set_value();
    });
    gone.get_future().wait();
    guard.reset();
}

BOOST_AUTO_TEST_CASE(a_context_that_is_destroyed_with_a_thousand_outstanding_calls_nobody_and_leaks_nothing)
{
    int called = 0;
    auto const witness = std::make_shared<int>();
    {
        offline_client world;
        {
            asio::io_context io(1);
            auto server = std::make_shared<memory_server>(io);
            auto o = world.options();
            o.http.connector = server;
            o.http.connections_per_origin = 8;
            std::optional<client> api(std::in_place, serial(io), world.data(), world.who(), std::move(o));
            int answered = 0;
            server->answers([&](memory_server::asked const& r) -> std::string {
                if (r.target == "/base/authenticate" && answered++ == 0)
                    return memory_server::answer(200,
                                                 "{\"access_token\":\"gold\",\"token_type\":\"Bearer\","
                                                 "\"expires_in\":3600}",
                                                 "Content-Type: application/json\r\n");
                return {};
            });
            auto const handler = [&called, witness](auto const&) { ++called; };
            // On the wire, waiting for a connection, and waiting for a token.
            oauth2::token_ptr refused;
            async_token(*api, oauth2::token_demand(), [&](result<oauth2::token_ptr> r) { refused = *r; });
            server->settle();
            for (int i = 0; i != 400; ++i)
                async_send(*api, http::request::get("/orders"), handler);
            server->settle();
            for (int i = 0; i != 600; ++i)
                async_token(*api, oauth2::token_demand::instead_of(refused), handler);
            server->settle();
            BOOST_TEST(witness.use_count() == 1002);
            api.reset();
        }
        BOOST_TEST(called == 0);
        BOOST_TEST(witness.use_count() == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
