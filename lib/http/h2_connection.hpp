// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "base/timekeeper.hpp"
#include "http/connection.hpp"
#include "http/sansio/h2_request_writer.hpp"
#include "http/sansio/h2_session.hpp"
#include "http/wire_buffer.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace jeton::http {

/// One HTTP/2 connection: carries many requests at a time. The hands of `h2_session`.
///
/// One coroutine waits for the stream to become readable, as long as the connection lives, and does all reading: whatever
/// records are there are fed to the session, and those whose answers are complete are woken. They and whoever else has a request in
/// the same turn of the loop find its frames collected and written at the end of the turn, in one go:
///
///     readable -> [read, feed]* -> woken: answers are handed out, new requests submitted -> flush: one write
///
/// A request's body that the peer has no window for stays where it is. Cancelling a request, or its deadline, ends its
/// stream and nothing else.
///
/// Confined to one serial executor.
class h2_connection final : public connection, public std::enable_shared_from_this<h2_connection> {
public:
    /// `timers` must outlive every exchange.
    h2_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers, h2_limits const& limits);
    ~h2_connection() override;

    void start(asio::any_io_executor const& home) override;
    void keep(keeper* who) noexcept override { keeper_ = who; }
    outcome begin(exchange_order& order) override;
    awaitable<woken> wait(exchange_order const& order) override;
    outcome proceed(exchange_order& order, woken why) override;
    char const* spent() const noexcept override { return spent_; }
    bool fit() override;
    std::uint32_t slots() const noexcept override { return spent_ == nullptr ? session_.slots() : 0; }
    std::uint32_t capacity() const noexcept override { return session_.capacity(); }
    bool capacity_known() const noexcept override { return session_.capacity_known(); }
    std::uint64_t requests() const noexcept override { return requests_; }
    time_point last_used() const noexcept override { return last_used_; }
    std::string_view protocol() const noexcept override { return "h2"; }
    void release_buffers() noexcept override;
    bool tidy() const noexcept override { return tidy_; }
    void abort(failure const& why) override;
    void break_off() noexcept override;
    void close() noexcept override;

private:
    class call;
    class alarm final : public timer {
    public:
        explicit alarm(h2_connection& owner) noexcept : owner_(owner) {}
        void on_due() override;

    private:
        h2_connection& owner_;
    };

    static awaitable<void> watch(std::shared_ptr<h2_connection> self);
    static awaitable<void> wait_writable(std::shared_ptr<h2_connection> self);
    bool read();
    void hear(std::span<h2_session::event const> events, time_point now);
    void begin_answer(call& of, h2_session::event const& head, time_point now);
    void starve(call& of, time_point now);
    void flush_later();
    void flush();
    bool write_out();
    void lose(std::error_code error, char const* why);
    void look_after();
    void tell_capacity();
    void spend(char const* why) noexcept;
    delivery delivered(call const& of, bool given_up) const noexcept;
    failure explain(call const& of, phase where) const;
    failure give_up(call& of, std::error_code code, phase where, std::string ours);
    result<response> conclude(call& of, exchange_order const& order);
    void finish(call& of) noexcept;

    std::unique_ptr<net::stream> stream_;
    timekeeper& timers_;
    asio::any_io_executor home_{};
    keeper* keeper_ = nullptr;
    h2_session session_;
    h2_request_writer writer_{};
    wire_buffer in_{};
    wire_buffer out_{};
    alarm alarm_{*this};
    char const* spent_ = nullptr;
    std::optional<failure> aborted_{};
    std::error_code lost_{};          // what the stream ended with
    std::uint64_t handed_out_ = 0;    // bytes of ours that the stream has taken
    std::uint64_t perhaps_sent_ = 0;  // and those of which the kernel may have seen something
    std::uint64_t requests_ = 0;      // answered
    std::uint64_t begun_ = 0;
    std::uint32_t running_ = 0;        // exchanges
    std::uint32_t told_capacity_ = 0;  // the keeper
    bool told_known_ = false;          // that it is the peer's
    time_point last_used_{};
    bool flush_due_ = false;
    bool blocked_ = false;  // somebody waits for the stream to take more
    bool mute_ = false;     // nothing more is sent
    bool wipe_out_ = false;
    bool tidy_ = false;  // the TLS handshake left buffers
    bool closed_ = false;
};

}  // namespace jeton::http
