// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/serial.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <typeinfo>

using namespace jeton;

BOOST_AUTO_TEST_SUITE(base_serial)

BOOST_AUTO_TEST_CASE(a_context_that_is_vouched_for_is_used_as_it_is)
{
    asio::io_context io;
    serial const home(io);
    BOOST_TEST((home.executor().target_type() == typeid(asio::io_context::executor_type)));
}

BOOST_AUTO_TEST_CASE(any_other_executor_is_wrapped_in_a_strand)
{
    asio::io_context io;
    serial const home = asio::any_io_executor(io.get_executor());
    BOOST_TEST((home.executor().target_type() == typeid(asio::strand<asio::any_io_executor>)));
}

BOOST_AUTO_TEST_CASE(a_strand_is_not_wrapped_twice)
{
    asio::io_context io;
    auto const strand = asio::make_strand(io);
    serial const home(strand);
    using wrapped = asio::strand<asio::io_context::executor_type>;
    BOOST_REQUIRE((home.executor().target_type() == typeid(wrapped)));
    BOOST_TEST((*home.executor().target<wrapped>() == strand));
}

BOOST_AUTO_TEST_CASE(no_two_handlers_run_at_once_on_a_pool_of_threads)
{
    asio::thread_pool pool(4);
    serial const home = asio::any_io_executor(pool.get_executor());
    std::atomic<int> inside = 0;
    std::atomic<bool> overlapped = false;
    int unguarded = 0;
    for (int i = 0; i != 1000; ++i)
        asio::post(home.executor(), [&] {
            if (inside.fetch_add(1) != 0)
                overlapped = true;
            ++unguarded;
            inside.fetch_sub(1);
        });
    pool.join();
    BOOST_TEST(!overlapped);
    BOOST_TEST(unguarded == 1000);
}

BOOST_AUTO_TEST_SUITE_END()
