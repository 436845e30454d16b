// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "crew.hpp"
#include "report.hpp"
#include "request_options.hpp"
#include "session.hpp"
#include "target.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

namespace jeton::tool {

namespace {

struct call_options {
    target where{};
    std::string method{};
    std::string path{};
    request_options request{};
    bool json = false;
    int count = 1;
    int in_flight = 1;
};

void print(call_options const& options, result<http::response> const& outcome)
{
    if (options.json)
        std::cout << boost::json::serialize(outcome ? to_json(*outcome) : to_json(outcome.error())) << '\n';
    else if (!outcome)
        std::cerr << "jeton: " << explain(outcome.error()) << '\n';
    else {
        auto const& took = outcome->phases();
        std::cerr << "HTTP " << outcome->status() << " (" << outcome->protocol()
                  << (outcome->reused() ? ", reused connection" : ", new connection") << ", token "
                  << readable(took.token) << ", first byte " << readable(took.first_byte) << ")\n";
        std::cout << outcome->text();
        if (!outcome->text().empty() && outcome->text().back() != '\n')
            std::cout << '\n';
    }
}

// The workers of one command share what is left to do, and remember the first thing that went wrong.
struct progress {
    int left = 0;
    exit_code worst = exit_code::ok;
};

asio::awaitable<void> worker(client& api, call_options const& options, http::request what,
                             std::shared_ptr<progress> shared)
{
    while (shared->left > 0) {
        --shared->left;
        auto const outcome = co_await api.send(what);
        print(options, outcome);
        auto const code = outcome ? exit_code_of(outcome->status()) : exit_code_of(outcome.error());
        if (shared->worst == exit_code::ok)
            shared->worst = code;
    }
}

asio::awaitable<exit_code> call(client& api, call_options const& options, http::request what)
{
    auto const shared = std::make_shared<progress>(progress{.left = options.count});
    auto const crew = static_cast<std::size_t>(std::min(options.in_flight, options.count));
    co_await run_crew(crew, [&](std::size_t) { return worker(api, options, what, shared); });
    co_return shared->worst;
}

}  // namespace

void add_call_command(CLI::App& app, action& run)
{
    auto* const command = app.add_subcommand("call", "Send a request with a token on it");
    auto const options = std::make_shared<call_options>();
    command->add_option("METHOD", options->method, "GET, POST, ...")->required();
    command->add_option("PATH", options->path, "path below the API base, or a whole URL on its origin")->required();
    add_request_options(*command, options->request);
    command->add_option("--count", options->count, "how many times")->check(CLI::PositiveNumber);
    command->add_option("--in-flight", options->in_flight, "how many of them at once")->check(CLI::PositiveNumber);
    command->add_flag("--json", options->json, "print one JSON object a request");
    add_target_options(*command, options->where);
    command->callback([options, &run] {
        run = [options] {
            auto const api = provider_of(options->where, !options->request.no_auth);
            auto const who =
                options->request.no_auth ? credentials::from_environment("JETON") : credentials_of(options->where, api);
            auto const what = request_of(options->request, options->method, options->path);
            return with_client(api, who, client_options_of(options->where),
                               [&](client& c) { return call(c, *options, what); });
        };
    });
}

}  // namespace jeton::tool
