// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/io_threads.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/packaged_task.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

using namespace jeton;

namespace {

std::thread::id thread_of(io_threads& threads, std::size_t i)
{
    return asio::post(threads.executor(i), std::packaged_task<std::thread::id()>(std::this_thread::get_id)).get();
}

asio::awaitable<void> throwing()
{
    throw std::runtime_error("the caller's");
    co_return;
}

// Waits on one thread for what another one will never do, and has something of its own to destroy.
asio::awaitable<void> waiting(asio::any_io_executor there, std::shared_ptr<int> held)
{
    asio::any_io_executor const here = co_await asio::this_coro::executor;
    auto never = [](auto handler, asio::any_io_executor where, asio::any_io_executor back) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        // Keeps itself and the other thread's work going, as an operation under way does.
        struct again {
            std::shared_ptr<decltype(handler)> what;
            asio::any_io_executor where;
            asio::executor_work_guard<asio::any_io_executor> work;
            void operator()() const { asio::post(where, *this); }
        };
        again const first{std::move(shared), where, asio::make_work_guard(back)};
        first();
    };
    co_await asio::async_initiate<asio::use_awaitable_t<> const, void()>(std::move(never), asio::use_awaitable, there,
                                                                         here);
    *held = 1;
}

// How a program ends that does this: the signal, or 1000 and the status that is not 0.
template <class What>
int signal_of(What what)
{
    auto const child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        for (int const each : {SIGABRT, SIGSEGV, SIGALRM})
            std::signal(each, SIG_DFL);
        ::alarm(60);
        (void)::close(STDERR_FILENO);
        what();
        ::_exit(0);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status))
        return WTERMSIG(status);
    return WEXITSTATUS(status) == 0 ? 0 : 1000 + WEXITSTATUS(status);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_io_threads)

BOOST_AUTO_TEST_CASE(every_executor_has_a_thread_of_its_own)
{
    io_threads threads(3);
    BOOST_TEST(threads.size() == 3U);
    std::set<std::thread::id> seen{std::this_thread::get_id()};
    for (std::size_t i = 0; i != 3; ++i) {
        seen.insert(thread_of(threads, i));
        BOOST_TEST((thread_of(threads, i) == thread_of(threads, i)));
        BOOST_TEST((threads.executor(i) == threads.home(i).executor()));
    }
    BOOST_TEST(seen.size() == 4U);
}

BOOST_AUTO_TEST_CASE(none_means_as_many_as_there_are_cores)
{
    BOOST_TEST(io_threads().size() == std::max(1U, std::thread::hardware_concurrency()));
}

BOOST_AUTO_TEST_CASE(a_caller_can_tell_where_it_is)
{
    io_threads threads(2);
    io_threads others(1);
    BOOST_TEST(!threads.here());
    for (std::size_t i = 0; i != 2; ++i) {
        auto ask = [&] { return std::pair(threads.here(), others.here()); };
        auto const [here, there] =
            asio::post(threads.executor(i),
                       std::packaged_task<std::pair<std::optional<std::size_t>, std::optional<std::size_t>>()>(ask))
                .get();
        BOOST_TEST((here == i));
        BOOST_TEST(!there);
    }
}

BOOST_AUTO_TEST_CASE(what_was_posted_before_the_end_is_run)
{
    std::atomic<int> ran = 0;
    {
        io_threads threads(2);
        for (int n = 0; n != 1000; ++n)
            asio::post(threads.executor(static_cast<std::size_t>(n % 2)), [&] { ++ran; });
    }
    BOOST_TEST(ran == 1000);
}

BOOST_AUTO_TEST_CASE(join_waits_for_everything_that_is_under_way)
{
    io_threads threads(2);
    std::atomic<int> steps = 0;
    std::function<void()> step = [&] {
        if (++steps < 100)
            asio::post(threads.executor(0), step);
    };
    asio::post(threads.executor(0), step);
    threads.join();
    BOOST_TEST(steps == 100);
    threads.join();
    threads.stop();
}

BOOST_AUTO_TEST_CASE(what_needs_a_thread_is_executed_on_it_or_after_its_end)
{
    io_threads threads(2);
    std::promise<std::optional<std::size_t>> where;
    threads.execute(1, [&] { where.set_value(threads.here()); });
    BOOST_TEST((where.get_future().get() == 1U));

    // On the thread itself: at once.
    std::promise<bool> at_once;
    threads.execute(1, [&] {
        bool done = false;
        threads.execute(1, [&] { done = true; });
        at_once.set_value(done);
    });
    BOOST_TEST(at_once.get_future().get());

    // However it meets the end, it is called.
    std::atomic<int> called = 0;
    std::thread caller([&] {
        for (int i = 0; i != 10'000; ++i)
            threads.execute(0, [&] { ++called; });
    });
    threads.stop();
    threads.join();
    caller.join();
    BOOST_TEST(called == 10'000);
    bool here = false;
    threads.execute(0, [&] { here = true; });
    BOOST_TEST(here);
}

BOOST_AUTO_TEST_CASE(what_waits_on_one_thread_for_another_is_destroyed_with_them)
{
    auto const held = std::make_shared<int>(0);
    for (std::size_t i = 0; i != 2; ++i) {
        io_threads threads(2);
        asio::co_spawn(threads.executor(i), waiting(threads.executor(1 - i), held), asio::detached);
        (void)thread_of(threads, i);
        (void)thread_of(threads, 1 - i);
    }
    BOOST_TEST(held.use_count() == 1);
    BOOST_TEST(*held == 0);
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_coroutine_is_its_callers)
{
    io_threads threads(1);
    auto outcome = asio::co_spawn(threads.executor(0), throwing(), asio::use_future);
    BOOST_CHECK_THROW(outcome.get(), std::runtime_error);
    (void)thread_of(threads, 0);
}

#if !defined(__SANITIZE_THREAD__)  // under which a process that was forked cannot start threads
BOOST_AUTO_TEST_CASE(an_exception_that_leaves_a_handler_ends_the_program)
{
    BOOST_TEST(signal_of([] {
                   io_threads threads(2);
                   asio::post(threads.executor(1), [] { throw std::runtime_error("nobody's"); });
                   threads.join();
               })
               == SIGABRT);
    BOOST_TEST(signal_of([] {
                   io_threads threads(2);
                   asio::post(threads.executor(1), [] {});
                   threads.join();
               })
               == 0);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
