// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "crew.hpp"
#include "report.hpp"
#include "session.hpp"
#include "target.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jeton::tool {

namespace {

struct call_options {
    target where{};
    std::string method{};
    std::string path{};
    std::optional<std::string> data{};
    std::vector<std::string> headers{};
    bool no_auth = false;
    bool json = false;
    int count = 1;
    int in_flight = 1;
};

std::string content_of(std::string const& data)
{
    if (data.empty() || data.front() != '@')
        return data;
    std::ifstream file(data.substr(1), std::ios::binary);
    if (!file)
        throw usage_error("--data: cannot read " + data.substr(1));
    return {std::istreambuf_iterator<char>(file), {}};
}

http::request request_of(call_options const& options)
{
    http::request r(options.method, options.path);
    bool typed = false;
    for (auto const& line : options.headers) {
        auto const colon = line.find(':');
        if (colon == std::string::npos)
            throw usage_error("--header: expected \"Name: value\", got \"" + line + "\"");
        auto const name = line.substr(0, colon);
        auto const value = line.find_first_not_of(" \t", colon + 1);
        r.header(name, value == std::string::npos ? std::string() : line.substr(value));
        typed = typed || http::same_field_name(name, "content-type");
    }
    if (options.data)
        r.body(content_of(*options.data), typed ? "" : "application/json");
    if (options.no_auth)
        r.anonymous();
    return r;
}

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
    command->add_option("--data", options->data, "body; @FILE reads it from a file");
    command->add_option("--header", options->headers, "a field, \"Name: value\"; may be repeated")
        ->allow_extra_args(false);
    command->add_flag("--no-auth", options->no_auth, "send without a token");
    command->add_option("--count", options->count, "how many times")->check(CLI::PositiveNumber);
    command->add_option("--in-flight", options->in_flight, "how many of them at once")->check(CLI::PositiveNumber);
    command->add_flag("--json", options->json, "print one JSON object a request");
    add_target_options(*command, options->where);
    command->callback([options, &run] {
        run = [options] {
            auto const api = provider_of(options->where, !options->no_auth);
            auto const who =
                options->no_auth ? credentials::from_environment("JETON") : credentials_of(options->where, api);
            auto const what = request_of(*options);
            return with_client(api, who, client_options_of(options->where),
                               [&](client& c) { return call(c, *options, what); });
        };
    });
}

}  // namespace jeton::tool
