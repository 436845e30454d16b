// SPDX-License-Identifier: BSL-1.0
#include "bench_load.hpp"
#include "commands.hpp"
#include "descriptors.hpp"
#include "report.hpp"
#include "request_options.hpp"
#include "target.hpp"

#include <jeton/http/url.hpp>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

namespace jeton::tool {

namespace json = boost::json;

namespace {

struct bench_options {
    target where{};
    request_options request{};
    std::string url{};
    std::string method{};
    load_order order{};
    http::protocol_choice protocol = http::client_options().protocol;
    bool allow_remote = false;
    bool json = false;
};

// "https://api.example:8443", as it was typed, and what comes after it.
std::size_t end_of_origin(std::string const& url)
{
    auto const scheme = url.find("://");
    if (scheme == std::string::npos)
        throw usage_error("\"" + url + "\" is no URL: https://HOST[:PORT]/PATH is meant");
    return std::min(url.find_first_of("/?#", scheme + 3), url.size());
}

// Loopback by what it is called, and by what this machine takes that for.
void must_be_here(std::string const& text, char const* what)
{
    auto const url = http::url::parse(text).value();
    auto const& origin = url.origin();
    auto const refused = [&](std::string const& why) {
        return usage_error(std::string(what) + " " + url.without_query() + " " + why
                           + ": load for other machines needs --allow-remote, and the consent of those who run them");
    };
    if (!origin.loopback())
        throw refused("is not on this machine (localhost, 127.0.0.0/8, ::1)");
    asio::io_context io;
    std::error_code unknown;
    for (auto const& found : asio::ip::tcp::resolver(io).resolve(origin.host, "", unknown))
        if (auto const address = found.endpoint().address(); !address.is_loopback())
            throw refused("leads to " + address.to_string() + ", which is not on this machine");
}

client_options client_options_of(bench_options const& o)
{
    auto options = client_options_of(o.where);
    auto const in_flight = static_cast<std::size_t>(o.order.in_flight);
    auto& http = options.http;
    http.protocol = o.protocol;
    // As many as each thread may want, and a few for the token endpoint.
    http.connections_per_origin =
        std::max(http.connections_per_origin, in_flight + static_cast<std::size_t>(o.order.threads));
    http.connections = std::max(http.connections, http.connections_per_origin + 16);
    http.waiting_requests = std::max(http.waiting_requests, in_flight * 2);

    auto const room = room_for_connections();
    if (o.protocol == http::protocol_choice::http_2)
        return options;  // requests share connections
    if (in_flight > room)
        throw usage_error("--in-flight " + std::to_string(in_flight) + " is more than this system lets a process open ("
                          + std::to_string(room) + " at most; see ulimit -Hn)");
    http.connections = std::min(http.connections, room);
    http.connections_per_origin = std::min(http.connections_per_origin, room);
    return options;
}

json::object summary(bench_options const& o, load_report const& r)
{
    json::object failures;
    for (auto const& [what, count] : r.failures)
        failures[what] = count;
    return {{"url", o.url},
            {"method", o.method},
            {"in_flight", o.order.in_flight},
            {"threads", o.order.threads},
            {"seconds", r.seconds},
            {"requests", r.requests},
            {"failed", r.failed},
            {"failures", std::move(failures)},
            {"first_failure", r.first_failure.empty() ? json::value() : json::value(valid_utf8(r.first_failure))},
            {"given_up", r.given_up},
            {"interrupted", r.interrupted},
            {"resent", r.resent},
            {"requests_per_second", r.requests_per_second()},
            {"p50_us", r.took.percentile_us(0.5)},
            {"p99_us", r.took.percentile_us(0.99)},
            {"p999_us", r.took.percentile_us(0.999)},
            {"cpu_us_per_request", r.cpu_us_per_request()},
            {"tokens", r.tokens},
            {"token_failures", r.token_failures},
            {"callers_who_waited", r.callers_who_waited},
            {"connections", r.connections},
            {"http2_connections", r.http2_connections},
            {"handshakes", r.handshakes},
            {"resumed_handshakes", r.resumed}};
}

void row(std::string_view what, std::string const& value)
{
    std::cout << "  " << std::left << std::setw(50) << what << std::right << std::setw(20) << value << '\n';
}

void print_table(bench_options const& o, load_report const& r)
{
    auto const number = [](auto n) { return std::to_string(n); };
    auto const fixed = [](double d, int digits) {
        std::ostringstream out;
        out << std::fixed << std::setprecision(digits) << d;
        return out.str();
    };

    std::cout << '\n' << o.method << ' ' << o.url << ", " << o.order.in_flight << " in flight";
    if (o.order.threads > 1)
        std::cout << " on " << o.order.threads << " threads";
    std::cout << ", " << fixed(r.seconds, 1) << " s" << (r.interrupted ? ", interrupted" : "") << "\n\n";
    row("requests", number(r.requests));
    row("failed", number(r.failed));
    for (auto const& [what, count] : r.failures)
        row("  " + what, number(count));
    if (r.given_up)
        row("on their way when interrupted", number(r.given_up));
    row("sent again by jeton", number(r.resent));
    row("requests per second", fixed(r.requests_per_second(), 0));
    row("p50 / p99 / p99.9, us", number(r.took.percentile_us(0.5)) + " / " + number(r.took.percentile_us(0.99)) + " / "
                                     + number(r.took.percentile_us(0.999)));
    row("CPU of this process per request, us", fixed(r.cpu_us_per_request(), 1));
    row("tokens; token requests that failed", number(r.tokens) + "; " + number(r.token_failures));
    row("callers who waited for a token after the first", number(r.callers_who_waited));
    row("connections, of them HTTP/2", number(r.connections) + ", " + number(r.http2_connections));
    row("TLS handshakes, of them resumed", number(r.handshakes) + ", " + number(r.resumed));
    if (!r.first_failure.empty())
        std::cerr << "jeton: first failure: " << r.first_failure << '\n';
}

exit_code run_bench(bench_options o)
{
    auto const split = end_of_origin(o.url);
    auto path = o.url.substr(split);
    if (path.empty() || path.front() != '/')
        path.insert(0, "/");
    if (o.where.base_url.empty())
        o.where.base_url = o.url.substr(0, split);
    else
        path = o.url;  // on the origin of the base, or refused
    if (o.method.empty())
        o.method = o.request.data ? "POST" : "GET";
    o.order.threads = std::min(o.order.threads, o.order.in_flight);
    o.order.with_token = !o.request.no_auth;

    auto const api = provider_of(o.where, o.order.with_token);
    if (!o.allow_remote) {
        must_be_here(o.url.substr(0, split), "the API");
        if (o.order.with_token)
            must_be_here(api.tokens.url, "the token endpoint");
    }
    auto const who = o.order.with_token ? credentials_of(o.where, api) : credentials::from_environment("JETON");
    auto const what = request_of(o.request, o.method, path);
    auto const options = client_options_of(o);

    live_line live(o.json);
    load_report r;
    try {
        r = drive(api, who, options, what, o.order, live);
    } catch (jeton::error const& e) {
        if (!o.json)
            throw;
        std::cout << json::serialize(to_json(e.why())) << '\n';
        return exit_code_of(e.why());
    }
    if (o.json)
        std::cout << json::serialize(summary(o, r)) << '\n';
    else
        print_table(o, r);
    return r.interrupted ? exit_code::interrupted : r.code;
}

}  // namespace

void add_bench_command(CLI::App& app, action& run)
{
    auto* const command = app.add_subcommand(
        "bench", "Load for one API, on this machine unless --allow-remote, with tokens that change meanwhile");
    command->footer(R"(Examples:
  jeton bench https://localhost:8443/eth/v0/status --provider alluvial --token-url https://localhost:8443/oauth/token --ca ca.pem
  jeton bench https://localhost:8443/orders --data @order.json --no-auth --in-flight 16 --requests 100000 --http1
  jeton bench https://localhost:8443/status --token-url https://localhost:8443/token --threads 2 --rotate 0.5 --json

The token and the connections are there before the clock starts; what fails then ends the command. Afterwards every failure
and every status from 400 on is counted, and the exit code is that of the first. Ctrl-C ends the load and prints what there
is (exit code 130); a second one ends the command. Without --allow-remote, the API and the token endpoint must be called
localhost, 127.x.x.x or ::1, and localhost must lead here.)");
    auto const options = std::make_shared<bench_options>();
    auto& order = options->order;
    command->add_option("URL", options->url, "whole URL; it is what the token is sent to, whatever --provider says")
        ->required();
    auto* const seconds =
        command->add_option("--seconds", order.seconds, "length of the load (default: 10, or no limit with --requests)")
            ->check(CLI::Range(0.001, 86400.0));
    auto* const requests = command->add_option("--requests", order.requests, "how many")->check(CLI::PositiveNumber);
    command->add_option("--in-flight", order.in_flight, "how many at once (default: 64)")
        ->check(CLI::Range(1, 100'000));
    command
        ->add_option("--threads", order.threads,
                     "threads of the client's, each with connections of its own (default: 1)")
        ->check(CLI::Range(1, 1024));
    command
        ->add_option("--rotate", order.rotate,
                     "seconds after which another token is asked for, ahead of time (default: as tokens age)")
        ->check(CLI::Range(0.1, 86400.0));
    command->add_option("--method", options->method, "default: GET, or POST with --data");
    add_request_options(*command, options->request);
    auto const speaking = [options](http::protocol_choice which) { return [=] { options->protocol = which; }; };
    auto* const http1 = command->add_flag_callback("--http1", speaking(http::protocol_choice::http_1_1),
                                                   "HTTP/1.1 only (default: as the load demands)");
    command->add_flag_callback("--http2", speaking(http::protocol_choice::http_2), "HTTP/2 only")->excludes(http1);
    command->add_flag("--allow-remote", options->allow_remote,
                      "the API or the token endpoint may be on another machine");
    command->add_flag("--json", options->json, "print one JSON object and nothing else");
    add_target_options(*command, options->where);
    command->callback([options, seconds, requests, &run] {
        if (seconds->empty() && requests->empty())
            options->order.seconds = 10;
        run = [options] { return run_bench(*options); };
    });
}

}  // namespace jeton::tool
