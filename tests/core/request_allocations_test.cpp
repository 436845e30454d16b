// SPDX-License-Identifier: BSL-1.0
// What a request asks the heap for, once the buffers have their size. A program of its own, since OpenSSL takes its allocator once.
#include "component/sandboxed.hpp"
#include "support/heap_meter.hpp"

#include <openssl/crypto.h>

#include <cstdlib>
#include <exception>

using namespace jeton;
using namespace jeton::testing;

namespace {

thread_local std::uint64_t asked_by_openssl = 0;

void* openssl_malloc(std::size_t size, char const*, int)
{
    ++asked_by_openssl;
    return std::malloc(size);
}

void* openssl_realloc(void* memory, std::size_t size, char const*, int)
{
    ++asked_by_openssl;
    return std::realloc(memory, size);
}

void openssl_free(void* memory, char const*, int) { std::free(memory); }

// Before anything of OpenSSL's runs.
[[maybe_unused]] int const counted = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);

struct figures {
    double frames = 0;
    double openssl = 0;
    double others = 0;  // the response's block among them
};

asio::awaitable<int> ask(client* api, http::request what, int times)
{
    int failed = 0;
    for (int i = 0; i != times; ++i) {
        auto const got = co_await api->send(what);
        failed += !got || got->status() != 200;
    }
    co_return failed;
}

struct fixture : sandboxed {
    figures of_a_request(http::protocol_choice protocol, http::request const& what)
    {
        constexpr int warm_up = 200;
        constexpr int many = 1000;
        auto o = options();
        o.http.protocol = protocol;
        o.http.watcher = nullptr;
        auto& client = use("alluvial", std::move(o));
        BOOST_TEST(run(ask(&client, what, warm_up)) == 0);

        auto const before = heap::asked();
        auto const openssl_before = asked_by_openssl;
        BOOST_TEST(run(ask(&client, what, many)) == 0);
        auto const after = heap::asked();
        figures f;
        f.frames = static_cast<double>(after.aligned - before.aligned) / many;
        f.openssl = static_cast<double>(asked_by_openssl - openssl_before) / many;
        f.others = static_cast<double>(after.all - before.all) / many - f.frames - f.openssl;
        BOOST_TEST_MESSAGE(f.frames << " frames, " << f.openssl << " by OpenSSL, " << f.others << " others");
        return f;
    }
};

// Timers, and what starting and ending the measurement takes.
constexpr double tolerance = 0.1;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(core_request_allocations, fixture)

BOOST_AUTO_TEST_CASE(over_http_1_1_a_request_allocates_its_response_and_few_frames)
{
    BOOST_TEST_REQUIRE(counted == 1);
    auto const f = of_a_request(http::protocol_choice::http_1_1, http::request::get("/eth/v0/status"));
    BOOST_TEST(f.openssl > 0.5);
    BOOST_TEST(f.others < 1 + tolerance);
    BOOST_TEST(f.others > 1 - tolerance);
    BOOST_TEST(f.frames < 6);
}

BOOST_AUTO_TEST_CASE(over_http_2_there_is_the_stream_besides)
{
    auto const f = of_a_request(http::protocol_choice::http_2, http::request::get("/eth/v0/status"));
    BOOST_TEST(f.frames < 6);
    BOOST_TEST(f.others < 6);
}

BOOST_AUTO_TEST_SUITE_END()
