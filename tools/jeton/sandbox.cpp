// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "target.hpp"

#include <jeton/testing/sandbox.hpp>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace jeton::tool {

namespace {

struct sandbox_command_options {
    std::string provider{};
    std::string ca_file{};
    std::uint16_t port = 0;
    double token_lifetime = 3600;
};

std::string audience_of(provider const& p)
{
    for (auto const& [name, value] : p.tokens.parameters)
        if (name == "audience")
            return value;
    return {};
}

// A file of this run's own for the CA certificate, removed with the folder that holds it.
class own_folder {
public:
    own_folder()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "jeton-sandbox-XXXXXX").string();
        if (!::mkdtemp(pattern.data()))
            throw std::system_error(errno, std::generic_category(), "cannot make a folder for the CA certificate");
        path_ = pattern;
    }
    ~own_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    own_folder(own_folder const&) = delete;
    own_folder& operator=(own_folder const&) = delete;

    std::filesystem::path file(char const* name) const { return path_ / name; }

private:
    std::filesystem::path path_{};
};

exit_code play(sandbox_command_options const& options)
{
    auto const lifetime = std::chrono::duration_cast<duration>(std::chrono::duration<double>(options.token_lifetime));
    testing::sandbox world({.port = options.port, .token_lifetime = lifetime});
    own_folder folder;
    auto const ca_file = options.ca_file.empty() ? folder.file("ca.pem") : std::filesystem::path(options.ca_file);
    world.write_ca_file(ca_file);

    auto const p = world.provider_named(options.provider);
    auto const identity = world.identity_of(options.provider);
    std::cout << "provider       " << options.provider << '\n'
              << "base URL       " << p.base_url << '\n'
              << "token URL      " << p.tokens.url << '\n';
    if (auto const audience = audience_of(p); !audience.empty())
        std::cout << "audience       " << audience << '\n';
    std::cout << "CA file        " << ca_file.string() << '\n'
              << "client id      " << identity.id << '\n'
              << "client secret  " << identity.key.reveal() << '\n'
              << "\nIn another terminal:\n"
              << "  export " << p.variables << "_CLIENT_ID='" << identity.id << "' " << p.variables
              << "_CLIENT_SECRET='" << identity.key.reveal() << "'\n"
              << "  jeton token --provider " << options.provider << " --base-url " << p.base_url << " --token-url "
              << p.tokens.url;
    if (auto const audience = audience_of(p); !audience.empty())
        std::cout << " --audience " << audience;
    std::cout << " --ca " << ca_file.string() << "\n\nCtrl-C ends it." << std::endl;

    asio::io_context io(1);
    asio::signal_set stop(io, SIGINT, SIGTERM);
    stop.async_wait([](std::error_code, int) {});
    io.run();

    auto const counted = world.counters();
    std::cout << "\ntoken requests " << counted.token_requests << ", API requests " << counted.api_requests
              << ", connections " << counted.connections << std::endl;
    return exit_code::ok;
}

}  // namespace

void add_sandbox_command(CLI::App& app, action& run)
{
    auto* const command = app.add_subcommand("sandbox", "Play one of the providers on this machine, over TLS");
    auto const options = std::make_shared<sandbox_command_options>();
    command->add_option("--provider", options->provider, "alluvial, datacrunch or restoration")
        ->required()
        ->check(CLI::IsMember({"alluvial", "datacrunch", "restoration"}));
    command->add_option("--port", options->port, "on 127.0.0.1 (default: one that is free)");
    command->add_option("--ca-file", options->ca_file,
                        "where to write the CA certificate (default: a folder of its own)");
    command->add_option("--token-lifetime", options->token_lifetime, "seconds (default: 3600)")
        ->check(CLI::Range(1.0, 86400.0));
    command->callback([options, &run] { run = [options] { return play(*options); }; });
}

}  // namespace jeton::tool
