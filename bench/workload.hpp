// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace bench {

/// The same work for every client: `requests` times GET `path` (or POST `json_body()` to it) with a bearer token,
/// `in_flight` of them at once, against the server of `bench/serve`. Over HTTP/1.1 as many connections as are in flight.
struct workload {
    static constexpr char const* host = "localhost";
    static constexpr char const* path = "/api/status";

    std::string port{};
    std::string ca_file{};
    std::uint64_t requests = 0;
    std::uint64_t in_flight = 0;
    bool http_2 = false;
    bool post = false;

    static workload from(int argc, char** argv)
    {
        workload w;
        bool understood = argc >= 5;
        for (int i = 5; i < argc; ++i) {
            std::string_view const word = argv[i];
            w.http_2 = w.http_2 || word == "h2";
            w.post = w.post || word == "post";
            understood = understood && (word == "h2" || word == "post");
        }
        if (understood) {
            w.port = argv[1];
            w.ca_file = argv[2];
            w.requests = std::strtoull(argv[3], nullptr, 10);
            w.in_flight = std::strtoull(argv[4], nullptr, 10);
        }
        if (w.requests == 0 || w.in_flight == 0) {
            std::cerr << "usage: " << argv[0] << " PORT CA_FILE REQUESTS IN_FLIGHT [h2] [post]\n";
            std::exit(2);
        }
        return w;
    }

    std::string authority() const { return std::string(host) + ':' + port; }
};

/// What the server hands out as a token: as long as a usual JWT.
inline std::string bearer_token() { return std::string(800, 't'); }

/// 200 bytes, as an order has them.
inline std::string json_body() { return R"({"order":")" + std::string(188, 'o') + R"("})"; }

/// The request as it stands on the wire, for clients that have no say in it.
inline std::string http_1_1_request(workload const& w)
{
    auto text = std::string(w.post ? "POST " : "GET ") + w.path + " HTTP/1.1\r\nHost: " + w.authority()
                + "\r\nUser-Agent: jeton/0.1.0\r\nAuthorization: Bearer " + bearer_token()
                + "\r\nAccept: application/json\r\n";
    if (!w.post)
        return text + "\r\n";
    auto const body = json_body();
    return text + "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n"
           + body;
}

}  // namespace bench
