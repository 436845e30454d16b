// SPDX-License-Identifier: BSL-1.0
#include "component/sandboxed.hpp"

#include <jeton/base/io_threads.hpp>
#include <jeton/client/async.hpp>

#include <asio/bind_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/use_future.hpp>

#include <future>
#include <thread>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t n = 4;

// A thread of the program's own, which the client knows nothing of.
struct other_thread {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
    std::thread runs{[this] { io.run(); }};

    ~other_thread() { end(); }
    void end()
    {
        work.reset();
        if (runs.joinable())
            runs.join();
    }
};

// What has become of many calls.
struct tally {
    explicit tally(int expected) : left(expected) {}

    void count(bool served, bool at_home, bool refused = false)
    {
        good += served;
        strayed += !at_home;
        turned_away += refused;
        if (--left == 0)
            all.set_value();
    }
    void wait() { BOOST_REQUIRE((all.get_future().wait_for(2min) == std::future_status::ready)); }

    std::atomic<int> left, good = 0, strayed = 0, turned_away = 0;
    std::promise<void> all{};
};

// Called on all threads at once.
struct resends final : observer {
    void on(happening const& what) override
    {
        if (auto const* const one = std::get_if<happenings::resent>(&what)) {
            std::lock_guard const lock(mutex);
            ++count;
            last = one->why.to_string();
        }
    }
    std::mutex mutex{};
    unsigned count = 0;
    std::string last{};
};

asio::awaitable<void> ask_for_token(client* api, tally* sum)
{
    auto const home = std::this_thread::get_id();
    auto const got = co_await api->token();
    sum->count(got.has_value(), std::this_thread::get_id() == home);
}

asio::awaitable<void> ask(client* api, tally* sum)
{
    auto const home = std::this_thread::get_id();
    auto const got = co_await api->get("/eth/v0/status");
    sum->count(got.has_value() && got->status() == 200, std::this_thread::get_id() == home,
               !got && got.error().code() == errc::shut_down);
}

struct fixture {
    std::shared_ptr<skipping_clock> time = std::make_shared<skipping_clock>();
    sandbox world{sandboxed::with_clock(time)};
    std::shared_ptr<resends> again = std::make_shared<resends>();
    io_threads threads{n};
    other_thread others[2]{};
    std::optional<client> api{};

    fixture()
    {
        auto o = world.options();
        o.http.time = time;
        o.http.watcher = again;
        o.http.queue = o.http.total = o.http.connecting.tls = 2min;  // instrumented code is slow
        o.refresh.flight_limit = 1min;
        api.emplace(threads, world.alluvial(), world.credentials_for("alluvial"), std::move(o));
    }

    // On each of the client's threads in turn, and on others.
    asio::any_io_executor executor(int i)
    {
        auto const which = static_cast<std::size_t>(i) % (n + 2);
        return which < n ? threads.executor(which) : asio::any_io_executor(others[which - n].io.get_executor());
    }

    void shut_down() { asio::co_spawn(others[0].io, api->shut_down(), asio::use_future).get(); }

    // A handler on each context, behind all calls: these have begun.
    void let_all_begin()
    {
        for (int i = 0; i != static_cast<int>(n) + 2; ++i)
            asio::post(executor(i), asio::use_future).get();
    }

    bool closed()
    {
        return world.wait_until([](auto const& now) { return now.open_connections == 0; }, 30s);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(component_shards, fixture)

BOOST_AUTO_TEST_CASE(ten_thousand_callers_on_all_threads_and_elsewhere_are_one_token_request)
{
    constexpr int many = 10'000;
    tally first(1);
    asio::co_spawn(threads.executor(1), ask(&*api, &first), asio::detached);
    first.wait();
    world.set_token_latency(200ms);
    time->skip(1h);
    world.reset_counters();

    tally sum(many);
    for (int i = 0; i != many; ++i)
        asio::co_spawn(executor(i), ask_for_token(&*api, &sum), asio::detached);
    sum.wait();
    BOOST_TEST(sum.good == many);
    BOOST_TEST(sum.strayed == 0);
    BOOST_TEST(world.counters().token_requests == 1U);
    shut_down();
    BOOST_TEST(closed());
    threads.join();
}

BOOST_AUTO_TEST_CASE(every_request_is_answered_on_its_callers_executor)
{
    constexpr int many = 3'000;
    tally sum(many);
    for (int i = 0; i != many; ++i)
        asio::co_spawn(executor(i), ask(&*api, &sum), asio::detached);
    sum.wait();
    BOOST_TEST(sum.good == many);
    BOOST_TEST(sum.strayed == 0);
    BOOST_TEST(world.counters().token_requests == 1U);
    auto const now = api->snapshot();
    BOOST_TEST_REQUIRE(!now.pools.empty());
    BOOST_TEST(now.pools[0].requests == many + 1U + again->count);
    BOOST_TEST_MESSAGE(again->count << " sent again; the last because of: " << again->last);
    // The limit is the client's, however many threads there are.
    BOOST_TEST(now.pools[0].connections_made <= http::client_options().connections_per_origin);
    shut_down();
    BOOST_TEST(closed());
    threads.join();
}

BOOST_AUTO_TEST_CASE(handlers_of_any_thread_are_called_where_they_belong)
{
    constexpr int many = 600;
    tally sum(many);
    for (int i = 0; i != many; ++i) {
        auto const where = executor(i);
        asio::post(where, [this, where, &sum] {
            auto const home = std::this_thread::get_id();
            async_send(*api, http::request::get("/eth/v0/status"),
                       asio::bind_executor(where, [home, &sum](result<http::response> const& got) {
                           sum.count(got.has_value(), std::this_thread::get_id() == home);
                       }));
        });
    }
    sum.wait();
    BOOST_TEST(sum.good == many);
    BOOST_TEST(sum.strayed == 0);
}

BOOST_AUTO_TEST_CASE(shut_down_ends_all_threads_whoever_has_calls_in_flight)
{
    world.set_api_latency(20ms);
    constexpr int many = 1'200;
    tally sum(many);
    for (int i = 0; i != many / 2; ++i)
        asio::co_spawn(executor(i), ask(&*api, &sum), asio::detached);
    // Some come while it ends.
    std::future<void> ended;
    for (int i = many / 2; i != many; ++i) {
        if (i == many * 3 / 4)
            ended = asio::co_spawn(others[1].io, api->shut_down(), asio::use_future);
        asio::co_spawn(executor(i), ask(&*api, &sum), asio::detached);
    }
    sum.wait();
    BOOST_TEST((ended.wait_for(1min) == std::future_status::ready));
    BOOST_TEST(sum.good + sum.turned_away == many);
    BOOST_TEST(sum.good >= 1);
    BOOST_TEST(sum.strayed == 0);
    BOOST_TEST(world.most_repeated("GET") <= static_cast<unsigned>(many));
    BOOST_TEST(closed());
    threads.join();
}

BOOST_AUTO_TEST_CASE(the_client_may_be_destroyed_with_calls_in_flight_on_all_threads)
{
    world.set_api_latency(10s);
    constexpr int many = 600;
    tally sum(many);
    for (int i = 0; i != many; ++i)
        asio::co_spawn(executor(i), ask(&*api, &sum), asio::detached);
    let_all_begin();
    BOOST_TEST(world.wait_until([](auto const& now) { return now.api_requests >= 4; }, 1min));
    api.reset();
    sum.wait();
    BOOST_TEST(sum.good == 0);
    BOOST_TEST(sum.strayed == 0);
    BOOST_TEST(closed());
    threads.join();
}

BOOST_AUTO_TEST_CASE(the_threads_may_end_with_calls_in_flight)
{
    world.set_api_latency(10s);
    tally sum(1'000'000);
    for (int i = 0; i != 400; ++i)
        asio::co_spawn(threads.executor(static_cast<std::size_t>(i) % n), ask(&*api, &sum), asio::detached);
    let_all_begin();
    BOOST_TEST(world.wait_until([](auto const& now) { return now.api_requests >= 4; }, 1min));
    threads.stop();
    api.reset();
}

BOOST_AUTO_TEST_SUITE_END()
