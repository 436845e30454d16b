// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testing/sansio/server_message.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct nghttp2_session;

namespace jeton::testing {

struct h2_server_settings {
    std::uint32_t streams = 100;    ///< SETTINGS_MAX_CONCURRENT_STREAMS
    bool gives_window_back = true;  ///< whether WINDOW_UPDATE is ever sent
};

/// The server's end of one HTTP/2 connection (RFC 9113), around nghttp2: bytes in, requests out, answers in, bytes out. As strict
/// as `request_parser`, and able to answer as badly as it is told to. No I/O, no clock.
///
///     feed(bytes) -> events       answer, reset, go_away, set_streams, put       write(text) -> events
class h2_server_session {
public:
    static constexpr std::size_t longest_head = 64 * 1024;
    static constexpr std::size_t longest_body = 4 * 1024 * 1024;

    struct event {
        enum class kind : std::uint8_t {
            opened,        ///< `stream`
            request,       ///< `stream`, `request`: valid until the next call of `feed` or `write`
            unacceptable,  ///< `stream`, `status`, `why`: to be answered so, instead of a request
            sent,          ///< `stream`: of its answer, all that was to leave is in what was written
            closed,        ///< `stream`: it is none any more, `cancelled` if by the client's RST_STREAM
            malformed,     ///< `stream`, reset for breaking the rules; `closed` follows
            over_limit,    ///< `stream`, refused since there were too many; nothing else is told of it
            broken,        ///< the connection as a whole, for breaking the rules; what is written yet says so
        };
        kind what = kind::opened;
        bool cancelled = false;
        int status = 0;
        std::uint32_t stream = 0;
        server_request const* request = nullptr;
        std::string_view why{};  ///< in words; static
    };

    /// \throws std::bad_alloc
    explicit h2_server_session(h2_server_settings const& settings);
    h2_server_session(h2_server_session const&) = delete;
    h2_server_session& operator=(h2_server_session const&) = delete;
    ~h2_server_session();

    /// Bytes from the client. \returns what follows from them, valid until the next call of `feed` or `write`
    /// \throws std::bad_alloc
    std::span<event const> feed(std::string_view bytes);

    /// Appends all that can be sent now.
    /// \returns what came to light thereby, as `feed` does. \throws std::bad_alloc
    std::span<event const> write(std::string& to);

    /// Answers a request as `reply` wants it: part, fields, raw bytes, surplus and RST_STREAM included; its delay, its ending
    /// and what it wants of the connection are the caller's business. Does nothing if the stream is none any more, or was
    /// answered before. `date` is the value of the Date field.
    void answer(std::uint32_t stream, server_reply const& reply, std::string_view date);

    void reset(std::uint32_t stream, h2_error code);

    /// GOAWAY. What is above `last` is closed, and ignored from now on. `last` may only become smaller. The warning of RFC
    /// 9113 §6.8 is `any_stream`, which closes and ignores nothing.
    void go_away(h2_error code, std::uint32_t last);
    static constexpr std::uint32_t any_stream = 0x7fffffff;

    void set_streams(std::uint32_t n);

    /// These bytes, behind everything else that can be sent now.
    void put(std::string_view raw) { raw_.append(raw); }

    std::size_t open() const noexcept { return streams_.size(); }
    std::uint32_t latest() const noexcept { return latest_; }  ///< number of the latest stream; 0: none yet

    /// Nothing will be sent or understood any more: both sides have done what a GOAWAY allowed, or one broke the rules.
    bool over() const noexcept;

private:
    struct stream;
    friend struct h2_server_callbacks;

    stream* find(std::int32_t id) noexcept;
    void begin_events() noexcept;
    void happened(event::kind what, std::int32_t id, std::string_view why = {});
    void take(stream& s, std::string_view name, std::string_view value);
    void refuse(stream& s, int status, std::string_view why);
    void deliver(stream& s);
    void complete(stream& s);
    [[noreturn]] static void exhausted();

    h2_server_settings settings_;
    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, std::unique_ptr<stream>> streams_;
    std::vector<std::unique_ptr<stream>> closed_;
    std::vector<event> events_{};
    std::vector<std::int32_t> complete_{};  // answers of which nothing is left to be written; to be told
    std::string raw_{};
    std::uint32_t latest_ = 0;
    bool going_away_ = false;  // as ordered
    bool writing_ = false;
    bool dead_ = false;
};

}  // namespace jeton::testing
