// SPDX-License-Identifier: BSL-1.0
#include "request_options.hpp"

#include "target.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iterator>

namespace jeton::tool {

namespace {

std::string content_of(std::string const& data)
{
    if (data.empty() || data.front() != '@')
        return data;
    std::ifstream file(data.substr(1), std::ios::binary);
    if (!file)
        throw usage_error("--data: cannot read " + data.substr(1));
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

void add_request_options(CLI::App& command, request_options& into)
{
    command.add_option("--data", into.data, "body; @FILE reads it from a file");
    command.add_option("--header", into.headers, "a field, \"Name: value\"; may be repeated")->allow_extra_args(false);
    command.add_flag("--no-auth", into.no_auth, "send without a token");
}

http::request request_of(request_options const& options, std::string_view method, std::string_view target)
{
    http::request r(method, target);
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

}  // namespace jeton::tool
