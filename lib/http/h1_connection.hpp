// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "base/timekeeper.hpp"
#include "http/connection.hpp"
#include "http/response_builder.hpp"
#include "http/sansio/h1_response_decoder.hpp"
#include "http/wire_buffer.hpp"

#include <jeton/http/answer_limits.hpp>
#include <jeton/http/request.hpp>
#include <jeton/http/response.hpp>
#include <jeton/net/stream.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace jeton::http {

/// One HTTP/1.1 connection: carries one request after the other.
///
/// A single coroutine waits for the stream to become readable, as long as the connection lives, and does all reading:
/// while an exchange is going on it feeds the decoder and wakes the requester when the answer is there; in between it
/// watches for the end, and for bytes that nobody asked for. So nothing is cancelled and armed anew for a request.
///
///         exchange()               answer complete or failed            exchange() returns
///   idle -----------> exchanging ---------------------------> settled -------------------> idle, or of no more use
///
/// Confined to one serial executor.
class h1_connection final : public connection, public std::enable_shared_from_this<h1_connection> {
public:
    /// `timers` must outlive every exchange.
    h1_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers, answer_limits const& limits);
    ~h1_connection() override;

    void start(asio::any_io_executor const& home) override;
    void keep(keeper* who) noexcept override { keeper_ = who; }
    awaitable<result<response>> exchange(exchange_order const& order) override;
    char const* spent() const noexcept override { return spent_; }  ///< RFC 9112 §9.3, §9.6
    bool fit() override;                                            ///< RFC 9112 §9.2
    std::uint32_t slots() const noexcept override { return spent_ == nullptr && state_ == state::idle ? 1 : 0; }
    std::uint32_t capacity() const noexcept override
    {
        return spent_ == nullptr || state_ == state::exchanging ? 1 : 0;
    }
    std::uint64_t requests() const noexcept override { return requests_; }
    time_point last_used() const noexcept override { return last_used_; }
    keep_alive_hint hint() const noexcept override { return decoder_.hint(); }
    std::string_view protocol() const noexcept override { return "http/1.1"; }
    void release_buffers() noexcept override;
    bool tidy() const noexcept override { return tidy_; }
    void abort(failure const& why) override;
    void break_off() noexcept override;
    void close() noexcept override;

private:
    enum class state : std::uint8_t { idle, exchanging, settled, closed };
    class write_limit;

    static awaitable<void> watch(std::shared_ptr<h1_connection> self);
    void on_starved();
    awaitable<void> wait_writable(time_point until);
    bool on_readable();
    void on_stir();
    bool read_answer();
    bool take(h1_response_decoder::step const& step);
    void on_read_error(std::error_code error);
    void settle(std::error_code code, char const* why);
    void spend(char const* why) noexcept;
    void read_to_the_last();
    void on_write_error(std::error_code error);
    delivery delivered() const noexcept;
    failure explain(phase where) const;
    diagnostics told(std::string ours) const;
    failure give_up(std::error_code code, phase where, std::string ours);
    void finish() noexcept;

    std::unique_ptr<net::stream> stream_;
    timekeeper& timers_;
    keeper* keeper_ = nullptr;
    answer_limits const limits_;
    h1_response_decoder decoder_;
    response_builder builder_{};
    wire_buffer in_{};
    wire_buffer out_{};
    parking answered_{};
    parking::spot requester_{};
    state state_ = state::idle;
    bool writing_ = false;    // the requester waits for the stream to take more
    bool secret_ = false;     // the answer is one
    bool lost_ = false;       // the stream ended before the answer began
    bool cut_short_ = false;  // before all of the request was written
    bool large_reads_ = false;
    bool tidy_ = false;  // the TLS handshake left buffers
    char const* spent_ = nullptr;
    std::uint64_t requests_ = 0;
    std::uint64_t sent_before_ = 0;
    time_point last_used_{};
    std::optional<time_point> first_byte_at_{};

    // Once settled: empty code for a complete answer.
    std::error_code code_{};
    char const* why_ = nullptr;
    std::optional<failure> aborted_{};
};

}  // namespace jeton::http
