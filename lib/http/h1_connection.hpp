// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "base/timekeeper.hpp"
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

using asio::awaitable;

/// What a connection needs to know to carry one request. Lives in the frame of whoever awaits the exchange.
struct exchange_order {
    request const* what = nullptr;   ///< resolved, without a mistake
    std::string_view origin_head{};  ///< of `h1_origin_head`
    time_point begun{};              ///< now
    time_point deadline{};
    duration first_byte{};     ///< limit, from the end of writing
    bool handed_over = false;  ///< by somebody who looked at it a turn of the loop ago
};

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
class h1_connection : public std::enable_shared_from_this<h1_connection> {
public:
    /// Who keeps it while it is idle.
    class keeper {
    public:
        /// It is of no more use, and `spent()` says why. It may be destroyed in here.
        virtual void on_spent(h1_connection& which) = 0;

    protected:
        ~keeper() = default;
    };

    /// `timers` must outlive every exchange.
    h1_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers, answer_limits const& limits);
    h1_connection(h1_connection const&) = delete;
    h1_connection& operator=(h1_connection const&) = delete;
    ~h1_connection();

    /// Starts to watch. `who` hears of an end that comes in between two exchanges; null: nobody any more.
    void start(asio::any_io_executor const& home);
    void keep(keeper* who) noexcept { keeper_ = who; }

    /// Sends the request and gives the answer, with the time of each phase. One at a time; the connection and `order`
    /// must outlive it. Afterwards, ask `spent()`.
    ///
    /// Ends with a failure of phase `write`, `first_byte` or `body`; of delivery `not_sent` exactly if no byte was
    /// handed to the kernel, `answered` if a byte of an answer came. If the connection had carried a request before and
    /// died before a byte of the answer, the code is `errc::connection_lost` (RFC 9112 §9.3.1), otherwise that of the network.
    awaitable<result<response>> exchange(exchange_order const& order);

    /// Why it must not carry another request (RFC 9112 §9.3, §9.6); null if it may.
    char const* spent() const noexcept { return spent_; }

    /// Looks at the stream, which costs a system call, and says whether another request may be sent (RFC 9112 §9.2).
    bool fit();

    /// How many requests it has carried.
    std::uint64_t requests() const noexcept { return requests_; }
    time_point last_used() const noexcept { return last_used_; }

    /// What the peer said about its life; an answer has been read.
    keep_alive_hint const& hint() const noexcept { return decoder_.hint(); }

    /// How many requests it can carry at a time.
    static constexpr std::uint32_t slots() noexcept { return 1; }

    /// Gives back the memory that an idle connection does not need; `tidy()` until it is used again.
    void release_buffers() noexcept;
    bool tidy() const noexcept { return tidy_; }

    /// Ends an exchange that is going on with `why`.
    void abort(failure const& why);

    /// Closes, with a close_notify if there is TLS. An exchange must not be going on.
    void close() noexcept;

private:
    enum class state : std::uint8_t { idle, exchanging, settled, closed };
    class write_limit;

    static awaitable<void> watch(std::shared_ptr<h1_connection> self);
    awaitable<void> wait_writable(time_point until);
    bool on_readable();
    void on_stir();
    bool read_answer();
    bool take(h1_response_decoder::step const& step);
    void on_read_error(std::error_code error);
    void settle(std::error_code code, char const* why);
    void spend(char const* why) noexcept;
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
    state state_ = state::idle;
    bool writing_ = false;    // the requester waits for the stream to take more
    bool secret_ = false;     // the answer is one
    bool lost_ = false;       // the stream ended before the answer began
    bool cut_short_ = false;  // before all of the request was written
    bool large_reads_ = false;
    bool tidy_ = true;
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
