// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/keep_alive_hint.hpp"

#include <jeton/http/answer_limits.hpp>
#include <jeton/http/headers.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

namespace jeton::http {

/// What the answer's framing depends on besides the answer (RFC 9112 §6.3).
enum class request_kind : std::uint8_t {
    head,   ///< HEAD: the answer has no body, whatever its fields say
    other,  ///< any other method
};

/// How the end of a body is known (RFC 9112 §6.3).
enum class body_framing : std::uint8_t {
    none,         ///< there is no body
    length,       ///< Content-Length
    chunked,      ///< the last chunk
    until_close,  ///< the end of the connection
};

/// Reads the answer to one request over HTTP/1.1 (RFC 9112), strictly and in one pass.
///
///     begin -> [interim]* -> head -> [body]* -> [trailers] -> end
///                  (at any point: failed, or need_more)
///
/// It is fed all bytes that the connection holds unconsumed, again and again, and answers with one step each time. The
/// caller uses what the step points to, drops `step.consumed` bytes from the front of its buffer (whatever the kind of step),
/// and, unless the step is `need_more`, `end` or `failed`, feeds what is left, which may be nothing. After `need_more` it reads first. The steps
/// are the same however the bytes were cut, but that a body comes in other pieces.
///
/// Bytes that are left after `end` belong to no answer (RFC 9112 §6.3): the connection must not be used again.
class h1_response_decoder {
public:
    struct step {
        enum class kind : std::uint8_t {
            need_more,  ///< nothing to tell before more bytes, or the end of the connection, come
            interim,    ///< a 1xx answer was skipped; `status`
            head,       ///< the final answer's head: `status`, `minor`, `fields`, `framing`, `length`, `keep_alive`
            body,       ///< a piece of the body: `piece`
            trailers,   ///< the trailer section, if it has any field worth showing: `fields`
            end,        ///< the answer is complete
            failed,     ///< `code`, `why`; the connection is of no more use
        };
        kind what = kind::need_more;
        std::size_t consumed = 0;  ///< bytes to drop from the front of the buffer, after use

        int status = 0;
        int minor = 1;  ///< x of HTTP/1.x
        std::span<field_position const>
            fields{};  ///< offsets from the start of the buffer that was fed; valid until the next call
        body_framing framing = body_framing::none;
        std::uint64_t length = 0;  ///< of the body, if `framing` is `length`
        bool keep_alive = false;   ///< the peer lets the connection be used again (RFC 9112 §9.3)

        std::string_view piece{};  ///< into the buffer that was fed

        std::error_code code{};     ///< an `http::errc`, or `net::errc::truncated`
        char const* why = nullptr;  ///< what was wrong, in words; static
    };

    explicit h1_response_decoder(answer_limits const& limits = {}) : limits_(limits) {}

    /// Starts over, for the answer to the next request.
    void begin(request_kind asked) noexcept;
    void begin(request_kind asked, answer_limits const& limits) noexcept;

    /// \param buffer  starts with the first byte that was not consumed yet, and holds at least what it held before.
    ///                A folded field value is unfolded in place (RFC 9112 §5.2).
    step feed(std::span<char> buffer);

    /// The connection ended, after all that it brought was fed and `need_more` came back.
    /// \param orderly  by a TLS close_notify, or over plain TCP by a FIN: nothing was cut off (RFC 9112 §9.8).
    /// \returns `end` or `failed`
    step on_eof(bool orderly);

    /// How many bytes of a body with a known length are still to come; 0 for every other framing. The caller may read that many from
    /// the connection straight to where they belong, once its buffer is empty, and then says so. No piece is reported for them.
    std::uint64_t content_left() const noexcept { return state_ == state::content ? left_ : 0; }
    void content_taken(std::size_t n) noexcept;

    /// Whether any byte of an answer has come.
    bool begun() const noexcept { return begun_; }

    /// Of the answer that is being read, once its status line is; 0 before. For diagnostics after a failure.
    int status() const noexcept { return status_; }

    /// What the answers so far said about how long the connection lives; the last one that said anything counts.
    keep_alive_hint const& hint() const noexcept { return hint_; }

private:
    enum class state : std::uint8_t {
        status_line,
        fields,   // of a head
        content,  // of a known length
        until_close,
        chunk_size,    // first digit
        chunk_digits,  // more of them
        chunk_blank,   // blanks before an extension
        chunk_extension,
        chunk_size_lf,
        chunk_data,
        chunk_cr,
        chunk_lf,
        trailer_fields,
        done,
        failed,
    };
    enum class in_line : std::uint8_t { start, name, value };  // where in a field line the scan stopped
    enum class outcome : std::uint8_t { complete, incomplete, failed };

    step read_head(std::span<char> buffer);
    step read_chunked(std::span<char> buffer);
    step read_trailers(std::span<char> buffer, std::size_t at);
    step read_until_close(std::span<char> buffer);
    outcome read_status_line(std::span<char> buffer);
    outcome read_fields(std::span<char> buffer);
    void fold(char* text, std::uint32_t from, std::uint32_t to) noexcept;
    bool frame(char const* text, step& head);
    bool read_content_length(std::string_view value);
    void read_connection(std::string_view value) noexcept;
    void expect_section(std::size_t at) noexcept;
    void expect_answer() noexcept;
    step fail(std::error_code code, char const* why);
    outcome refuse(std::error_code code, char const* why) noexcept;

    answer_limits limits_;
    state state_ = state::status_line;
    request_kind asked_ = request_kind::other;
    bool begun_ = false;
    int status_ = 0;
    int minor_ = 1;

    // Of the section that is being read; offsets from the start of the buffer.
    in_line in_line_ = in_line::start;
    bool folding_ = false;         // the line continues the field before it
    std::size_t section_ = 0;      // where it starts
    std::size_t line_ = 0;         // where the current line starts
    std::size_t scanned_ = 0;      // everything before that has been looked at
    std::uint32_t name_size_ = 0;  // of the current line's field
    std::vector<field_position> fields_{};

    bool has_length_ = false;
    bool close_ = false;
    bool kept_alive_ = false;
    std::uint64_t length_ = 0;

    std::uint64_t left_ = 0;      // of the content, or of the chunk
    std::uint64_t content_ = 0;   // bytes of it so far, for the limit
    std::size_t extensions_ = 0;  // bytes of them so far
    int digits_ = 0;              // of the chunk's size
    int interims_ = 0;
    std::size_t interim_bytes_ = 0;

    keep_alive_hint hint_{};

    std::error_code code_{};
    char const* why_ = nullptr;
};

}  // namespace jeton::http
