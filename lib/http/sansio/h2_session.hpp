// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/h2_budget.hpp"
#include "http/sansio/h2_frame_guard.hpp"
#include "http/sansio/h2_memory.hpp"
#include "http/wire_buffer.hpp"

#include <jeton/base/time.hpp>
#include <jeton/http/answer_limits.hpp>
#include <jeton/http/headers.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

namespace jeton::http {

struct h2_limits {
    answer_limits answers{};
    std::uint32_t streams = 256;                    ///< open at a time, whatever the peer allows
    std::uint32_t before_settings = 100;            ///< of those, until the peer has said
    std::uint32_t stream_window = 1024 * 1024;      ///< bytes of one answer that may be on their way; at least 65535
    std::uint32_t connection_window = 4096 * 1024;  ///< of all answers together; at least 65535
    duration settings_ack = std::chrono::seconds(10);
    duration silence = std::chrono::seconds(15);  ///< while somebody waits; then the peer is asked whether it lives
    duration ping_ack = std::chrono::seconds(5);
    h2_rate resets{33, 33};  ///< of streams of ours; who needs more has to wait for slots
    h2_flood_limits floods{};
};

/// One field of a request's head. Its name may have any case.
struct h2_field {
    std::string_view name{};
    std::string_view value{};
    bool sensitive = false;  ///< never indexed, here or by anybody on the way (RFC 7541 §7.1.3)
};

/// The client's end of one HTTP/2 connection (RFC 9113), around nghttp2: bytes in, bytes out, events. No I/O, no clock.
///
///     feed(bytes) -> events       submit, consumed, reset       write(buffer) -> events
///
/// nghttp2 does HPACK, framing, flow control and most of what makes an answer malformed. Added here: floods and endless header
/// blocks (`h2_frame_guard`), header lists counted while they are decoded, limits of answers, slots, a peer that does not answer, who may be
/// asked again elsewhere, and restraint in resetting streams.
///
/// For each stream the events are the same however the bytes were cut, but that a body comes in other pieces: head, data, trailers,
/// end; or failed at any point, after which there are no more. Some faults show themselves in `write` only: deal with the events of both.
class h2_session {
public:
    class stream;

    struct event {
        enum class kind : std::uint8_t {
            head,      ///< `of`, `status`, `length`, `text`, `fields`
            data,      ///< `of`, `piece`: to be given back by `consumed`, at any time
            trailers,  ///< `of`, `text`, `fields`; only if there is any field worth showing
            end,       ///< `of`: the answer is complete; it is no stream any more
            failed,    ///< `of`, `code`, `why`, `peer_code`, `unprocessed`; it is no stream any more
            slots,     ///< `slots()` may have changed by the peer's doing
            draining,  ///< no new streams; those that are open may end: `code` if the peer gave an error, `why`, `peer_code`
            dead,  ///< the connection is of no more use, all streams have failed: `code`, `why`. What is to be written yet tells the peer why.
        };
        kind what = kind::slots;
        bool unprocessed = false;  ///< the peer has not looked at the request (RFC 9113 §8.7)
        int status = 0;
        stream* of = nullptr;
        std::optional<std::uint64_t> length{};  ///< of the body, if known
        std::string_view text{};  ///< what `fields` have their offsets in; valid until the next call of `feed`
        std::span<field_position const> fields{};
        std::string_view piece{};  ///< into what was fed
        std::error_code code{};
        char const* why = nullptr;        ///< in words; static
        char const* peer_code = nullptr;  ///< the peer's error code by name (RFC 9113 §7), if it gave one; static
    };

    /// What the session knows of one request; whoever asks derives from it. Stays where it is, from `submit` until
    /// `end`, `failed` or `reset`, or until the session dies.
    class stream {
    public:
        stream() = default;
        stream(stream const&) = delete;
        stream& operator=(stream const&) = delete;

        bool open() const noexcept { return next_ != nullptr; }
        bool answered() const noexcept { return status_ != 0; }  ///< an answer has begun
        int status() const noexcept { return status_; }

        /// Where in the bytes that `write` gave the request begins; `UINT64_MAX` while it is not among them.
        std::uint64_t begins_at() const noexcept { return begins_at_; }

        /// When the last of the request was written.
        std::optional<time_point> written() const noexcept { return written_; }

    protected:
        ~stream() = default;

    private:
        friend class h2_session;
        friend struct h2_callbacks;
        stream* next_ = nullptr;
        stream* previous_ = nullptr;
        std::int32_t id_ = 0;
        std::string_view body_{};  // what is left of it
        std::size_t longest_ = 0;  // body of the answer
        std::uint64_t received_ = 0;
        std::uint64_t unread_ = 0;  // of it, not consumed
        std::uint64_t begins_at_ = UINT64_MAX;
        std::optional<time_point> written_{};
        std::optional<std::uint64_t> length_{};
        int status_ = 0;
        int arriving_ = 0;  // status of the head that is being read
        int interims_ = 0;
        std::size_t interim_bytes_ = 0;
        bool bodiless_ = false;  // HEAD
        bool refused_ = false;   // never left, since the connection was going away
    };

    /// \throws std::bad_alloc
    explicit h2_session(h2_limits const& limits, time_point now);
    h2_session(h2_session const&) = delete;
    h2_session& operator=(h2_session const&) = delete;
    ~h2_session();

    /// Bytes from the peer. \returns what follows from them, valid until the next call of `feed`, `write` or `lose`
    std::span<event const> feed(std::string_view bytes, time_point now);

    /// Appends what is to be sent to `out`, frame by frame until nothing is left or `out` holds `limit` bytes or more.
    /// \returns what came to light thereby, as `feed` does
    std::span<event const> write(wire_buffer& out, std::size_t limit, time_point now);
    bool has_something_to_write() const noexcept;

    /// Sends a request. Only while `slots()` is not 0; what is submitted nevertheless waits for one.
    /// \param fields   pseudo-header fields first; copied
    /// \param body     must stay until the stream is none any more
    /// \param longest  body that the answer may have
    /// \returns false: it cannot be sent over this connection (any more), nothing happened
    /// \throws std::bad_alloc
    bool submit(stream& s, std::span<h2_field const> fields, std::string_view body, bool head, std::size_t longest,
                time_point now);

    /// So many bytes of the answer have been used: the peer may send as many more. `s` need not be open any more.
    void consumed(stream& s, std::size_t bytes);

    /// Nobody wants the answer any more: RST_STREAM with CANCEL. The slot stays in use until the peer has shown that it saw
    /// that, so that giving up cannot make it work on more than it allows. No event follows for `s`.
    void reset(stream& s, time_point now);

    /// `s` dies without ceremony. Its slot stays in use until the peer has answered.
    void forget(stream& s) noexcept { detach(s); }

    /// The connection broke: every stream fails. \returns events, as `feed` does
    std::span<event const> lose(std::error_code code, char const* why);

    /// Appends GOAWAY and what else is to be said to `out`; then the connection is closed.
    void say_good_bye(wire_buffer& out);

    /// How many more requests may be sent now; 0 once it drains.
    std::uint32_t slots() const noexcept;
    /// How many requests it carries at a time: those that are open and `slots()`.
    std::uint32_t capacity() const noexcept;
    bool capacity_known() const noexcept { return settings_seen_; }  ///< from the peer's SETTINGS

    std::size_t open() const noexcept { return attached_; }  ///< requests that somebody waits for
    bool draining() const noexcept { return draining_ || dead_; }
    bool dead() const noexcept { return dead_; }

    /// When to call `on_time` at the latest.
    std::optional<time_point> next_wakeup() const noexcept;
    /// \returns events, as `feed` does
    std::span<event const> on_time(time_point now);

    h2_limits const& limits() const noexcept { return limits_; }

    /// Gives back memory that is not in use, overwritten.
    void release_buffers() noexcept;
    /// Overwrites what is left of answers.
    void wipe() noexcept
    {
        if (decoding_ == nullptr)
            text_.wipe();
    }

private:
    friend struct h2_callbacks;
    enum class ping : std::uint8_t { none, for_resets, for_life };

    // Where in `text_` and `fields_` lies what an event shows.
    struct shown {
        std::size_t event = 0;
        std::size_t text = 0;
        std::size_t text_size = 0;
        std::size_t fields = 0;
        std::size_t fields_size = 0;
    };

    event& tell(event::kind what);
    void show_block(stream& s, event::kind as);
    void on_head(stream& s);
    void on_end(stream& s);
    void on_closed(stream& s, std::uint32_t code);
    void on_go_away(std::int32_t last_served, std::uint32_t code);
    void on_pong() noexcept;
    bool on_field(std::string_view name, std::string_view value);
    void attach(stream& s) noexcept;
    void detach(stream& s) noexcept;
    void fail(stream& s, std::error_code code, char const* why);
    void give_up(stream& s, std::error_code code, char const* why);
    void refuse(stream& s, std::error_code code, char const* why);
    void drain(std::error_code code, char const* why, char const* peer_code);
    void die(std::error_code code, char const* why, std::optional<std::uint32_t> farewell);
    void collect(wire_buffer& out, std::size_t limit);
    void cancel(std::int32_t id);
    void abandon(std::int32_t id, bool unfinished);
    void catch_up_on_resets();
    void begin_events() noexcept;
    std::span<event const> finish_events();
    void start_ping(ping what);
    void die_of_farewell();
    std::uint32_t allowed() const noexcept;

    h2_limits limits_;
    h2_memory memory_{};
    h2_frame_guard guard_;
    h2_budget resets_;
    nghttp2_session* session_ = nullptr;
    stream* first_ = nullptr;  // of those that somebody waits for; a circle
    std::size_t attached_ = 0;
    std::vector<event> events_{};
    std::vector<shown> shown_{};
    wire_buffer farewell_{};  // written first

    // Of the header blocks that were decoded since the last feed, one behind the other.
    wire_buffer text_{};
    std::vector<field_position> fields_{};
    stream* decoding_ = nullptr;  // whose block is not complete
    std::size_t block_text_ = 0;  // where it begins
    std::size_t block_fields_ = 0;
    std::size_t list_size_ = 0;

    wire_buffer* out_ = nullptr;  // while writing
    std::size_t out_limit_ = 0;
    std::uint64_t produced_ = 0;                    // bytes written in all
    std::optional<std::uint32_t> farewell_code_{};  // of the GOAWAY that ends the connection
    bool exhausted_ = false;                        // out of memory in the midst of nghttp2
    bool padded_out_ = false;                       // flooded with frames of nothing but padding
    bool went_away_ = false;                        // GOAWAY has come
    bool leaving_ = false;                          // ours is on its way
    time_point now_{};

    std::uint32_t open_ = 0;               // streams of nghttp2's
    std::vector<std::int32_t> unreset_{};  // of these, those that nobody waits for and that may not be reset yet
    std::uint32_t resets_queued_ = 0;
    std::uint32_t held_ = 0;                // streams that were reset after the last PING
    std::uint32_t held_by_ping_ = 0;        // and before it
    std::int32_t last_served_ = INT32_MAX;  // by GOAWAY
    bool settings_seen_ = false;
    bool settings_acknowledged_ = false;
    std::optional<time_point> settings_sent_{};
    ping ping_ = ping::none;
    std::uint64_t pings_ = 0;
    time_point pinged_{};
    time_point last_heard_{};
    time_point waits_since_{};
    bool draining_ = false;
    bool dead_ = false;
};

}  // namespace jeton::http
