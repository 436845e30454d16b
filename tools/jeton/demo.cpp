// SPDX-License-Identifier: BSL-1.0
#include "commands.hpp"
#include "demo_acts.hpp"
#include "descriptors.hpp"
#include "report.hpp"
#include "session.hpp"
#include "target.hpp"

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

namespace jeton::tool {

namespace json = boost::json;

namespace {

struct command_options {
    demo_options acts{};
    target where{};
    bool json = false;
};

struct figures {
    stampede_result stampede{};
    load_result load{};
    outage_result outage{};
};

double milliseconds(duration d) { return static_cast<double>(d.count() / 1000) / 1000; }

json::object summary(figures const& f)
{
    auto const& s = f.stampede;
    auto const& l = f.load;
    auto const& o = f.outage;
    json::object stampede{{"callers", s.callers},
                          {"token_requests", s.token_requests},
                          {"served", s.served},
                          {"token_round_trip_ms", milliseconds(s.token_round_trip)},
                          {"last_served_ms", milliseconds(s.last_served)}};
    json::object load{{"seconds", l.seconds},
                      {"in_flight", l.in_flight},
                      {"requests", l.requests},
                      {"failed", l.failed},
                      {"requests_per_second", l.requests_per_second()},
                      {"p50_us", l.took.percentile_us(0.5)},
                      {"p99_us", l.took.percentile_us(0.99)},
                      {"p999_us", l.took.percentile_us(0.999)},
                      {"tokens", l.tokens},
                      {"callers_who_waited", l.callers_who_waited},
                      {"connections", l.connections},
                      {"handshakes", l.handshakes},
                      {"resumed_handshakes", l.resumed},
                      {"http2_connections", l.h2_connections}};
    json::object outage{{"requests", o.requests},
                        {"failed", o.failed},
                        {"token_requests", o.token_requests},
                        {"recovered_ms", milliseconds(o.recovered)}};
    return {{"stampede", std::move(stampede)}, {"load", std::move(load)}, {"outage", std::move(outage)}};
}

void row(std::string_view act, std::string_view what, std::string const& value, std::string_view promise = "")
{
    std::cout << "  " << std::left << std::setw(16) << act << std::setw(46) << what << std::right << std::setw(14)
              << value << (promise.empty() ? "" : "   ") << promise << '\n';
}

void print_table(figures const& f)
{
    auto const number = [](auto n) { return std::to_string(n); };
    auto const whole = [](double d) { return std::to_string(static_cast<long long>(d)); };
    auto const us = [](std::uint64_t n) { return std::to_string(n) + " us"; };
    auto const& s = f.stampede;
    auto const& l = f.load;
    auto const& o = f.outage;

    std::cout << '\n';
    row("Stampede", "callers who find the token expired", number(s.callers));
    row("", "token requests", number(s.token_requests), "promised: 1");
    row("", "callers served", number(s.served), "promised: all");
    row("", "token round trip", readable(s.token_round_trip));
    row("", "from expiry to the last one served", readable(s.last_served), "promised: round trip + 50 ms");
    row("Sustained load", "requests per second, " + number(l.in_flight) + " in flight", whole(l.requests_per_second()));
    row("", "p50 / p99 / p99.9",
        us(l.took.percentile_us(0.5)) + " / " + us(l.took.percentile_us(0.99)) + " / "
            + us(l.took.percentile_us(0.999)));
    row("", "tokens used, each valid for 2 s", number(l.tokens));
    row("", "callers who waited for a token after the first", number(l.callers_who_waited), "promised: 0");
    row("", "connections, of them HTTP/2", number(l.connections) + ", " + number(l.h2_connections));
    row("", "TLS handshakes, of them resumed", number(l.handshakes) + ", " + number(l.resumed));
    row("", "failed requests", number(l.failed), "promised: 0");
    row("Outage", "token endpoint down for", readable(o.down));
    row("", "requests meanwhile", number(o.requests));
    row("", "failed requests", number(o.failed), "promised: 0");
    row("", "token requests tried", number(o.token_requests), "paced");
    row("", "time to recover", readable(o.recovered));
}

asio::awaitable<figures> all_acts(serial home, demo_options options, live_line& live)
{
    figures f;
    f.stampede = co_await stampede(home, options, live);
    f.load = co_await sustained_load(home, options, live);
    f.outage = co_await outage(home, options, live);
    co_return f;
}

// Client and server are in this process, so the limit is met twice as early as one may think.
void fit_connections(demo_options& acts)
{
    auto const room = room_for_loopback_connections();
    // Over HTTP/2, requests share connections.
    auto const needed =
        acts.protocol == http::protocol_choice::http_2 ? std::size_t(1) : static_cast<std::size_t>(acts.in_flight);
    if (needed > room)
        throw usage_error("--in-flight " + std::to_string(needed) + " is more than this system lets a process open ("
                          + std::to_string(room) + " at most; see ulimit -Hn)");
    acts.connections = std::min(std::max(acts.connections, needed), room);
}

exit_code run_acts(command_options options)
{
    fit_connections(options.acts);
    asio::io_context io(1);
    live_line live(options.json);
    std::optional<figures> done;
    std::exception_ptr failed;

    asio::signal_set stop(io, SIGINT, SIGTERM);
    stop.async_wait([&](std::error_code e, int) {
        if (!e)
            io.stop();
    });
    asio::co_spawn(io, all_acts(serial(io), options.acts, live), [&](std::exception_ptr e, figures f) {
        failed = e;
        if (!e)
            done = std::move(f);
        io.stop();
    });
    io.run();
    if (failed)
        std::rethrow_exception(failed);
    if (!done)
        return exit_code::interrupted;

    if (options.json)
        std::cout << json::serialize(summary(*done)) << '\n';
    else
        print_table(*done);

    auto kept = true;
    for (auto const& broken :
         {broken_promises(done->stampede), broken_promises(done->load), broken_promises(done->outage)})
        for (auto const& promise : broken) {
            std::cerr << "jeton: not as promised: " << promise << '\n';
            kept = false;
        }
    return kept ? exit_code::ok : exit_code::internal;
}

// What a request without side effects asks each of the real systems for.
std::string harmless_path(std::string const& provider)
{
    if (provider == "alluvial")
        return "/eth/v0/status";
    if (provider == "datacrunch")
        return "/balance";
    return "/accounts/{CLIENT_ID}/orders";
}

asio::awaitable<exit_code> one_request(client& api, command_options const& options)
{
    auto const answer = co_await api.get(harmless_path(options.where.provider_name));
    if (!answer) {
        if (options.json)
            std::cout << json::serialize(to_json(answer.error())) << '\n';
        else
            std::cerr << "jeton: " << explain(answer.error()) << '\n';
        co_return exit_code_of(answer.error());
    }
    if (options.json)
        std::cout << json::serialize(to_json(*answer)) << '\n';
    else
        std::cout << "one token, in " << readable(answer->phases().token) << "; one request, answered with "
                  << answer->status() << " after " << readable(answer->phases().first_byte) << ":\n"
                  << answer->text() << '\n';
    co_return exit_code_of(answer->status());
}

}  // namespace

void add_demo_command(CLI::App& app, action& run)
{
    auto* const command =
        app.add_subcommand("demo", "Three acts against a server of its own; or one request to a real system");
    auto const options = std::make_shared<command_options>();
    command->add_option("--seconds", options->acts.seconds, "length of the load (default: 10)")
        ->check(CLI::Range(1.0, 3600.0));
    command->add_option("--in-flight", options->acts.in_flight, "requests at once under load (default: 64)")
        ->check(CLI::Range(1, 100'000));
    command->add_option("--callers", options->acts.callers, "how many meet the expired token (default: 10000)")
        ->check(CLI::Range(1, 10'000'000));
    auto const speaking = [options](http::protocol_choice which) { return [=] { options->acts.protocol = which; }; };
    auto* const http1 = command->add_flag_callback("--http1", speaking(http::protocol_choice::http_1_1),
                                                   "HTTP/1.1 only (default: as the load demands)");
    command->add_flag_callback("--http2", speaking(http::protocol_choice::http_2), "HTTP/2 only")->excludes(http1);
    command->add_flag("--json", options->json, "print one JSON object and nothing else");
    add_target_options(*command, options->where);
    command->callback([options, &run] {
        run = [options] {
            if (options->where.provider_name.empty())
                return run_acts(*options);
            auto const api = provider_of(options->where, true);
            return with_client(api, credentials_of(options->where, api), client_options_of(options->where),
                               [&](client& c) { return one_request(c, *options); });
        };
    });
}

}  // namespace jeton::tool
