// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "net/tls_context.hpp"
#include "net/tls_stream.hpp"
#include "support/run.hpp"
#include "testing/certificates.hpp"

#include <jeton/net/error.hpp>
#include <jeton/testing/memory_stream.hpp>

#include <asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::testing {

/// Made once: keys cost time.
inline certificate_authority const& test_root()
{
    static auto const root = certificate_authority::make("test root");
    return root;
}

inline certificate_request for_names(std::vector<std::string> names)
{
    certificate_request request;
    request.names = std::move(names);
    return request;
}

inline std::shared_ptr<net::tls_context> server_for(issued_certificate const& certificate,
                                                    std::vector<std::string> alpn = {"http/1.1"})
{
    return net::tls_context::server(certificate.chain, certificate.key, std::move(alpn));
}

inline std::shared_ptr<net::tls_context> ordinary_server()
{
    static auto const certificate = test_root().issue(for_names({"api.example"}));
    return server_for(certificate);
}

inline std::shared_ptr<net::tls_context const> client_that_trusts(certificate_authority const& root,
                                                                  std::vector<std::string> alpn = {"http/1.1"})
{
    net::tls_options options;
    options.ca_pem = root.pem();
    options.alpn = std::move(alpn);
    return net::tls_context::client(options);
}

inline std::shared_ptr<net::tls_context const> ordinary_client()
{
    static auto const context = client_that_trusts(test_root());
    return context;
}

/// A client and a server with TLS between them, in memory. The lower streams stay at hand.
struct tls_pair {
    explicit tls_pair(std::shared_ptr<net::tls_context> server_context = ordinary_server(),
                      std::string const& host = "api.example",
                      std::shared_ptr<net::tls_context const> client_context = ordinary_client())
    {
        auto joined = memory_stream::make_pair(io.get_executor());
        below_client = joined.first.get();
        below_server = joined.second.get();
        client = std::make_unique<net::tls_stream>(std::move(joined.first), std::move(client_context), host);
        server = std::make_unique<net::tls_stream>(std::move(joined.second), std::move(server_context));
    }

    /// Both sides at once. Afterwards the client has whatever the server said after its handshake.
    void shake_hands()
    {
        started<result<void>> c(io, client->handshake());
        started<result<void>> s(io, server->handshake());
        settle(io);
        if (!c.done() || !s.done()) {  // the other has given up
            if (c.done())
                client->close();
            settle(io);
        }
        BOOST_REQUIRE(c.done());
        BOOST_REQUIRE(s.done());
        client_result = c.outcome();
        server_result = s.outcome();
    }

    std::error_code client_error() const { return client_result ? std::error_code() : client_result.error().code(); }

    /// Everything that one side can read now.
    static std::string read_all(net::stream& from, std::error_code& error)
    {
        std::string all;
        char buffer[4096];
        for (;;) {
            auto const m = from.read_some(buffer);
            if (m.bytes == 0) {
                error = m.error;
                return all;
            }
            all.append(buffer, m.bytes);
        }
    }

    asio::io_context io{1};
    memory_stream* below_client = nullptr;
    memory_stream* below_server = nullptr;
    std::unique_ptr<net::tls_stream> client{};
    std::unique_ptr<net::tls_stream> server{};
    result<void> client_result{};
    result<void> server_result{};
};

}  // namespace jeton::testing
