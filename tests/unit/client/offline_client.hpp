// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/client/client.hpp>
#include <jeton/providers/restoration.hpp>
#include <jeton/testing/manual_clock.hpp>

#include "support/run.hpp"
#include "unit/client/memory_server.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace jeton::testing {

/// A client of the Restoration API whose servers are in memory and whose clock is the test's.
struct offline_client {
    asio::io_context io;
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    std::shared_ptr<memory_server> server = std::make_shared<memory_server>(io);
    int tokens = 0;
    int identity_reads = 0;
    bool token_endpoint_hangs = false;
    bool api_hangs = false;
    std::optional<client> api{};

    using call_type = started<result<http::response>>;
    std::deque<call_type> calls{};

    offline_client()
    {
        server->answers([this](memory_server::asked const& r) -> std::string {
            if (r.target == "/base/authenticate") {
                if (token_endpoint_hangs)
                    return {};
                return memory_server::answer(200,
                                             "{\"access_token\":\"gold" + std::to_string(++tokens)
                                                 + "\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
                                             "Content-Type: application/json\r\nCache-Control: no-store\r\n");
            }
            return api_hangs ? std::string() : memory_server::answer(200, "{\"at\":\"" + r.target + "\"}");
        });
    }

    ~offline_client()
    {
        api.reset();
        server->settle();
    }

    provider data() const { return restoration("https://trees.example/base"); }

    credentials who()
    {
        return credentials::from([this]() -> result<oauth2::client_identity> {
            ++identity_reads;
            return oauth2::client_identity{.id = "me/1", .key = secret("hunter2")};
        });
    }

    client_options options() const
    {
        client_options o;
        o.http.connector = server;
        o.http.time = time;
        return o;
    }

    client& make() { return make(data(), options()); }
    client& make(provider p, client_options o) { return api.emplace(serial(io), std::move(p), who(), std::move(o)); }

    call_type& start(client::answer op) { return calls.emplace_back(io, std::move(op)); }
    result<http::response> const& finish(client::answer op)
    {
        auto& c = start(std::move(op));
        server->settle();
        BOOST_REQUIRE(c.done());
        return c.outcome();
    }
};

}  // namespace jeton::testing
