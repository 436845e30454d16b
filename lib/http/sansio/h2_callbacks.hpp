// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What nghttp2 calls, and how its codes are told: the inside of h2_session.cpp, included there only.

#include "http/sansio/h2_session.hpp"

#include <jeton/http/error.hpp>

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

namespace jeton::http {

// RFC 9113 §6.9.2: of every stream before SETTINGS say otherwise.
inline constexpr std::uint64_t initial_window = 65535;

// Frames that may well come with so many bytes of a body that is sent: window updates.
inline constexpr int bytes_per_update = 512;

inline std::error_code code_of(std::uint32_t h2) noexcept
{
    switch (h2) {
    case NGHTTP2_FLOW_CONTROL_ERROR: return errc::h2_flow_control;
    case NGHTTP2_COMPRESSION_ERROR: return errc::h2_compression;
    case NGHTTP2_FRAME_SIZE_ERROR: return errc::h2_frame_size;
    case NGHTTP2_SETTINGS_TIMEOUT: return errc::h2_settings_timeout;
    case NGHTTP2_ENHANCE_YOUR_CALM: return errc::h2_flood;
    default: return errc::h2_protocol;
    }
}

inline char const* words_for(std::uint32_t h2) noexcept
{
    switch (h2) {
    case NGHTTP2_FLOW_CONTROL_ERROR: return "the peer broke the rules of flow control";
    case NGHTTP2_COMPRESSION_ERROR: return "the peer sent a header block that cannot be decoded";
    case NGHTTP2_FRAME_SIZE_ERROR: return "the peer sent a frame of a size that it must not have";
    default: return "the peer broke the rules of HTTP/2";
    }
}

inline std::string_view view_of(std::uint8_t const* bytes, std::size_t size) noexcept
{
    return {reinterpret_cast<char const*>(bytes), size};
}

struct free_callbacks {
    void operator()(nghttp2_session_callbacks* c) const noexcept { nghttp2_session_callbacks_del(c); }
};
struct free_option {
    void operator()(nghttp2_option* o) const noexcept { nghttp2_option_del(o); }
};

// What nghttp2 calls. Nothing may be thrown through it.
struct h2_callbacks {
    static h2_session& self(void* user) noexcept { return *static_cast<h2_session*>(user); }

    static h2_session::stream* stream_of(nghttp2_session* s, std::int32_t id) noexcept
    {
        return static_cast<h2_session::stream*>(nghttp2_session_get_stream_user_data(s, id));
    }

    template <class Function>
    static int guarded(void* user, Function f) noexcept
    {
        try {
            return f(self(user));
        } catch (...) {
            self(user).exhausted_ = true;
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }

    static int begin_headers(nghttp2_session* session, nghttp2_frame const* frame, void* user) noexcept
    {
        auto& me = self(user);
        me.decoding_ = stream_of(session, frame->hd.stream_id);
        me.block_text_ = me.text_.size();
        me.block_fields_ = me.fields_.size();
        me.list_size_ = 0;
        if (me.decoding_ != nullptr)
            me.decoding_->arriving_ = 0;
        return 0;
    }

    static int header(nghttp2_session*, nghttp2_frame const*, std::uint8_t const* name, std::size_t name_size,
                      std::uint8_t const* value, std::size_t value_size, std::uint8_t, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            if (me.decoding_ == nullptr || me.on_field(view_of(name, name_size), view_of(value, value_size)))
                return 0;
            return static_cast<int>(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
        });
    }

    // nghttp2 would leave such a field out and go on (RFC 9113 §8.2.1: the message is malformed).
    static int invalid_header(nghttp2_session*, nghttp2_frame const*, std::uint8_t const*, std::size_t,
                              std::uint8_t const*, std::size_t, std::uint8_t, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            if (auto* const s = std::exchange(me.decoding_, nullptr))
                me.fail(*s, errc::malformed_answer, "a field has a name or a value that cannot stand in a header");
            return static_cast<int>(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
        });
    }

    static int frame_received(nghttp2_session* session, nghttp2_frame const* frame, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            bool const last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
            switch (frame->hd.type) {
            case NGHTTP2_HEADERS:
                if (auto* const s = std::exchange(me.decoding_, nullptr)) {
                    me.on_head(*s);
                    if (last && s->open())
                        me.on_end(*s);
                }
                break;
            case NGHTTP2_DATA:
                // Nothing but padding gets nobody on.
                if (!last && frame->hd.length != 0 && frame->hd.length == frame->data.padlen)
                    me.padded_out_ = me.padded_out_ || !me.guard_.spend(me.now_);
                if (last)
                    if (auto* const s = stream_of(session, frame->hd.stream_id))
                        me.on_end(*s);
                break;
            case NGHTTP2_SETTINGS:
                if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
                    me.settings_acknowledged_ = true;
                } else {
                    me.settings_seen_ = true;
                    me.tell(h2_session::event::kind::slots);
                }
                break;
            case NGHTTP2_PING:
                if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0
                    && std::memcmp(frame->ping.opaque_data, &me.pings_, sizeof me.pings_) == 0)
                    me.on_pong();
                break;
            case NGHTTP2_GOAWAY: me.on_go_away(frame->goaway.last_stream_id, frame->goaway.error_code); break;
            default: break;
            }
            return 0;
        });
    }

    static int invalid_frame(nghttp2_session* session, nghttp2_frame const* frame, int error, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            if (error != NGHTTP2_ERR_HTTP_HEADER && error != NGHTTP2_ERR_HTTP_MESSAGING)
                return 0;
            me.decoding_ = nullptr;
            if (auto* const s = stream_of(session, frame->hd.stream_id))
                me.fail(*s, errc::malformed_answer, "the answer's header breaks the rules of HTTP/2");
            return 0;
        });
    }

    static int data(nghttp2_session* session, std::uint8_t, std::int32_t id, std::uint8_t const* bytes,
                    std::size_t size, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            auto* const s = stream_of(session, id);
            if (s == nullptr) {
                nghttp2_session_consume_connection(session, size);
                return 0;
            }
            s->unread_ += size;
            s->received_ += size;
            // nghttp2 resets such a stream, but has passed on what was too much.
            if (s->unread_ > std::max<std::uint64_t>(me.limits_.stream_window, initial_window)) {
                me.fail(*s, errc::h2_flow_control, words_for(NGHTTP2_FLOW_CONTROL_ERROR));
                return 0;
            }
            if (s->received_ > s->longest_) {
                me.give_up(*s, errc::body_too_large, "the body is larger than allowed");
                return 0;
            }
            auto& e = me.tell(h2_session::event::kind::data);
            e.of = s;
            e.piece = view_of(bytes, size);
            return 0;
        });
    }

    static int stream_closed(nghttp2_session* session, std::int32_t id, std::uint32_t error, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            --me.open_;
            std::erase(me.unreset_, id);
            if (auto* const s = stream_of(session, id))
                me.on_closed(*s, error);
            return 0;
        });
    }

    static int before_frame_sent(nghttp2_session* session, nghttp2_frame const* frame, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            switch (frame->hd.type) {
            case NGHTTP2_HEADERS:
                if (auto* const s = stream_of(session, frame->hd.stream_id))
                    s->begins_at_ = me.produced_;
                break;
            case NGHTTP2_RST_STREAM:
                // nghttp2's own: what it found fault with and had told nobody.
                if (auto* const s = stream_of(session, frame->hd.stream_id)) {
                    auto const why = frame->rst_stream.error_code;
                    if (why == NGHTTP2_PROTOCOL_ERROR)
                        me.fail(*s, errc::malformed_answer, "the body is not as long as the header says");
                    else
                        me.fail(*s, code_of(why), words_for(why));
                }
                break;
            case NGHTTP2_GOAWAY:
                if (!me.farewell_code_)
                    me.farewell_code_ = frame->goaway.error_code;
                break;
            default: break;
            }
            return 0;
        });
    }

    static int frame_sent(nghttp2_session* session, nghttp2_frame const* frame, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            switch (frame->hd.type) {
            case NGHTTP2_DATA:
                me.guard_.grant(1 + static_cast<int>(frame->hd.length) / bytes_per_update);
                [[fallthrough]];
            case NGHTTP2_HEADERS:
                if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
                    if (auto* const s = stream_of(session, frame->hd.stream_id))
                        s->written_ = me.now_;
                break;
            case NGHTTP2_RST_STREAM:
                if (frame->rst_stream.error_code == NGHTTP2_CANCEL) {
                    --me.resets_queued_;
                    ++me.held_;
                }
                break;
            default: break;
            }
            return 0;
        });
    }

    static int frame_not_sent(nghttp2_session* session, nghttp2_frame const* frame, int, void* user) noexcept
    {
        auto& me = self(user);
        if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code == NGHTTP2_CANCEL)
            --me.resets_queued_;
        if (frame->hd.type == NGHTTP2_HEADERS)
            if (auto* const s = stream_of(session, frame->hd.stream_id))
                s->refused_ = true;
        return 0;
    }

    // The body goes straight from where it lies into the buffer: see `put_body`.
    static ssize_t body_left(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t room,
                             std::uint32_t* flags, nghttp2_data_source*, void*) noexcept
    {
        auto const* const s = stream_of(session, id);
        if (s == nullptr)
            return NGHTTP2_ERR_DEFERRED;
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        if (s->body_.size() <= room)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(std::min(room, s->body_.size()));
    }

    static int put_body(nghttp2_session* session, nghttp2_frame* frame, std::uint8_t const* head, std::size_t size,
                        nghttp2_data_source*, void* user) noexcept
    {
        return guarded(user, [&](h2_session& me) {
            auto* const s = stream_of(session, frame->hd.stream_id);
            if (s == nullptr)
                return static_cast<int>(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
            if (me.out_->size() >= me.out_limit_)
                return static_cast<int>(NGHTTP2_ERR_WOULDBLOCK);
            constexpr std::size_t head_size = 9;
            me.out_->prepare(head_size + size);
            me.out_->append(view_of(head, head_size));
            me.out_->append(s->body_.substr(0, size));
            s->body_.remove_prefix(size);
            me.produced_ += head_size + size;
            return 0;
        });
    }

    static nghttp2_session_callbacks const* all()
    {
        static auto const made = [] {
            nghttp2_session_callbacks* c = nullptr;
            if (nghttp2_session_callbacks_new(&c) != 0)
                throw std::bad_alloc();
            nghttp2_session_callbacks_set_on_begin_headers_callback(c, begin_headers);
            nghttp2_session_callbacks_set_on_header_callback(c, header);
            nghttp2_session_callbacks_set_on_invalid_header_callback(c, invalid_header);
            nghttp2_session_callbacks_set_on_frame_recv_callback(c, frame_received);
            nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, invalid_frame);
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, data);
            nghttp2_session_callbacks_set_on_stream_close_callback(c, stream_closed);
            nghttp2_session_callbacks_set_before_frame_send_callback(c, before_frame_sent);
            nghttp2_session_callbacks_set_on_frame_send_callback(c, frame_sent);
            nghttp2_session_callbacks_set_on_frame_not_send_callback(c, frame_not_sent);
            nghttp2_session_callbacks_set_send_data_callback(c, put_body);
            return std::unique_ptr<nghttp2_session_callbacks, free_callbacks>(c);
        }();
        return made.get();
    }

    // The frame guard counts them. nghttp2, where it does so too, counts one for each read that such a frame's header is
    // spread over. Not every release has the option.
    static void count_no_continuations(auto* option)
    {
        if constexpr (requires { nghttp2_option_set_max_continuations(option, SIZE_MAX); })
            nghttp2_option_set_max_continuations(option, SIZE_MAX);
    }

    static nghttp2_option const* options()
    {
        static auto const made = [] {
            nghttp2_option* o = nullptr;
            if (nghttp2_option_new(&o) != 0)
                throw std::bad_alloc();
            nghttp2_option_set_no_auto_window_update(o, 1);
            count_no_continuations(o);
            return std::unique_ptr<nghttp2_option, free_option>(o);
        }();
        return made.get();
    }
};

}  // namespace jeton::http
