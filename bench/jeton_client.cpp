// SPDX-License-Identifier: BSL-1.0

// The workload through jeton::client, as an application would do it.

#include "allocations.hpp"
#include "workload.hpp"

#include <jeton/client/client.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

namespace {

struct progress {
    std::uint64_t started = 0;
    std::uint64_t finished = 0;
    bench::allocation_count at_half{};
    bench::allocation_count at_end{};
    std::uint64_t running = 0;
};

asio::awaitable<void> worker(jeton::client& api, bench::workload const& w, jeton::http::request what, progress& p)
{
    while (p.started != w.requests) {
        ++p.started;
        auto const answer = (co_await api.send(what)).value();
        if (answer.status() != 200)
            throw std::runtime_error("answered with " + std::to_string(answer.status()));
        if (++p.finished == w.requests / 2)
            p.at_half = bench::allocations();
    }
    if (--p.running == 0) {
        p.at_end = bench::allocations();
        co_await api.shut_down();
    }
}

asio::awaitable<void> workers(jeton::client& api, bench::workload const& w, progress& p)
{
    auto const what = jeton::http::request::get(bench::workload::path);
    (co_await api.token()).value();
    p.running = w.in_flight;
    for (std::uint64_t i = 0; i != w.in_flight; ++i)
        asio::co_spawn(co_await asio::this_coro::executor, worker(api, w, what, p), asio::detached);
}

}  // namespace

int main(int argc, char** argv)
{
    auto const w = bench::workload::from(argc, argv);
    auto const base = std::string("https://") + bench::workload::host + ":" + w.port;

    jeton::provider server;
    server.name = "bench";
    server.base_url = base;
    server.tokens.url = base + "/token";
    jeton::client_options options;
    options.http.tls.ca_file = w.ca_file;
    options.http.connections_per_origin = static_cast<std::size_t>(w.in_flight);
    options.http.protocol = w.http_2 ? jeton::http::protocol_choice::http_2 : jeton::http::protocol_choice::http_1_1;

    asio::io_context io(1);
    jeton::client api(jeton::serial(io), server, jeton::credentials::from_value("bench", jeton::secret("bench")),
                      options);
    progress p;
    asio::co_spawn(io, workers(api, w, p), asio::detached);
    io.run();

    auto const counted = static_cast<double>(p.finished - w.requests / 2);
    std::cout << p.finished
              << " requests; allocations each: " << static_cast<double>(p.at_end.all - p.at_half.all) / counted
              << ", of those by operator new "
              << static_cast<double>(p.at_end.by_operator_new - p.at_half.by_operator_new) / counted << '\n';
    return p.finished == w.requests ? 0 : 1;
}
