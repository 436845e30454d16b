// SPDX-License-Identifier: BSL-1.0

// One client on several threads: one token for all of them, and on each its own connections.
// ALLUVIAL_CLIENT_ID and ALLUVIAL_CLIENT_SECRET (or ..._FILE) say who asks.

#include <jeton/base/io_threads.hpp>
#include <jeton/client/async.hpp>
#include <jeton/jeton.hpp>

#include <asio/co_spawn.hpp>
#include <asio/use_future.hpp>

#include <future>
#include <iostream>
#include <string>
#include <vector>

namespace {

using jeton::http::request;

// On the thread that it was spawned on from beginning to end, as is every request it makes.
asio::awaitable<int> ask(jeton::client& alluvial, int times)
{
    int answered = 0;
    for (int i = 0; i != times; ++i) {
        auto const reply = co_await alluvial.get("/eth/v0/status");
        answered += reply && reply->status() == 200;
    }
    co_return answered;
}

}  // namespace

int main()
{
    jeton::io_threads threads(2);  // without a number: as many as there are cores
    jeton::client alluvial(threads, jeton::alluvial(jeton::environment::staging),
                           jeton::credentials::from_environment("ALLUVIAL"));

    std::vector<std::future<int>> counts;
    for (std::size_t i = 0; i != threads.size(); ++i)
        counts.push_back(asio::co_spawn(threads.executor(i), ask(alluvial, 50), asio::use_future));
    for (std::size_t i = 0; i != counts.size(); ++i)
        std::cout << "thread " << i << ": " << counts[i].get() << " answered\n";

    // This thread is none of them: the one with the least to do takes the request.
    auto const status = jeton::async_send(alluvial, request::get("/eth/v0/status"), asio::use_future).get();
    std::cout << "from elsewhere: " << (status ? std::to_string(status->status()) : status.error().to_string()) << '\n';

    std::cout << "token requests: " << alluvial.snapshot().token.token_requests << '\n';
    asio::co_spawn(threads.executor(0), alluvial.shut_down(), asio::use_future).get();
}
