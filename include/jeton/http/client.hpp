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
#include <optional>
#include <string>
#include <vector>

namespace jeton::http {

/// How fast an origin is connected to, so that a server that is down or comes back is not run over.
///
/// After a failed attempt there is one at a time, and the next one begins after a pause that doubles from failure to
/// failure, with equal jitter. A request that arrives meanwhile waits if it has the time, and otherwise fails at once with
/// the failure of the last attempt, whose `diag().retry_at` says when the next one is due.
struct dial_policy {
    std::size_t at_once = 16;                               ///< attempts in progress per origin; at least 1
    duration first_pause = std::chrono::milliseconds(100);  ///< greater than zero
    duration longest_pause = std::chrono::seconds(2);       ///< not less than `first_pause`
};

/// What is spoken with servers over TLS, as agreed upon by ALPN (RFC 7301). Over plain http it is HTTP/1.1.
enum class protocol_choice : std::uint8_t {
    http_1_1,  ///< one request at a time on each connection
    http_2,    ///< many on one; a server that does not speak it fails the connection (`net::errc::tls_alpn`)
    /// HTTP/1.1 while fewer than 50 requests are in progress or waiting; from then on connections are made that may
    /// become HTTP/2, if the server speaks it, and are preferred. A server that wants a request over HTTP/1.1
    /// (RFC 9113 §7) is spoken to in HTTP/1.1 alone for ten minutes.
    automatic,
};

struct client_options {
    net::tls_options tls{};  ///< `alpn` is set by `protocol`

    /// A request over HTTP/1.1 costs less, for it needs no header compression; connections cost more.
    protocol_choice protocol = protocol_choice::automatic;

    net::connect_limits connecting{};
    dial_policy dialling{};

    duration queue = std::chrono::seconds(5);        ///< waiting for a connection
    duration first_byte = std::chrono::seconds(30);  ///< from the last byte of the request to the first of the answer
    duration total = std::chrono::seconds(60);       ///< a request whose caller set no deadline

    /// An unused connection is closed after that, or earlier if the server says (`Keep-Alive`) or shows that it keeps
    /// idle ones for a shorter time. Greater than zero.
    duration idle = std::chrono::seconds(60);

    /// A connection is replaced when it is that old, or up to a fifth less, so that those made together do not go
    /// together: what has changed behind a name is noticed. One that is in demand goes on until its successor is there.
    /// 0: no limit.
    duration age = std::chrono::minutes(10);

    /// A connection is replaced after so many requests. 0: no limit; the server may set one (`Keep-Alive`, GOAWAY).
    std::uint64_t requests_per_connection = 0;

    /// Each origin that has been used keeps connections ready for so many requests at once, on top of those under way:
    /// as many with HTTP/1.1, fewer if one carries several. They are made again when the server closes them. 0: none.
    std::size_t ready_per_origin = 0;

    /// Over all origins, attempts included; at least 1. An origin that finds none left gets the place of an idle
    /// connection of another, or of one that is in use as soon as it has done its work, so that each gets its share.
    std::size_t connections = 1024;
    std::size_t connections_per_origin = 64;  ///< at least 1; one more while one is being replaced
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

    std::size_t retired{};              ///< of those that are busy: carry no new request, and go when they are done
    std::uint64_t connects_failed{};    ///< since the beginning
    std::uint32_t failures_in_a_row{};  ///< of connecting; attempts made at the same time count as one
    std::optional<time_point> next_attempt{};  ///< no attempt before that, since the last one failed
    std::optional<failure> last_failure{};     ///< of connecting; may lie long ago
    duration idle_limit{};  ///< after which unused connections are closed; the server's if that is shorter
};

/// Connections to servers, kept and reused. Takes requests with absolute URLs; knows nothing of tokens.
///
/// A handle: requests in flight hold what they need, so it may be destroyed at any moment, which refuses new requests
/// and cancels those in flight. `send`, `warm` and `shut_down` may be called from any thread, the rest on `home`. The context of
/// `home` must outlive it.
class client final : public transport {
public:
    /// \throws std::invalid_argument  an option breaks its rule.
    /// \throws std::runtime_error     the CA certificates cannot be read.
    explicit client(serial home, client_options options = {});

    /// One that shares with another, if their TLS options are the same, the TLS configuration (to read the CA certificates
    /// takes tens of milliseconds) and the sessions to resume; no connections. They may live on different threads, and end
    /// in any order.
    client(serial home, client_options options, client const& beside);
    ~client() override;
    client(client const&) = delete;
    client& operator=(client const&) = delete;

    awaitable<result<response>> send(request what) override;

    /// Refuses new requests (`errc::shut_down`), lets those in flight finish, closes every connection with a
    /// close_notify. Completes when the last one is closed; then nothing of the client's keeps `io.run()` from returning.
    awaitable<void> shut_down();

    /// Has connections made to the origin of `url`, so that `requests` more can be sent at once: one for each with
    /// HTTP/1.1, fewer if one carries several; as far as the limits allow. Completes when they are there, or with the
    /// failure of an attempt, after which the others go on. Unused ones are closed after `client_options::idle`.
    /// Failures: those of connecting; with phase `configure`, `errc::bad_url` and `errc::plain_http`; of phase `queue`,
    /// `errc::timed_out` (after `client_options::total`), `errc::shut_down`, `errc::cancelled` (attempts go on).
    /// From any thread.
    awaitable<result<void>> warm(std::string url, std::size_t requests);

    std::vector<pool_snapshot> snapshot() const;

private:
    friend struct client_access;
    std::shared_ptr<class client_state> state_;
};

}  // namespace jeton::http
