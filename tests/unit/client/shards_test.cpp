// SPDX-License-Identifier: BSL-1.0
#include "client/client_shard.hpp"

#include <jeton/base/io_threads.hpp>
#include <jeton/client/async.hpp>
#include <jeton/client/client.hpp>
#include <jeton/providers/restoration.hpp>
#include <jeton/testing/manual_clock.hpp>

#include "support/openssl_authority.hpp"
#include "unit/client/shard_servers.hpp"

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/use_future.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <exception>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

using answer = result<http::response>;

constexpr std::size_t n = 3;

// What a coroutine got, and where it went on.
struct gotten {
    answer got = failure(errc::unexpected, phase::none, delivery::not_sent, "");
    std::optional<std::size_t> before{}, after{};
};

asio::awaitable<gotten> ask(io_threads* threads, client* api, std::string path)
{
    gotten mine;
    mine.before = threads->here();
    mine.got = co_await api->get(path);
    mine.after = threads->here();
    co_return mine;
}

asio::awaitable<std::vector<oauth2::token_ptr>> tokens(client* api, int count)
{
    std::vector<oauth2::token_ptr> all;
    for (int i = 0; i != count; ++i) {
        auto got = co_await api->token();
        all.push_back(got.value());
    }
    co_return all;
}

struct fixture {
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    std::optional<io_threads> threads{std::in_place, n};
    std::shared_ptr<shard_servers> far = std::make_shared<shard_servers>(*threads);
    std::optional<client> api{};

    fixture() { api.emplace(*threads, restoration("https://trees.example/base"), who(), options()); }
    ~fixture() { api.reset(); }

    static credentials who()
    {
        return credentials::from([]() -> result<oauth2::client_identity> {
            return oauth2::client_identity{.id = "me", .key = secret("s")};
        });
    }
    client_options options()
    {
        client_options o;
        o.http.connector = far;
        o.http.time = time;
        return o;
    }
    gotten ask_on(std::size_t i, std::string path = "/a")
    {
        return asio::co_spawn(threads->executor(i), ask(&*threads, &*api, std::move(path)), asio::use_future).get();
    }
    std::future<answer> begin_on(std::size_t i)
    {
        return asio::co_spawn(threads->executor(i), api->get("/a"), asio::use_future);
    }
    void shut_down() { asio::co_spawn(threads->executor(0), api->shut_down(), asio::use_future).get(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_shards, fixture)

BOOST_AUTO_TEST_CASE(a_call_on_a_thread_is_served_there_and_comes_back_there)
{
    for (std::size_t i = 0; i != n; ++i) {
        auto const mine = ask_on(i);
        BOOST_TEST_REQUIRE(mine.got.has_value());
        BOOST_TEST(mine.got->text() == std::to_string(i));
        BOOST_TEST((mine.before == i));
        BOOST_TEST((mine.after == i));
    }
    BOOST_TEST(far->tokens() == 1);
}

BOOST_AUTO_TEST_CASE(the_executor_decides_wherever_the_call_was_made)
{
    // Made on no thread of the client's.
    for (std::size_t i = 0; i != n; ++i)
        BOOST_TEST(begin_on(i).get()->text() == std::to_string(i));
    // Made on one of them, and awaited on another.
    for (std::size_t i = 0; i != n; ++i) {
        std::promise<std::future<answer>> made;
        asio::post(threads->executor(0), [&] { made.set_value(begin_on(i)); });
        BOOST_TEST(made.get_future().get().get()->text() == std::to_string(i));
    }
    BOOST_TEST(far->connections(2) == 1);
}

BOOST_AUTO_TEST_CASE(a_strand_on_a_thread_is_served_by_that_thread)
{
    auto const strand = asio::make_strand(threads->executor(2));
    auto const mine = asio::co_spawn(strand, ask(&*threads, &*api, "/a"), asio::use_future).get();
    BOOST_TEST(mine.got->text() == "2");
    BOOST_TEST((mine.after == 2U));
}

BOOST_AUTO_TEST_CASE(calls_from_elsewhere_go_to_the_least_loaded_and_come_back)
{
    BOOST_TEST(ask_on(0).got.has_value());
    far->hold_requests(true);
    std::deque<std::future<answer>> busy;
    for (int i = 0; i != 5; ++i)
        busy.push_back(begin_on(1));
    far->until([&] { return far->held(1) == 5; });

    asio::io_context elsewhere(1);
    int back = 0;
    auto const here = std::this_thread::get_id();
    for (int i = 0; i != 4; ++i)
        asio::co_spawn(elsewhere, api->get("/a"), [&](std::exception_ptr e, answer const& got) {
            BOOST_TEST(!e);
            BOOST_TEST((got.has_value() && got->text() != "1"));
            BOOST_TEST((std::this_thread::get_id() == here));
            ++back;
        });
    elsewhere.poll();
    far->until([&] { return far->held(0) == 2 && far->held(2) == 2; });
    far->release();
    elsewhere.run();
    BOOST_TEST(back == 4);
    for (auto& one : busy)
        BOOST_TEST(one.get().has_value());
}

BOOST_AUTO_TEST_CASE(completion_tokens_are_called_where_they_belong)
{
    // With an executor of its own: that thread carries it, and calls back.
    for (std::size_t i = 0; i != n; ++i) {
        std::promise<std::pair<std::string, std::optional<std::size_t>>> told;
        async_send(*api, http::request::get("/a"), asio::bind_executor(threads->executor(i), [&](answer got) {
            told.set_value({std::string(got.value().text()), threads->here()});
        }));
        auto const [text, where] = told.get_future().get();
        BOOST_TEST(text == std::to_string(i));
        BOOST_TEST((where == i));
    }
    // Without one: the thread that it begins on.
    std::promise<std::pair<std::string, std::optional<std::size_t>>> told;
    asio::post(threads->executor(2), [&] {
        async_send(*api, http::request::get("/a"), [&](answer got) {
            told.set_value({std::string(got.value().text()), threads->here()});
        });
    });
    auto const [text, where] = told.get_future().get();
    BOOST_TEST(text == "2");
    BOOST_TEST((where == 2U));
    BOOST_TEST(async_token(*api, {}, asio::use_future).get().has_value());
    BOOST_TEST((api->get_executor() == threads->executor(0)));
}

BOOST_AUTO_TEST_CASE(one_token_serves_all_threads_and_each_has_its_own_hold_on_it)
{
    std::vector<oauth2::token_ptr> firsts;
    for (std::size_t i = 0; i != n; ++i) {
        auto const all = asio::co_spawn(threads->executor(i), tokens(&*api, 4), asio::use_future).get();
        // The first may have come from the flight, the second from the core; later ones are from hand: one control block.
        BOOST_TEST(all[2].get() == all[3].get());
        BOOST_TEST((!all[2].owner_before(all[3]) && !all[3].owner_before(all[2])));
        firsts.push_back(all[3]);
    }
    for (std::size_t i = 1; i != n; ++i) {
        BOOST_TEST(firsts[i].get() == firsts[0].get());
        BOOST_TEST((firsts[i].owner_before(firsts[0]) || firsts[0].owner_before(firsts[i])));
    }
    BOOST_TEST(far->tokens() == 1);

    // And one for all replaces it.
    time->advance(2h);
    for (std::size_t i = 0; i != n; ++i) {
        auto const all = asio::co_spawn(threads->executor(i), tokens(&*api, 1), asio::use_future).get();
        BOOST_TEST(all[0]->access() == "gold2");
    }
    BOOST_TEST(far->tokens() == 2);
}

BOOST_AUTO_TEST_CASE(callers_on_all_threads_share_one_token_request)
{
    far->hold_tokens(true);
    std::deque<std::future<answer>> calls;
    for (int i = 0; i != 300; ++i)
        calls.push_back(begin_on(static_cast<std::size_t>(i) % n));
    far->until([&] { return far->held(0) == 1 && api->snapshot().token.waiters == 300; });
    far->release();
    for (auto& one : calls)
        BOOST_TEST(one.get().has_value());
    BOOST_TEST(far->tokens() == 1);
    BOOST_TEST(api->snapshot().token.token_requests == 1U);
}

BOOST_AUTO_TEST_CASE(a_thread_that_nobody_uses_costs_nothing)
{
    BOOST_TEST(ask_on(0).got.has_value());
    BOOST_TEST(ask_on(0).got.has_value());
    for (std::size_t i = 1; i != n; ++i) {
        BOOST_TEST(far->connections(i) == 0);
        BOOST_TEST(far->requests(i) == 0);
    }
    auto const alarms = time->alarms_set();
    // One who has never had work: what it has set, if anything, was set when it was made.
    io_threads others(4);
    auto o = options();
    o.http.connector = std::make_shared<shard_servers>(others);
    client const unused(others, restoration("https://trees.example/base"), who(), o);
    BOOST_TEST(time->alarms_set() == alarms);
    others.join();  // no work keeps a thread
}

BOOST_AUTO_TEST_CASE(the_limits_of_a_client_are_divided)
{
    http::client_options o;
    http::retry_policy p;
    std::size_t connections = 0, waiting = 0;
    int floor = 0;
    for (std::size_t i = 0; i != 7; ++i) {
        connections += share_of(o, i, 7).connections_per_origin;
        waiting += share_of(o, i, 7).waiting_requests;
        floor += share_of(p, i, 7).budget_floor;
        BOOST_TEST(share_of(o, i, 100).connections_per_origin == 1U);
        BOOST_TEST(share_of(p, i, 100).budget_floor == 1);
    }
    BOOST_TEST(connections == o.connections_per_origin);
    BOOST_TEST(waiting == o.waiting_requests);
    BOOST_TEST(floor == p.budget_floor);
    p.budget_floor = 0;
    BOOST_TEST(share_of(p, 0, 7).budget_floor == 0);
    BOOST_TEST(share_of(o, 0, 1).connections_per_origin == o.connections_per_origin);
    o.connections_per_origin = 0;
    BOOST_TEST(share_of(o, 0, 7).connections_per_origin == 0U);

    // As the server sees it.
    auto mine = options();
    mine.http.connections_per_origin = 2 * n;
    api.emplace(*threads, restoration("https://trees.example/base"), who(), mine);
    BOOST_TEST(ask_on(0).got.has_value());
    far->hold_requests(true);
    std::deque<std::future<answer>> calls;
    for (int i = 0; i != 10; ++i)
        calls.push_back(begin_on(1));
    far->until([&] { return far->held(1) == 2; });
    auto const now = api->snapshot();
    BOOST_TEST(now.pools.at(0).waiting == 8U);
    BOOST_TEST(far->connections(1) == 2);
    far->release();
    for (auto& one : calls)
        BOOST_TEST(one.get().has_value());
}

BOOST_AUTO_TEST_CASE(an_option_that_breaks_its_rule_is_refused_however_many_threads_there_are)
{
    auto o = options();
    o.http.connections_per_origin = 0;
    BOOST_CHECK_THROW(client(*threads, restoration("https://trees.example/base"), who(), o), std::invalid_argument);
    o = options();
    o.retry.budget_floor = -1;
    BOOST_CHECK_THROW(client(*threads, restoration("https://trees.example/base"), who(), o), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_snapshot_adds_up_the_threads)
{
    for (std::size_t i = 0; i != n; ++i)
        BOOST_TEST(ask_on(i).got.has_value());
    auto const now = api->snapshot();
    BOOST_TEST(now.token.generation == 1U);
    BOOST_TEST_REQUIRE(now.pools.size() == 1U);
    BOOST_TEST(now.pools[0].idle == n);
    BOOST_TEST(now.pools[0].requests == n + 1);
    BOOST_TEST(now.pools[0].connections_made == n);

    std::promise<bool> refused;
    asio::post(threads->executor(1), [&] {
        try {
            (void)api->snapshot();
            refused.set_value(false);
        } catch (std::logic_error const&) {
            refused.set_value(true);
        }
    });
    BOOST_TEST(refused.get_future().get());
    auto const there = asio::co_spawn(threads->executor(1), api->look(), asio::use_future).get();
    BOOST_TEST(there.pools.at(0).requests == n + 1);
}

BOOST_AUTO_TEST_CASE(threads_of_one_client_share_one_tls_configuration)
{
    auto pattern = (std::filesystem::temp_directory_path() / "jeton-shards-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    std::filesystem::path const folder(pattern);
    openssl_authority const authority(folder, "shards");
    http::client_options o;
    o.tls.ca_file = authority.certificate();
    http::client const first(threads->home(0), o);
    std::filesystem::remove_all(folder);
    // Whoever reads the file now fails.
    BOOST_CHECK_THROW(http::client(threads->home(1), o), std::invalid_argument);
    BOOST_CHECK_NO_THROW(http::client(threads->home(1), o, first));
    o.protocol = http::protocol_choice::http_2;
    BOOST_CHECK_THROW(http::client(threads->home(1), o, first), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(shut_down_lets_finish_what_is_in_flight_on_any_thread)
{
    BOOST_TEST(ask_on(0).got.has_value());
    far->hold_requests(true);
    std::deque<std::future<answer>> calls;
    for (std::size_t i = 0; i != 2 * n; ++i)
        calls.push_back(begin_on(i % n));
    far->until([&] { return far->held() == 2 * n; });

    auto ended = asio::co_spawn(threads->executor(1), api->shut_down(), asio::use_future);
    BOOST_TEST((ended.wait_for(0s) == std::future_status::timeout));
    for (std::size_t i = 0; i != n; ++i) {
        // Whether shut_down has begun is not known here; that it has not ended is.
        BOOST_TEST((calls[i].wait_for(0s) == std::future_status::timeout));
    }
    far->release();
    for (auto& one : calls)
        BOOST_TEST(one.get().has_value());
    ended.get();
    for (std::size_t i = 0; i != n; ++i) {
        far->until([&] { return far->open(i) == 0; });
        auto const late = ask_on(i).got;
        BOOST_TEST((late.error().code() == errc::shut_down));
        BOOST_TEST(late.error().safe_to_resend());
        BOOST_TEST((begin_on(i).get().error().code() == errc::shut_down));
    }
    BOOST_TEST((async_token(*api, {}, asio::use_future).get().error().code() == errc::shut_down));
    BOOST_TEST(time->alarms_set() == 0U);
    shut_down();
    threads->join();  // nothing keeps a thread
    BOOST_TEST(api->snapshot().pools.empty());
}

BOOST_AUTO_TEST_CASE(destroying_the_client_cancels_what_is_in_flight_on_all_threads)
{
    BOOST_TEST(ask_on(0).got.has_value());
    far->hold_requests(true);
    std::deque<std::future<answer>> calls;
    for (std::size_t i = 0; i != 2 * n; ++i)
        calls.push_back(begin_on(i % n));
    calls.push_back(async_send(*api, http::request::get("/b"), asio::use_future));
    far->until([&] { return far->held() == 2 * n + 1; });
    api.reset();
    for (auto& one : calls) {
        auto const got = one.get();
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST((got.error().code() == cond::cancelled), got.error().to_string());
    }
    threads->join();  // nothing keeps a thread
    for (std::size_t i = 0; i != n; ++i)
        BOOST_TEST(far->open(i) == 0);
}

BOOST_AUTO_TEST_CASE(destroying_the_client_ends_the_wait_for_a_token_on_all_threads)
{
    far->hold_tokens(true);
    std::deque<std::future<answer>> calls;
    for (std::size_t i = 0; i != 2 * n; ++i)
        calls.push_back(begin_on(i % n));
    far->until([&] { return far->held() == 1 && api->snapshot().token.waiters == 2 * n; });
    api.reset();
    for (auto& one : calls) {
        auto const got = one.get();
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST(got.error().safe_to_resend());
    }
    threads->join();
}

BOOST_AUTO_TEST_CASE(the_threads_may_end_with_calls_in_flight)
{
    // FAULTS 75
    enum class first { stop, join_after_stop, client, nothing };
    for (auto const what : {first::stop, first::join_after_stop, first::client, first::nothing}) {
        BOOST_TEST_CONTEXT(static_cast<int>(what))
        {
            far->hold_requests(true);
            std::deque<std::future<answer>> calls;
            for (std::size_t i = 0; i != 2 * n; ++i)
                calls.push_back(begin_on(i % n));
            far->until([&] { return far->held() == 2 * n; });
            far->hold_tokens(true);
            time->advance(2h);
            for (std::size_t i = 0; i != n; ++i)
                calls.push_back(begin_on(i));
            if (what == first::stop)
                threads->stop();
            if (what == first::join_after_stop) {
                threads->stop();
                threads->join();
            }
            if (what == first::client)
                api.reset();
            api.reset();
            far.reset();
            threads.reset();
            for (auto& one : calls) {
                // Either it was answered or its coroutine is gone.
                try {
                    BOOST_TEST(!one.get().has_value());
                } catch (std::future_error const&) {
                }
            }
        }
        threads.emplace(n);
        far = std::make_shared<shard_servers>(*threads);
        time = std::make_shared<manual_clock>();
        api.emplace(*threads, restoration("https://trees.example/base"), who(), options());
    }
}

BOOST_AUTO_TEST_CASE(one_thread_is_enough)
{
    io_threads one(1);
    auto there = std::make_shared<shard_servers>(one);
    auto o = options();
    o.http.connector = there;
    {
        client c(one, restoration("https://trees.example/base"), who(), o);
        BOOST_TEST(async_send(c, http::request::get("/a"), asio::use_future).get()->text() == "0");
        BOOST_TEST(c.snapshot().pools.at(0).requests == 2U);
    }
    one.join();
}

BOOST_AUTO_TEST_SUITE_END()
