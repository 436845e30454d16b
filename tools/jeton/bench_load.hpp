// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "exit_code.hpp"
#include "latencies.hpp"
#include "live_line.hpp"

#include <jeton/client/client.hpp>
#include <jeton/http/request.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace jeton::tool {

struct load_order {
    double seconds = std::numeric_limits<double>::infinity();            ///< no request begins after that
    std::uint64_t requests = std::numeric_limits<std::uint64_t>::max();  ///< no more than that
    int in_flight = 64;
    int threads = 1;    ///< not more than are in flight
    double rotate = 0;  ///< ask for another token each so many seconds; 0: as tokens age
    bool with_token = true;
};

/// What came of a load, connections made and token asked for beforehand.
struct load_report {
    double seconds = 0;
    double cpu_seconds = 0;  ///< user and system, of this process
    std::uint64_t requests = 0;
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> failures{};  ///< by condition, code or status
    std::string first_failure{};
    exit_code code = exit_code::ok;  ///< the first failure's
    std::uint64_t given_up = 0;      ///< on their way when the user interrupted, and not waited for
    bool interrupted = false;
    latencies took{};
    std::uint64_t resent = 0;

    std::uint64_t tokens = 0;              ///< the first one included
    std::uint64_t token_failures = 0;      ///< token requests
    std::uint64_t callers_who_waited = 0;  ///< for a token, after the first

    /// From the beginning, those to the token endpoint included.
    std::uint64_t connections = 0;
    std::uint64_t http2_connections = 0;
    std::uint64_t handshakes = 0;
    std::uint64_t resumed = 0;  ///< of the handshakes

    double requests_per_second() const { return seconds > 0 ? static_cast<double>(requests) / seconds : 0; }
    double cpu_us_per_request() const { return requests ? cpu_seconds * 1e6 / static_cast<double>(requests) : 0; }
};

/// Drives one API from threads of its own until the order is filled or the user interrupts; a second interruption ends the
/// process. Latency is from the moment a request could begin.
///
/// \throws jeton::error  the first token or the first connections could not be had.
load_report drive(provider const& api, credentials const& who, client_options options, http::request const& what,
                  load_order const& order, live_line& live);

}  // namespace jeton::tool
