// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/h2_server_session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace jeton::testing {

/// One request, and the answer to it.
struct h2_server_session::stream {
    std::int32_t id = 0;

    std::string text{};  // of the head: names and values, one behind the other
    std::string body{};
    server_request request{};
    int refused_with = 0;    // a status: it is no request of which anybody hears
    bool received = false;   // END_STREAM has come
    bool malformed = false;  // its RST_STREAM is on the way
    bool cancelled = false;  // the client's RST_STREAM has come

    std::string answer{};
    std::size_t answer_sent = 0;
    std::size_t answer_limit = 0;  // how much of it is to leave
    bool ends = false;             // with END_STREAM
    bool answered = false;
    bool complete = false;
    bool reset_ordered = false;
    std::optional<h2_error> reset_after{};
    std::string surplus{};
};

// What nghttp2 calls. Nothing may be thrown through it.
struct h2_server_callbacks {
    using kind = h2_server_session::event::kind;

    static h2_server_session& self(void* user) noexcept { return *static_cast<h2_server_session*>(user); }

    template <class Function>
    static int guarded(void* user, Function f) noexcept
    {
        try {
            f(self(user));
            return 0;
        } catch (...) {
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }

    static bool is_request(nghttp2_frame const* frame) noexcept
    {
        return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    }

    static int begin_headers(nghttp2_session*, nghttp2_frame const* frame, void* user) noexcept
    {
        return guarded(user, [&](auto& me) {
            if (!is_request(frame))
                return;
            auto const id = frame->hd.stream_id;
            auto s = std::make_unique<h2_server_session::stream>();
            s->id = id;
            me.streams_.insert_or_assign(id, std::move(s));
            me.latest_ = std::max(me.latest_, static_cast<std::uint32_t>(id));
            me.happened(kind::opened, id);
        });
    }

    static int header(nghttp2_session*, nghttp2_frame const* frame, std::uint8_t const* name, std::size_t name_size,
                      std::uint8_t const* value, std::size_t value_size, std::uint8_t, void* user) noexcept
    {
        return guarded(user, [&](auto& me) {
            if (auto* const s = me.find(frame->hd.stream_id); s != nullptr && is_request(frame))
                me.take(*s, {reinterpret_cast<char const*>(name), name_size},
                        {reinterpret_cast<char const*>(value), value_size});
        });
    }

    // nghttp2 would leave such a field out and go on (RFC 9113 §8.2.1: the message is malformed).
    static int invalid_header(nghttp2_session* session, nghttp2_frame const* frame, std::uint8_t const*, std::size_t,
                              std::uint8_t const*, std::size_t, std::uint8_t, void* user) noexcept
    {
        auto* const s = self(user).find(frame->hd.stream_id);
        if (s == nullptr || std::exchange(s->malformed, true))
            return 0;
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_PROTOCOL_ERROR) == 0
                   ? 0
                   : NGHTTP2_ERR_CALLBACK_FAILURE;
    }

    static int frame_received(nghttp2_session*, nghttp2_frame const* frame, void* user) noexcept
    {
        return guarded(user, [&](auto& me) {
            auto* const s = me.find(frame->hd.stream_id);
            if (s == nullptr)
                return;
            if (frame->hd.type == NGHTTP2_RST_STREAM)
                s->cancelled = true;
            else if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)
                     && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
                me.deliver(*s);
        });
    }

    static int data(nghttp2_session* session, std::uint8_t, std::int32_t id, std::uint8_t const* bytes,
                    std::size_t size, void* user) noexcept
    {
        return guarded(user, [&](auto& me) {
            auto* const s = me.find(id);
            if (me.settings_.gives_window_back && nghttp2_session_consume(session, id, size) != 0)
                h2_server_session::exhausted();
            if (s == nullptr || s->refused_with != 0)
                return;
            if (s->body.size() + size > h2_server_session::longest_body)
                return me.refuse(*s, 413, "the body is too long");
            s->body.append(reinterpret_cast<char const*>(bytes), size);
        });
    }

    static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) noexcept
    {
        return guarded(user, [&](auto& me) {
            auto const at = me.streams_.find(id);
            if (at == me.streams_.end())
                return;
            me.happened(kind::closed, id);
            me.events_.back().cancelled = at->second->cancelled;
            // An event of the same turn may show its request.
            me.closed_.push_back(std::move(at->second));
            me.streams_.erase(at);
        });
    }

    static int frame_sent(nghttp2_session* session, nghttp2_frame const* frame, void* user) noexcept
    {
        return guarded(user, [&](auto& me) {
            auto* const s = me.find(frame->hd.stream_id);
            switch (frame->hd.type) {
            case NGHTTP2_HEADERS:
            case NGHTTP2_DATA:
                if (s == nullptr)
                    break;
                if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                    me.complete(*s);
                    // RFC 9113 §8.1: an answer may come before the request has; the rest of that is not wanted.
                    if (!s->received && !std::exchange(s->reset_ordered, true)
                        && nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR) != 0)
                        h2_server_session::exhausted();
                } else if (!s->ends && s->answer_sent == s->answer_limit) {
                    me.complete(*s);
                }
                break;
            case NGHTTP2_RST_STREAM:
                if (s == nullptr && frame->rst_stream.error_code == NGHTTP2_REFUSED_STREAM)
                    me.happened(kind::over_limit, frame->hd.stream_id);
                else if (s == nullptr || !s->reset_ordered)
                    me.happened(kind::malformed, frame->hd.stream_id, "the request is malformed");
                break;
            case NGHTTP2_GOAWAY:
                if (!me.going_away_ && frame->goaway.error_code != NGHTTP2_NO_ERROR)
                    me.happened(kind::broken, 0, "the connection broke the rules");
                break;
            default: break;
            }
        });
    }

    static ssize_t answer_left(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                               std::uint32_t* flags, nghttp2_data_source*, void* user) noexcept
    {
        auto* const s = self(user).find(id);
        if (s == nullptr)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        auto const n = std::min(room, s->answer_limit - s->answer_sent);
        if (n == 0 && !s->ends)
            return NGHTTP2_ERR_DEFERRED;
        std::memcpy(into, s->answer.data() + s->answer_sent, n);
        s->answer_sent += n;
        if (s->ends && s->answer_sent == s->answer_limit)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(n);
    }
};

h2_server_session::h2_server_session(h2_server_settings const& settings) : settings_(settings)
{
    struct owned {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_option* option = nullptr;
        ~owned()
        {
            nghttp2_session_callbacks_del(callbacks);
            nghttp2_option_del(option);
        }
    } made;
    if (nghttp2_session_callbacks_new(&made.callbacks) != 0 || nghttp2_option_new(&made.option) != 0)
        exhausted();
    auto* const c = made.callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, h2_server_callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, h2_server_callbacks::header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(c, h2_server_callbacks::invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, h2_server_callbacks::frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, h2_server_callbacks::data);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, h2_server_callbacks::stream_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, h2_server_callbacks::frame_sent);
    nghttp2_option_set_no_auto_window_update(made.option, 1);
    if (nghttp2_session_server_new2(&session_, c, this, made.option) != 0)
        exhausted();
    nghttp2_settings_entry const ours[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings_.streams}};
    if (nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, ours, std::size(ours)) != 0) {
        nghttp2_session_del(session_);
        exhausted();
    }
}

h2_server_session::~h2_server_session() { nghttp2_session_del(session_); }

void h2_server_session::exhausted() { throw std::bad_alloc(); }

auto h2_server_session::find(std::int32_t id) noexcept -> stream*
{
    auto const found = streams_.find(id);
    return found == streams_.end() ? nullptr : found->second.get();
}

void h2_server_session::happened(event::kind what, std::int32_t id, std::string_view why)
{
    auto& e = events_.emplace_back();
    e.what = what;
    e.stream = static_cast<std::uint32_t>(id);
    e.why = why;
}

// Requests.

void h2_server_session::take(stream& s, std::string_view name, std::string_view value)
{
    if (s.refused_with != 0)
        return;
    auto& r = s.request;
    if (s.text.size() + name.size() + value.size() > longest_head)
        return refuse(s, 431, "the head is too long");
    if (r.field_count == server_request::most_fields)
        return refuse(s, 431, "too many fields");
    // Pseudo-header fields are kept beside the others until the head is whole, for the text moves while it grows.
    auto& position = r.positions[r.field_count++];
    position.name = static_cast<std::uint32_t>(s.text.size());
    position.name_size = static_cast<std::uint16_t>(name.size());
    s.text.append(name);
    position.value = static_cast<std::uint32_t>(s.text.size());
    position.value_size = static_cast<std::uint32_t>(value.size());
    s.text.append(value);
}

void h2_server_session::refuse(stream& s, int status, std::string_view why)
{
    s.refused_with = status;
    s.body.clear();
    happened(event::kind::unacceptable, s.id, why);
    events_.back().status = status;
}

void h2_server_session::deliver(stream& s)
{
    s.received = true;
    if (s.refused_with != 0 || s.malformed || s.answered)
        return;

    auto& r = s.request;
    r.stream = static_cast<std::uint32_t>(s.id);
    r.text = s.text.data();
    r.body = s.body;
    std::string_view host, scheme;
    std::size_t kept = 0;
    bool has_authorization = false, has_type = false, has_host = false;
    for (auto const& [name, value] : http::headers(r.text, {r.positions.data(), r.field_count})) {
        auto const once = [](bool& flag) { return !std::exchange(flag, true); };
        if (name == ":method") {
            r.method = value;
        } else if (name == ":path") {
            r.target = value;
        } else if (name == ":scheme") {
            scheme = value;
        } else if (name == ":authority") {
            r.host = value;
        } else if (name == "host") {
            if (!once(has_host))
                return refuse(s, 400, "two Host fields");
            host = value;
        } else if (name == "authorization") {
            if (!once(has_authorization))
                return refuse(s, 400, "two Authorization fields");
            r.authorization = value;
        } else if (name == "content-type") {
            if (!once(has_type))
                return refuse(s, 400, "two Content-Type fields");
            r.content_type = value;
        }
    }
    for (std::size_t i = 0; i != r.field_count; ++i)
        if (r.text[r.positions[i].name] != ':')
            r.positions[kept++] = r.positions[i];
    r.field_count = kept;

    if (!is_origin_form(r.target))
        return refuse(s, 400, "the target is no path");
    if (scheme != "https")
        return refuse(s, 400, "the scheme is not https");
    // RFC 9113 §8.3.1: Host must not differ from :authority, and stands in for it.
    if (r.host.empty())
        r.host = host;
    else if (has_host && host != r.host)
        return refuse(s, 400, "Host is not :authority");
    r.split_target();
    happened(event::kind::request, s.id);
    events_.back().request = &r;
}

void h2_server_session::begin_events() noexcept
{
    events_.clear();
    closed_.clear();
}

auto h2_server_session::feed(std::string_view bytes) -> std::span<event const>
{
    begin_events();
    if (dead_)
        return {};
    auto const taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size());
    if (taken == NGHTTP2_ERR_NOMEM || taken == NGHTTP2_ERR_CALLBACK_FAILURE)
        exhausted();
    if (taken < 0) {
        // A preface that is none, or a flood: nghttp2 is not to be called any more.
        dead_ = true;
        happened(event::kind::broken, 0, "that is no HTTP/2");
    }
    return events_;
}

// Answers.

void h2_server_session::answer(std::uint32_t stream_number, server_reply const& reply, std::string_view date)
{
    auto* const s = find(static_cast<std::int32_t>(stream_number));
    if (s == nullptr || std::exchange(s->answered, true))
        return;
    s->reset_after = reply.reset_stream;
    s->surplus = reply.surplus;
    if (reply.part == fault::part::nothing)
        return complete(*s);
    if (reply.raw) {
        put(std::string_view(reply.body)
                .substr(0, reply.part == fault::part::whole ? reply.body.size() : reply.body.size() / 2));
        return complete(*s);
    }

    auto const status = std::to_string(reply.status);
    auto const size = std::to_string(reply.body.size());
    std::vector<nghttp2_nv> fields;
    auto const add = [&](std::string_view name, std::string_view value) {
        // nghttp2 copies, but takes what is not const.
        auto const bytes = [](std::string_view text) {
            return const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(text.data()));
        };
        fields.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    };
    add(":status", status);
    add("date", date);
    if (reply.may_have_body()) {
        if (!reply.body.empty())
            add("content-type", reply.content_type);
        add("content-length", size);
    }
    for (std::string_view rest = reply.fields; !rest.empty();) {
        auto const line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(std::min(rest.size(), line.size() + 2));
        auto const colon = line.find(':');
        if (colon != std::string_view::npos)
            add(line.substr(0, colon), line.substr(std::min(line.size(), line.find_first_not_of(' ', colon + 1))));
    }

    if (reply.may_have_body() && !reply.bodiless)
        s->answer = reply.body;
    s->ends = reply.part == fault::part::whole;
    s->answer_limit = s->ends ? s->answer.size() : reply.part == fault::part::half ? s->answer.size() / 2 : 0;
    nghttp2_data_provider const body{.source = {}, .read_callback = h2_server_callbacks::answer_left};
    bool const head_only = s->ends && s->answer.empty();
    if (nghttp2_submit_response(session_, s->id, fields.data(), fields.size(), head_only ? nullptr : &body) != 0)
        exhausted();
}

// All that was to leave of an answer is in the output.
void h2_server_session::complete(stream& s)
{
    if (std::exchange(s.complete, true))
        return;
    if (writing_)
        happened(event::kind::sent, s.id);
    else
        complete_.push_back(s.id);
    raw_.append(s.surplus);
    if (s.reset_after && !s.ends)
        reset(static_cast<std::uint32_t>(s.id), *s.reset_after);
}

void h2_server_session::reset(std::uint32_t stream_number, h2_error code)
{
    auto* const s = find(static_cast<std::int32_t>(stream_number));
    if (s == nullptr || std::exchange(s->reset_ordered, true))
        return;
    s->answered = true;
    if (nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, s->id, static_cast<std::uint32_t>(code)) != 0)
        exhausted();
}

void h2_server_session::go_away(h2_error code, std::uint32_t last)
{
    if (last != any_stream)
        going_away_ = true;
    auto const error = last == any_stream
                           ? nghttp2_submit_shutdown_notice(session_)
                           : nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(last),
                                                   static_cast<std::uint32_t>(code), nullptr, 0);
    if (error == NGHTTP2_ERR_NOMEM)
        exhausted();
}

void h2_server_session::set_streams(std::uint32_t n)
{
    settings_.streams = n;
    nghttp2_settings_entry const one{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, n};
    if (nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &one, 1) == NGHTTP2_ERR_NOMEM)
        exhausted();
}

auto h2_server_session::write(std::string& to) -> std::span<event const>
{
    begin_events();
    if (dead_)
        return {};
    for (auto const id : std::exchange(complete_, {}))
        happened(event::kind::sent, id);
    writing_ = true;
    for (;;) {
        std::uint8_t const* bytes = nullptr;
        auto const n = nghttp2_session_mem_send(session_, &bytes);
        if (n < 0)
            exhausted();
        if (n == 0)
            break;
        to.append(reinterpret_cast<char const*>(bytes), static_cast<std::size_t>(n));
    }
    writing_ = false;
    to.append(std::exchange(raw_, {}));
    return events_;
}

bool h2_server_session::over() const noexcept
{
    return dead_
           || (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0 && raw_.empty());
}

}  // namespace jeton::testing
