// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "report.hpp"
#include "session.hpp"
#include "target.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>
#include <memory>

namespace jeton::tool {

namespace {

struct token_options {
    target where{};
    bool json = false;
    bool show = false;
};

asio::awaitable<exit_code> print_token(client& api, token_options const& options, std::shared_ptr<clock const> time)
{
    auto const got = co_await api.token();
    if (!got) {
        if (options.json)
            std::cout << boost::json::serialize(to_json(got.error())) << '\n';
        else
            std::cerr << "jeton: " << explain(got.error()) << '\n';
        co_return exit_code_of(got.error());
    }
    auto const& token = **got;
    auto const left = std::chrono::duration_cast<std::chrono::seconds>(token.left(time->both()));
    if (options.json) {
        boost::json::object out{
            {"fingerprint", token.fingerprint}, {"expires_in", left.count()}, {"scope", token.scope}};
        if (options.show)
            out["access_token"] = token.access();
        std::cout << boost::json::serialize(out) << '\n';
    } else if (options.show) {
        std::cout << token.access() << '\n';
    } else {
        std::cout << "token " << token.fingerprint << ", valid for " << left.count() << " s";
        if (!token.scope.empty())
            std::cout << ", scope: " << token.scope;
        std::cout << "\n(--show prints the token itself)\n";
    }
    co_return exit_code::ok;
}

}  // namespace

void add_token_command(CLI::App& app, action& run)
{
    auto* const command = app.add_subcommand("token", "Get an access token");
    auto const options = std::make_shared<token_options>();
    add_target_options(*command, options->where);
    command->add_flag("--json", options->json, "print one JSON object");
    command->add_flag("--show", options->show, "print the token itself; it is a secret");
    command->callback([options, &run] {
        run = [options] {
            auto const api = provider_of(options->where, true);
            auto const who = credentials_of(options->where, api);
            auto const time = machine_clock();
            return with_client(api, who, client_options_of(options->where),
                               [&](client& c) { return print_token(c, *options, time); });
        };
    });
}

}  // namespace jeton::tool
