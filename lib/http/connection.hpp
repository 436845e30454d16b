// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "base/timekeeper.hpp"
#include "http/sansio/keep_alive_hint.hpp"

#include <jeton/http/answer_limits.hpp>
#include <jeton/http/request.hpp>
#include <jeton/http/response.hpp>
#include <jeton/net/stream.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace jeton::http {

using asio::awaitable;

/// What a connection that carries many requests at a time has to keep of one of them.
class exchange_state {
public:
    exchange_state() = default;
    exchange_state(exchange_state const&) = delete;
    exchange_state& operator=(exchange_state const&) = delete;
    virtual ~exchange_state() = default;
};

/// What a connection needs to know to carry one request. Lives in the frame of whoever sends it.
struct exchange_order {
    request const* what = nullptr;   ///< resolved, without a mistake
    std::string_view origin_head{};  ///< of `h1_origin_head`
    time_point begun{};              ///< now
    time_point deadline{};
    duration first_byte{};                    ///< limit, from the end of writing
    std::unique_ptr<exchange_state> state{};  ///< the connection's
};

/// A connection to a server, whatever it speaks: what the pool knows of it.
///
/// Confined to one serial executor. Owned by `shared_ptr`.
class connection {
public:
    /// Who keeps it.
    class keeper {
    public:
        /// It is of no more use, `spent()` says why, and no exchange is going on. It may be destroyed in here.
        virtual void on_spent(connection& which) = 0;

        /// `capacity()` has changed, by the peer's doing or because it is spent. Nothing may be asked of it in here
        /// but what it knows.
        virtual void on_capacity(connection&) {}

    protected:
        ~keeper() = default;
    };

    connection() = default;
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;
    virtual ~connection() = default;

    /// Starts to watch. The keeper hears of an end that comes while no exchange is going on; null: nobody any more.
    virtual void start(asio::any_io_executor const& home) = 0;
    virtual void keep(keeper* who) noexcept = 0;

    /// What an exchange has come to; nothing as long as it goes on.
    using outcome = std::optional<result<response>>;

    /// Sends the request; there are as many exchanges at a time as `capacity()` says. Whoever sends goes on to `wait`,
    /// unless he has been cancelled, and to `proceed` with why he goes on, until there is an outcome: the answer, with the
    /// time of each phase, or the failure. These are three functions, and not a coroutine, since each further frame costs an allocation and a resumption. The
    /// connection must outlive them; `order` must, and stays where it is. Afterwards, ask `spent()`.
    ///
    /// Ends with a failure of phase `write`, `first_byte` or `body`; of delivery `not_sent` exactly if no byte of it was
    /// handed to the kernel or the peer says that it did not look at it, `answered` if an answer began to come. If the connection had carried a request before and
    /// died before the answer, the code is `errc::connection_lost` (RFC 9112 §9.3.1), otherwise that of the network.
    virtual outcome begin(exchange_order& order) = 0;
    virtual awaitable<woken> wait(exchange_order const& order) = 0;
    virtual outcome proceed(exchange_order& order, woken why) = 0;

    /// Why it must not carry another request; null if it may.
    virtual char const* spent() const noexcept = 0;

    /// Looks at the stream, which costs a system call, and says whether another request may be sent.
    virtual bool fit() = 0;

    /// How many more requests it can carry now, and how many at a time: with those that it is carrying.
    virtual std::uint32_t slots() const noexcept = 0;
    virtual std::uint32_t capacity() const noexcept = 0;

    /// Whether the peer has said how many, and not only we have assumed it.
    virtual bool capacity_known() const noexcept { return true; }

    /// How many requests it has carried.
    virtual std::uint64_t requests() const noexcept = 0;
    virtual time_point last_used() const noexcept = 0;

    /// What the peer said about how long it keeps the connection; an answer has been read.
    virtual keep_alive_hint hint() const noexcept { return {}; }

    /// "http/1.1" or "h2" (RFC 7301); lives for ever.
    virtual std::string_view protocol() const noexcept = 0;

    /// Gives back the memory that an idle connection does not need; `tidy()` until it is used again.
    virtual void release_buffers() noexcept = 0;
    virtual bool tidy() const noexcept = 0;

    /// Ends the exchanges that are going on with `why`.
    virtual void abort(failure const& why) = 0;

    /// For an exchange that an exception has ended: it is forgotten, with the connection if need be.
    virtual void break_off() noexcept = 0;

    /// Says good-bye as the protocols want it, without waiting for the peer, and closes. No exchange must be going on.
    virtual void close() noexcept = 0;
};

/// One that speaks what was agreed upon on `bytes` by ALPN; HTTP/1.1 if that was nothing. `timers` must outlive it.
/// With HTTP/2 it carries no more than `at_first` requests at a time until the server has said how many it may.
std::shared_ptr<connection> make_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers,
                                            answer_limits const& limits, std::uint32_t at_first = 1);

}  // namespace jeton::http
