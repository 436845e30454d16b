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
/// It watches the stream as long as it lives, and that does all reading:
/// while an exchange is going on it feeds the decoder, and resumes the requester when the answer is there; in between it
/// sees the end, and bytes that nobody asked for. So nothing is cancelled and armed anew for a request.
///
///          begin()                 answer complete or failed               proceed()
///   idle -----------> exchanging ---------------------------> settled -------------------> idle, or of no more use
///
/// Confined to one serial executor.
class h1_connection final : public connection,
                            private net::stream::watcher,
                            public std::enable_shared_from_this<h1_connection> {
public:
    /// `timers` must outlive every exchange.
    h1_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers, answer_limits const& limits);
    ~h1_connection() override;

    void start(asio::any_io_executor const& home) override;
    void keep(keeper* who) noexcept override { keeper_ = who; }
    outcome begin(exchange_order& order) override;
    awaitable<woken> wait(exchange_order const& order) override;
    outcome proceed(exchange_order& order, woken why) override;
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

    void watch();
    void on_ready() override;
    void on_starved() override;
    outcome write_on(exchange_order const& order);
    awaitable<woken> wait_writable(time_point until);
    bool unsent() const noexcept { return !head_left_.empty() || !body_left_.empty(); }
    time_point due(exchange_order const& order) const noexcept;
    outcome on_due(exchange_order const& order);
    result<response> conclude(exchange_order const& order);
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
    asio::any_io_executor home_{};
    keeper* keeper_ = nullptr;
    answer_limits const limits_;
    h1_response_decoder decoder_;
    response_builder builder_{};
    wire_buffer in_{};
    wire_buffer out_{};
    parking answered_{};
    parking::spot requester_{};
    std::string_view head_left_{};  // of what is being sent
    std::string_view body_left_{};
    int writes_ = 0;
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
    time_point written_{};
    time_point settled_at_{};  // or read from last
    time_point last_used_{};
    std::optional<time_point> first_byte_at_{};

    // Once settled: empty code for a complete answer.
    std::error_code code_{};
    char const* why_ = nullptr;
    std::optional<failure> aborted_{};
};

}  // namespace jeton::http
