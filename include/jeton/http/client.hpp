// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/clock.hpp>
#include <jeton/base/observer.hpp>
#include <jeton/base/serial.hpp>
#include <jeton/http/answer_limits.hpp>
#include <jeton/http/transport.hpp>
#include <jeton/net/connector.hpp>
#include <jeton/net/tls.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace jeton::http {

struct client_options {
    net::tls_options tls{};
    net::connect_limits connecting{};

    duration queue = std::chrono::seconds(5);        ///< waiting for a connection
    duration first_byte = std::chrono::seconds(30);  ///< from the last byte of the request to the first of the answer
    duration total = std::chrono::seconds(60);       ///< a request whose caller set no deadline
    duration idle = std::chrono::seconds(60);        ///< an unused connection is closed after that

    std::size_t connections_per_origin = 64;  ///< at least 1
    std::size_t waiting_requests = 16384;     ///< per origin; more are refused at once (`errc::queue_full`)
    answer_limits answers{};

    /// Allows `http://` to addresses of this machine, for tests. To any other host it is always refused.
    bool plain_http_on_loopback = false;

    std::string user_agent = "jeton/0.1.0";  ///< empty: none is sent

    std::shared_ptr<clock> time{};                ///< null: the machine's
    std::shared_ptr<observer> watcher{};          ///< null: nobody
    std::shared_ptr<net::connector> connector{};  ///< null: TCP and TLS; for tests
};

/// What a pool is doing, for one origin.
struct pool_snapshot {
    std::string origin{};
    std::size_t idle{}, busy{}, dialling{}, waiting{};
    std::uint64_t connections_made{};  ///< since the beginning
    std::uint64_t requests{};          ///< since the beginning
};

/// Connections to servers, kept and reused. Takes requests with absolute URLs; knows nothing of tokens.
///
/// A handle: requests in flight hold what they need, so it may be destroyed at any moment, which refuses new requests
/// and cancels those in flight. `send` and `shut_down` may be called from any thread, the rest on `home`. The context of
/// `home` must outlive it.
class client final : public transport {
public:
    /// \throws std::invalid_argument  an option breaks its rule.
    /// \throws std::runtime_error     the CA certificates cannot be read.
    explicit client(serial home, client_options options = {});
    ~client() override;
    client(client const&) = delete;
    client& operator=(client const&) = delete;

    awaitable<result<response>> send(request what) override;

    /// Refuses new requests (`errc::shut_down`), lets those in flight finish, closes every connection with a
    /// close_notify. Completes when the last one is closed; then nothing of the client's keeps `io.run()` from returning.
    awaitable<void> shut_down();

    std::vector<pool_snapshot> snapshot() const;

private:
    std::shared_ptr<class client_state> state_;
};

}  // namespace jeton::http
