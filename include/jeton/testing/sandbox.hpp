// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/clock.hpp>
#include <jeton/client/client.hpp>
#include <jeton/testing/fault.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::testing {

struct sandbox_options {
    std::uint16_t port = 0;          ///< on 127.0.0.1; 0: one that is free
    std::string host = "localhost";  ///< what its URLs name: "localhost", "127.0.0.1" or one of `names`

    /// Names that its certificate bears besides localhost and 127.0.0.1.
    std::vector<std::string> names{};

    /// Protocols that it agrees to by ALPN, preferred first: "h2", "http/1.1" or both. A client that asks for none of them
    /// gets HTTP/1.1 if that is among them, and is hung up on otherwise.
    std::vector<std::string> protocols{"h2", "http/1.1"};

    std::uint32_t max_streams = 100;  ///< SETTINGS_MAX_CONCURRENT_STREAMS of HTTP/2 connections; 0 is allowed

    duration token_lifetime = std::chrono::hours(1);  ///< whole seconds in the answer, rounded down; greater than zero
    std::size_t token_size = 800;                     ///< characters, at least; a JWT has some 300 in any case
    duration token_latency{};                         ///< every token answer takes that long
    duration api_latency{};                           ///< every other answer does

    /// A connection is closed after so many answers without being told in advance; 0: never. Over HTTP/2, that request is
    /// followed by a GOAWAY with it as the last stream.
    std::uint64_t requests_per_connection = 0;

    /// A connection on which nothing is asked for so long is closed, over HTTP/2 with a GOAWAY; zero: never.
    duration idle{};

    std::size_t log_size = 4096;  ///< requests that `requests()` can tell about; the oldest go first

    std::shared_ptr<clock> time{};  ///< null: the machine's. A manual clock expires tokens, latencies and `idle`.
};

/// What a sandbox has counted since its beginning or the last `reset_counters()`.
struct sandbox_counters {
    std::uint64_t token_requests = 0;  ///< to the token endpoint, whatever came of them; refreshes included
    std::uint64_t refreshes = 0;       ///< of those, with a refresh token
    std::uint64_t tokens_issued = 0;
    std::uint64_t most_token_requests_at_once = 0;
    std::uint64_t api_requests = 0;  ///< all others
    std::uint64_t unauthorized = 0;  ///< of those, answered with 401
    std::uint64_t rejected = 0;      ///< what is no proper HTTP/1.1 or HTTP/2, or not for this host; not in the others
    std::uint64_t refused =
        0;  ///< of `token_requests` and `api_requests`, those that were not carried out: REFUSED_STREAM,
            ///< HTTP_1_1_REQUIRED, or above a GOAWAY's last stream

    // Of the whole sandbox, whichever provider was asked for.
    std::uint64_t connections = 0;       ///< accepted
    std::uint64_t handshakes = 0;        ///< of those, that spoke TLS to the end of the handshake
    std::uint64_t resumed = 0;           ///< of the handshakes, those that took up an earlier TLS session
    std::uint64_t h2_connections = 0;    ///< of the handshakes, those that agreed on HTTP/2
    std::uint64_t open_connections = 0;  ///< now

    // Of HTTP/2 connections.
    std::uint64_t streams = 0;               ///< opened by clients
    std::uint64_t most_streams_at_once = 0;  ///< on one connection
    std::uint64_t streams_over_limit =
        0;  ///< opened beyond the limit by a client that cannot know it yet; not in `streams`
    std::uint64_t streams_cancelled = 0;  ///< ended by a client's RST_STREAM
};

/// A request that reached a sandbox. Holds no secret.
struct seen_request {
    std::uint64_t connection = 0;  ///< number of the connection, from 1
    std::uint32_t stream = 0;      ///< on which it came over HTTP/2; 0: it came over HTTP/1.1
    time_point at{};               ///< on the sandbox's clock
    std::string provider{};        ///< empty: none of them
    std::string method{};
    std::string target{};         ///< path and query
    std::string grant{};          ///< grant_type of a token request
    std::uint64_t body_hash = 0;  ///< equal for equal bodies within one run; 0 for token requests
    int status = 0;               ///< of the answer, also if it was not sent; 0: it was refused, not carried out
};

/// Names a fault that has been ordered.
enum class fault_order : std::uint64_t {};

/// An HTTPS server in this process that plays the three providers over real TLS, strictly where they are strict, counts
/// what reaches it, and breaks to order.
///
///     sandbox world;
///     client api(serial(io), world.datacrunch(), world.credentials_for("datacrunch"), world.options());
///
/// Listens on 127.0.0.1, with a certificate made for this run and a thread of its own: nothing needs to be set up.
/// - *alluvial*: token endpoint of the Auth0 kind (JSON only, the right audience, no refresh token); status, protocol, wallets,
///   rewards with cursors, platform accounts.
/// - *datacrunch*: access and refresh token (JSON); each refresh token works once; balance, instances.
/// - *restoration*: form only; everything lies under the client's own account; orders with pages.
///
/// Every member function may be called from any thread. The destructor ends every connection and joins the thread.
class sandbox {
public:
    /// \throws std::system_error      the port is taken.
    /// \throws std::invalid_argument  an option breaks its rule.
    explicit sandbox(sandbox_options options = {});
    ~sandbox();
    sandbox(sandbox const&) = delete;
    sandbox& operator=(sandbox const&) = delete;

    /// Ends every connection (close_notify) and joins the thread; counters and log stay. Idempotent.
    void stop();

    // What a client needs.

    /// The library's own presets, with the sandbox's URLs in place of the real ones.
    provider alluvial() const;
    provider datacrunch() const;
    provider restoration() const;

    /// \throws std::invalid_argument  no such provider.
    provider provider_named(std::string_view name) const;
    static std::vector<std::string> provider_names();

    /// Of the one client that the provider knows, made up anew for each sandbox. They are read at each token request, so
    /// that a client made from them follows `rotate_secret`. They hold on to nothing of the sandbox's but the secret.
    /// \throws std::invalid_argument  no such provider.
    credentials credentials_for(std::string_view name) const;

    /// The same as plain values, at this moment.
    oauth2::client_identity identity_of(std::string_view name) const;

    /// Certificate of the CA that signed the server's.
    std::string const& ca_pem() const noexcept;
    void write_ca_file(std::filesystem::path const& file) const;  ///< \throws std::system_error

    /// Default options that trust the sandbox.
    client_options options() const;

    std::uint16_t port() const noexcept;

    // What has happened.

    /// Of one provider, or of all.
    sandbox_counters counters(std::string_view provider = {}) const;
    void reset_counters();

    /// How often a request with that method and target path (with the provider's prefix, without query) has come.
    std::uint64_t seen(std::string_view method, std::string_view path) const;

    /// Of all requests with that method that are no token requests, how often the most frequent one (same path, same
    /// body) has come: 1 if nothing was sent twice. Those that were refused, and may be sent again, do not count.
    std::uint64_t most_repeated(std::string_view method) const;

    /// The latest ones, oldest first.
    std::vector<seen_request> requests() const;

    /// Blocks until `enough` says so of the counters of all providers; asked again after every request.
    /// \returns whether it did within `limit`, which passes in real time.
    bool wait_until(std::function<bool(sandbox_counters const&)> enough, std::chrono::milliseconds limit) const;

    // Tokens and clients.

    void revoke_all_tokens();                   ///< access and refresh tokens of all providers, as of now
    bool revoke_token(std::string_view token);  ///< an access or refresh token. \returns whether there was one
    void rotate_secret(std::string_view name);  ///< the old one is refused from now on; tokens stay
    void set_token_lifetime(duration d);        ///< of tokens issued from now on
    void set_token_latency(duration d);
    void set_api_latency(duration d);

    // Faults. Each request meets at most one: the first in the order of ordering that matches and is not used up.

    fault_order on_token_request(fault what);
    fault_order on_api_request(fault what);

    /// For connections, before TLS: `delay`, `hang`, `reset`, `close` and `raw` are obeyed, and for what comes later, if it
    /// is HTTP/2, `max_streams` and `no_window_updates`. Filters are not looked at.
    fault_order on_connection(fault what);

    /// How often it has struck.
    std::uint64_t struck(fault_order which) const;
    void clear(fault_order which);
    void clear_faults();  ///< every one

    /// Every token request is answered like that, before all other faults, until `token_endpoint_up()`.
    void token_endpoint_down(fault how = fault().status(503));
    void token_endpoint_up();

    /// Whether every access token is answered with 401 `invalid_token`.
    void refuse_every_token(bool yes);

    void set_requests_per_connection(std::uint64_t n);  ///< as in the options
    void set_max_streams(std::uint32_t n);              ///< as in the options, of open connections as well
    void close_connections();                           ///< all that are open, without being told in advance
    void reset_connections();                           ///< the same with RST

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace jeton::testing
