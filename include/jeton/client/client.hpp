// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/serial.hpp>
#include <jeton/client/credentials.hpp>
#include <jeton/client/provider.hpp>
#include <jeton/http/client.hpp>
#include <jeton/http/retry.hpp>
#include <jeton/oauth2/sources.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jeton {

class io_threads;

struct client_options {
    http::client_options
        http{};  ///< its `total` is the limit of requests without a deadline, waiting for tokens and resends included
    http::retry_policy retry{};
    oauth2::refresh_policy refresh{};
};

/// What a client is doing. Safe to log.
struct client_snapshot {
    oauth2::token_snapshot token{};
    std::vector<http::pool_snapshot> pools{};
};

/// An OAuth-protected API: `co_await` a request, and the token is acquired, shared, refreshed ahead of time and put on
/// the request, which goes over a pooled, verified TLS connection.
///
/// A composition that can be done by hand: `with_retries(authorized(http::client,
/// with_cache(make_grant_source(...))))`.
///
/// A handle: calls in flight hold what they need, so that destroying the client is legal at any moment; it cancels what
/// is in flight. That happens on `home`, or while nothing runs there; after `shut_down` has completed, anywhere. The
/// context of `home` must outlive the client. All functions but the constructor and `snapshot` may be called from any
/// thread, and answer on the caller's executor.
///
/// On `io_threads` it has a shard on each of the threads: connections of its own over one TLS configuration, and a view of the one
/// token, whose requests the first thread makes. A coroutine on a thread's executor is served by that thread's shard and
/// meets no lock; one from elsewhere by the shard with the least in flight. A shard that nobody uses has no connection and no timer.
/// `connections_per_origin`, `waiting_requests` and the retry policy's `budget_floor` are the client's, and divided among the
/// shards (at least 1 each); the budget itself is a share of each shard's requests. An `observer` is called on all threads, at
/// the same time, and so are a `connector` and a `clock` of your own, each for the shard on whose executor it is. It may
/// be destroyed anywhere and at any moment; the threads must outlive it.
class client {
public:
    /// \throws std::invalid_argument  an option breaks its rule.
    /// \throws std::runtime_error     the CA certificates cannot be read.
    /// \throws jeton::error           the provider breaks a rule: a base or token URL that cannot be used
    ///   (`http::errc::bad_url`, `http::errc::plain_http`, `oauth2::errc::bad_endpoint`), parameters that cannot be
    ///   sent, a path variable that could lead out of the path. Plain http is for this machine only, if
    ///   `http.plain_http_on_loopback` says so, and for its token URL `tokens.plain_http_on_loopback` as well.
    client(serial home, provider api, credentials who, client_options options = {});

    /// As above, on each of the threads.
    client(io_threads& threads, provider api, credentials who, client_options options = {});
    ~client();
    client(client&&) noexcept;
    client& operator=(client&&) noexcept;

    using answer = asio::awaitable<result<http::response>>;

    /// A relative path is appended to the API base: "/balance" on "https://api.example/v1" is "/v1/balance"; a query of
    /// the base URL comes before its own. It cannot leave the base: a "." or ".." segment is refused, however it is
    /// written. An absolute URL leads to the API's origin, to one of `also_trusted`, or, for an anonymous request,
    /// anywhere.
    ///
    /// `{NAME}` in a path is filled in from the provider's path variables, percent-encoded. `{CLIENT_ID}` is the client
    /// id as it was read for the last token request; before the first one, it is read for this purpose, on the caller's
    /// thread.
    ///
    /// Bodies are sent as application/json unless the request says otherwise.
    ///
    /// Failures: those of `http::transport::send` and, with phase `token`, of `oauth2::token_source::get`; see
    /// `authorized`. With phase `configure`, `not_sent`: `http::errc::bad_target` (a path that cannot be used, an
    /// unknown variable), `oauth2::errc::foreign_origin`, and `errc::shut_down`.
    answer send(http::request what);

    /// As `send`. A path may also be given without the slash at its beginning.
    answer get(std::string_view path);
    answer del(std::string_view path);
    answer post(std::string_view path, std::string body);
    answer put(std::string_view path, std::string body);
    answer patch(std::string_view path, std::string body);

    /// Has connections to the API made, so that so many requests can be sent at once; see `http::client::warm`. The
    /// token is not asked for.
    asio::awaitable<result<void>> warm(std::size_t requests);

    /// The token as it would be put on a request now; for what jeton does not carry itself.
    asio::awaitable<result<oauth2::token_ptr>> token(oauth2::token_demand demand = {});

    /// Refuses new requests, lets those in flight finish, ends the refreshing of tokens, closes every connection and
    /// wipes every secret. Then `io.run()` can return. May be called more than once; a caller who is cancelled stops
    /// waiting for the end, which comes all the same.
    /// An answer that has been asked for and not been awaited counts as in flight until it is dropped.
    asio::awaitable<void> shut_down();

    /// On `home` only. On `io_threads`: pools of the same origin are added up; anywhere but on the threads themselves, for
    /// each of which it waits in turn.
    /// \throws std::logic_error  on one of several threads of the client's.
    client_snapshot snapshot() const;

    /// The same from anywhere, and without blocking.
    asio::awaitable<client_snapshot> look() const;

    /// `home`'s. On `io_threads`: the first one's, to which only the token belongs more than to the others.
    asio::any_io_executor const& get_executor() const noexcept;

private:
    friend class client_calls;  // client/async.hpp
    struct state;

    std::shared_ptr<state> state_;
};

}  // namespace jeton
