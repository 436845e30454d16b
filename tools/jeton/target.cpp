// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <jeton/oauth2/error.hpp>
#include <jeton/providers/by_name.hpp>
#include <jeton/providers/restoration.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>

namespace jeton::tool {

namespace {

// The variable itself, or the content of the file that NAME_FILE names, is looked at by the
// library; here only the id is needed when the secret comes from elsewhere.
result<std::string> client_id_from(std::string const& prefix)
{
    std::string const name = prefix + "_CLIENT_ID";
    if (char const* const value = std::getenv(name.c_str()); value && *value)
        return std::string(value);
    return failure(oauth2::errc::bad_credentials_source, phase::token, delivery::not_sent, name + " is not set");
}

secret secret_from_standard_input()
{
    std::string line;
    if (!std::getline(std::cin, line) || line.empty())
        throw usage_error("--client-secret-file -: standard input holds no secret");
    if (line.back() == '\r')
        line.pop_back();
    return secret(std::move(line));
}

std::string variables_of(provider const& p) { return p.variables.empty() ? "JETON" : p.variables; }

}  // namespace

void add_target_options(CLI::App& command, target& into)
{
    auto* const group = command.add_option_group("Which system, and as whom");
    group->add_option("--provider", into.provider_name, "alluvial, datacrunch or restoration")
        ->check(CLI::IsMember({"alluvial", "datacrunch", "restoration"}));
    group->add_option("--environment", into.environment_name, "staging or production (default: staging)")
        ->check(CLI::IsMember({"staging", "production"}));
    group->add_option("--base-url", into.base_url, "API base; paths are appended to it");
    group->add_option("--token-url", into.token_url, "token endpoint");
    group->add_option("--token-body", into.token_body, "body of the token request: form or json")
        ->check(CLI::IsMember({"form", "json"}));
    group->add_option("--client-auth", into.client_auth, "how the client authenticates: post or basic")
        ->check(CLI::IsMember({"post", "basic"}));
    group->add_option("--audience", into.audience, "audience parameter of the token request");
    group->add_option("--scope", into.scope, "scope parameter of the token request");
    group->add_option("--ca", into.ca_file, "trusted CA certificates (PEM), instead of the system's")
        ->check(CLI::ExistingFile);
    group->add_option("--timeout", into.timeout_seconds, "seconds that one request may take in all")
        ->check(CLI::Range(0.001, 86400.0));
    group->add_option("--client-secret-file", into.client_secret_file,
                      "file with the client secret; - for standard input");
}

provider provider_of(target const& t, bool with_token)
{
    auto const where = t.environment_name == "production" ? environment::production : environment::staging;
    provider p;
    if (t.provider_name == "restoration") {
        if (t.base_url.empty())
            throw usage_error("--provider restoration needs --base-url");
        p = restoration(t.base_url);
    } else if (!t.provider_name.empty()) {
        p = provider_named(t.provider_name, where).value();
    } else {
        p.name = "API";
        p.tokens.body = oauth2::body_kind::form;
    }
    if (!t.base_url.empty())
        p.base_url = t.base_url;
    if (!t.token_url.empty())
        p.tokens.url = t.token_url;
    if (!t.token_body.empty())
        p.tokens.body = t.token_body == "json" ? oauth2::body_kind::json : oauth2::body_kind::form;
    if (!t.client_auth.empty())
        p.tokens.auth = t.client_auth == "basic" ? oauth2::client_auth::client_secret_basic
                                                 : oauth2::client_auth::client_secret_post;
    if (t.scope)
        p.tokens.scope = *t.scope;
    if (t.audience) {
        std::erase_if(p.tokens.parameters, [](auto const& parameter) { return parameter.first == "audience"; });
        if (!t.audience->empty())
            p.tokens.parameters.emplace_back("audience", *t.audience);
    }
    if (with_token && p.tokens.url.empty())
        throw usage_error("say which system: --provider NAME, or --token-url URL");
    if (p.base_url.empty()) {
        if (!with_token)
            throw usage_error("say which system: --provider NAME, or --base-url URL");
        p.base_url = p.tokens.url;  // only a token is asked for: the API's base is not used
    }
    if (p.tokens.url.empty())
        p.tokens.url = p.base_url;  // only requests without a token are made: the endpoint is not used
    return p;
}

credentials credentials_of(target const& t, provider const& p)
{
    std::string const prefix = variables_of(p);
    if (t.client_secret_file.empty())
        return credentials::from_environment(prefix);

    auto const read = [&]() -> credentials {
        if (t.client_secret_file != "-")
            return credentials::from_file({}, t.client_secret_file);
        return credentials::from_value({}, secret_from_standard_input());
    };
    return credentials::from([prefix, key = read()]() -> result<oauth2::client_identity> {
        auto id = client_id_from(prefix);
        if (!id)
            return id.error();
        auto identity = key.read();
        if (!identity)
            return identity.error();
        identity->id = std::move(*id);
        return std::move(*identity);
    });
}

client_options client_options_of(target const& t)
{
    client_options options;
    options.http.tls.ca_file = t.ca_file;
    if (t.timeout_seconds > 0)
        options.http.total = std::chrono::duration_cast<duration>(std::chrono::duration<double>(t.timeout_seconds));
    return options;
}

}  // namespace jeton::tool
