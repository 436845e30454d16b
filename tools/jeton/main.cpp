// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "descriptors.hpp"
#include "report.hpp"
#include "target.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <stdexcept>

namespace {

constexpr char const* examples = R"(Examples:
  See it work, against a server of its own:
    jeton demo
  Play with an API that behaves like Alluvial's; prints what the commands below need:
    jeton sandbox --provider alluvial
  Ask Alluvial's staging system (ALLUVIAL_CLIENT_ID and ALLUVIAL_CLIENT_SECRET are set):
    jeton call GET /eth/v0/status --provider alluvial
  Any other API with client credentials (JETON_CLIENT_ID and JETON_CLIENT_SECRET are set):
    jeton call GET /orders --base-url https://api.example/v1 --token-url https://auth.example/token
  What a request of jeton costs you, while tokens change (`jeton bench --help`):
    jeton bench https://localhost:8443/orders --token-url https://localhost:8443/token --rotate 1
  What a token request answers, with the secret from a file:
    jeton token --provider datacrunch --client-secret-file /run/secrets/datacrunch
)";

constexpr char const* footer =
    R"(Credentials come from NAME_CLIENT_ID and NAME_CLIENT_SECRET, where NAME is ALLUVIAL, DATACRUNCH or
RESTORATION with --provider, otherwise JETON; each may be given as ..._FILE, the name of a file. Never from an argument.

Exit codes: 0 ok, 1 internal error, 2 usage, 3 authentication, 4 API answered 4xx, 5 API or token endpoint answered 5xx,
6 timeout, 7 network or TLS, 8 rate-limited (429), 9 not found (404), 130 interrupted.)";

int to_shell(jeton::tool::exit_code code) { return static_cast<int>(code); }

}  // namespace

int main(int argc, char** argv)
{
    using jeton::tool::exit_code;

    jeton::tool::raise_descriptor_limit();
    CLI::App app(std::string(examples) + "\njeton: calls OAuth-protected HTTPS APIs");
    app.footer(footer);
    app.set_version_flag("--version", "jeton " JETON_VERSION);
    app.require_subcommand(1);
    jeton::tool::action run;
    jeton::tool::add_demo_command(app, run);
    jeton::tool::add_sandbox_command(app, run);
    jeton::tool::add_token_command(app, run);
    jeton::tool::add_call_command(app, run);
    jeton::tool::add_bench_command(app, run);

    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e) == 0 ? to_shell(exit_code::ok) : to_shell(exit_code::usage);
    }
    try {
        return to_shell(run());
    } catch (jeton::tool::usage_error const& e) {
        std::cerr << "jeton: " << e.what() << '\n';
        return to_shell(exit_code::usage);
    } catch (jeton::error const& e) {
        std::cerr << "jeton: " << jeton::tool::explain(e.why()) << '\n';
        return to_shell(jeton::tool::exit_code_of(e.why()));
    } catch (std::invalid_argument const& e) {
        std::cerr << e.what() << '\n';  // begins with our name
        return to_shell(exit_code::usage);
    } catch (std::exception const& e) {
        std::cerr << "jeton: " << e.what() << '\n';
        return to_shell(exit_code::internal);
    }
}
