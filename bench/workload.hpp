// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace bench {

/// The same work for every client: `requests` times GET `path` with a bearer token, `in_flight` of them at once, against
/// the server of `bench/serve`.
struct workload {
    static constexpr char const* host = "localhost";
    static constexpr char const* path = "/api/status";

    std::string port{};
    std::string ca_file{};
    std::uint64_t requests = 0;
    std::uint64_t in_flight = 0;
    bool http_2 = false;

    static workload from(int argc, char** argv)
    {
        bool const http_2 = argc == 6 && argv[5] == std::string_view("h2");
        if (argc != 5 && !http_2) {
            std::cerr << "usage: " << argv[0] << " PORT CA_FILE REQUESTS IN_FLIGHT [h2]\n";
            std::exit(2);
        }
        return {argv[1], argv[2], std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10), http_2};
    }
};

/// What the server hands out as a token: as long as a usual JWT.
inline std::string bearer_token() { return std::string(800, 't'); }

}  // namespace bench
