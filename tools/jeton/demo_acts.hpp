// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "latencies.hpp"
#include "live_line.hpp"

#include <jeton/base/serial.hpp>
#include <jeton/http/client.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace jeton::tool {

struct demo_options {
    int callers = 10'000;
    double seconds = 10;
    int in_flight = 64;
    std::size_t connections = 1024;  ///< at most
    http::protocol_choice protocol = http::client_options().protocol;
};

/// Everybody finds the token expired at the same moment.
struct stampede_result {
    int callers = 0;
    std::uint64_t token_requests = 0;
    int served = 0;
    duration token_round_trip{};
    duration last_served{};  ///< after the expiry
};

/// Requests without a pause, over tokens that live two seconds.
struct load_result {
    double seconds = 0;
    int in_flight = 0;
    std::uint64_t requests = 0;
    std::uint64_t failed = 0;
    latencies took{};
    std::uint64_t tokens = 0;
    std::uint64_t callers_who_waited = 0;  ///< after the first token
    std::uint64_t connections = 0;
    std::uint64_t handshakes = 0;
    std::uint64_t resumed = 0;         ///< of the handshakes
    std::uint64_t h2_connections = 0;  ///< of the handshakes, those that agreed on HTTP/2

    double requests_per_second() const { return seconds > 0 ? static_cast<double>(requests) / seconds : 0; }
};

/// The token endpoint goes down while a token is alive, and comes back.
struct outage_result {
    std::uint64_t requests = 0;
    std::uint64_t failed = 0;
    std::uint64_t token_requests = 0;  ///< tried while it was down
    duration down{};
    duration recovered{};  ///< from the endpoint's return to the next token
};

/// What an act promised and did not keep; empty if all is well.
std::vector<std::string> broken_promises(stampede_result const& r);
std::vector<std::string> broken_promises(load_result const& r);
std::vector<std::string> broken_promises(outage_result const& r);

/// Each act has a sandbox and a client of its own. They run on `home`, as their caller does.
asio::awaitable<stampede_result> stampede(serial home, demo_options options, live_line& live);
asio::awaitable<load_result> sustained_load(serial home, demo_options options, live_line& live);
asio::awaitable<outage_result> outage(serial home, demo_options options, live_line& live);

}  // namespace jeton::tool
