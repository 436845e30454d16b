// SPDX-License-Identifier: BSL-1.0

// The workload through jeton::client, as an application would do it. Counts allocations as well.

#include "allocations.hpp"
#include "measured.hpp"

#include <jeton/client/client.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <stdexcept>

namespace {

struct progress {
    bench::measured work;
    bench::allocation_count at_begin{};
    bench::allocation_count at_end{};
};

void insist(std::exception_ptr failed)
{
    if (failed)
        std::rethrow_exception(failed);
}

asio::awaitable<void> worker(jeton::client& api, jeton::http::request what, progress& p)
{
    bench::measured::time_point begun{};
    while (p.work.start(begun)) {
        auto const answer = (co_await api.send(what)).value();
        if (answer.status() != 200)
            throw std::runtime_error("answered with " + std::to_string(answer.status()));
        p.work.finish(begun);
        if (p.work.begins())
            p.at_begin = bench::allocations();
    }
    if (p.work.done()) {
        p.at_end = bench::allocations();
        co_await api.shut_down();
    }
}

asio::awaitable<void> workers(jeton::client& api, bench::workload const& w, progress& p)
{
    auto const what =
        w.post ? jeton::http::request::post(w.path, bench::json_body()) : jeton::http::request::get(w.path);
    (co_await api.token()).value();
    for (std::uint64_t i = 0; i != w.in_flight; ++i)
        asio::co_spawn(co_await asio::this_coro::executor, worker(api, what, p), insist);
}

std::string each(char const* name, std::uint64_t at_begin, std::uint64_t at_end, progress const& p)
{
    char text[80];
    std::snprintf(text, sizeof text, ",\"%s\":%.2f", name, static_cast<double>(at_end - at_begin) / p.work.requests());
    return text;
}

}  // namespace

int main(int argc, char** argv)
{
    auto const w = bench::workload::from(argc, argv);
    auto const base = "https://" + w.authority();

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
    progress p{.work = bench::measured(w)};
    asio::co_spawn(io, workers(api, w, p), insist);
    io.run();
    if (!p.work.done())
        return 1;
    p.work.print(each("allocations", p.at_begin.all, p.at_end.all, p)
                 + each("allocations_by_operator_new", p.at_begin.by_operator_new, p.at_end.by_operator_new, p)
                 + each("allocations_aligned", p.at_begin.aligned, p.at_end.aligned, p));
}
