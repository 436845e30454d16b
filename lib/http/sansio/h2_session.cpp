// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h2_session.hpp"

#include "http/sansio/h2_callbacks.hpp"
#include "http/sansio/trailer_rule.hpp"

#include <jeton/base/error.hpp>
#include <jeton/http/error.hpp>

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <utility>

namespace jeton::http {

namespace {

// RFC 9113 §6.5.2: what a field takes in a header list besides its name and value.
constexpr std::size_t field_overhead = 32;

// Frames that may well come with one answer (interim answers, trailers, window updates, a ping).
constexpr int frames_per_answer = 8;

// What is sent before a connection is closed, if it can be sent at once.
constexpr std::size_t most_of_a_farewell = 16 * 1024;

}  // namespace

h2_session::h2_session(h2_limits const& limits, time_point now)
    : limits_(limits), guard_(limits.floods), resets_(limits.resets), now_(now), last_heard_(now)
{
    unreset_.reserve(limits_.streams);  // there can be no more
    auto memory = memory_.as_nghttp2();
    if (nghttp2_session_client_new3(&session_, h2_callbacks::all(), this, h2_callbacks::options(), &memory) != 0)
        throw std::bad_alloc();
    auto const head = static_cast<std::uint32_t>(
        std::min<std::size_t>(limits_.answers.head, std::numeric_limits<std::int32_t>::max()));
    nghttp2_settings_entry const ours[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head},
    };
    if (nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, ours, std::size(ours)) != 0
        || nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                                 static_cast<std::int32_t>(limits_.connection_window))
               != 0) {
        nghttp2_session_del(session_);
        throw std::bad_alloc();
    }
}

h2_session::~h2_session()
{
    while (first_ != nullptr)
        detach(*first_);
    nghttp2_session_del(session_);
}

// Events.

void h2_session::begin_events() noexcept
{
    events_.clear();
    shown_.clear();
}

auto h2_session::finish_events() -> std::span<event const>
{
    for (auto const& s : shown_) {
        events_[s.event].text = text_.view().substr(s.text, s.text_size);
        events_[s.event].fields = std::span(fields_).subspan(s.fields, s.fields_size);
    }
    return events_;
}

auto h2_session::tell(event::kind what) -> event&
{
    auto& e = events_.emplace_back();
    e.what = what;
    return e;
}

// The header block that was decoded last belongs to this event.
void h2_session::show_block(stream& s, event::kind as)
{
    auto& e = tell(as);
    e.of = &s;
    e.status = s.status_;
    shown_.push_back({.event = events_.size() - 1,
                      .text = block_text_,
                      .text_size = text_.size() - block_text_,
                      .fields = block_fields_,
                      .fields_size = fields_.size() - block_fields_});
}

// Streams.

void h2_session::attach(stream& s) noexcept
{
    if (first_ == nullptr) {
        first_ = s.next_ = s.previous_ = &s;
        waits_since_ = now_;
    } else {
        s.next_ = first_;
        s.previous_ = first_->previous_;
        s.previous_->next_ = first_->previous_ = &s;
    }
    ++attached_;
}

void h2_session::detach(stream& s) noexcept
{
    if (!s.open())
        return;
    nghttp2_session_set_stream_user_data(session_, s.id_, nullptr);
    if (decoding_ == &s)
        decoding_ = nullptr;
    if (s.next_ == &s) {
        first_ = nullptr;
    } else {
        s.next_->previous_ = s.previous_;
        s.previous_->next_ = s.next_;
        if (first_ == &s)
            first_ = s.next_;
    }
    s.next_ = s.previous_ = nullptr;
    --attached_;
}

bool h2_session::submit(stream& s, std::span<h2_field const> fields, std::string_view body, bool head,
                        std::size_t longest, time_point now)
{
    assert(!s.open());
    now_ = now;
    if (draining())
        return false;
    if (!unreset_.empty())
        catch_up_on_resets();
    constexpr std::size_t most = 64;
    nghttp2_nv few[most];
    std::unique_ptr<nghttp2_nv[]> many;
    auto* list = few;
    if (fields.size() > most) {
        many = std::make_unique<nghttp2_nv[]>(fields.size());
        list = many.get();
    }
    std::transform(fields.begin(), fields.end(), list, [](h2_field const& f) {
        // nghttp2 copies, but takes what is not const.
        auto const bytes = [](std::string_view text) {
            return const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(text.data()));
        };
        return nghttp2_nv{bytes(f.name), bytes(f.value), f.name.size(), f.value.size(),
                          static_cast<std::uint8_t>(f.sensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)};
    });
    nghttp2_data_provider source{};
    source.read_callback = h2_callbacks::body_left;
    auto const id =
        nghttp2_submit_request(session_, nullptr, list, fields.size(), body.empty() ? nullptr : &source, &s);
    if (id == NGHTTP2_ERR_NOMEM)
        throw std::bad_alloc();
    if (id < 0)
        return false;
    ++open_;
    s.id_ = id;
    s.body_ = body;
    s.longest_ = longest;
    s.bodiless_ = head;
    s.received_ = s.unread_ = 0;
    s.begins_at_ = UINT64_MAX;
    s.written_.reset();
    s.length_.reset();
    s.status_ = s.arriving_ = s.interims_ = 0;
    s.interim_bytes_ = 0;
    s.refused_ = false;
    attach(s);
    // RFC 9113 §5.1.1: when the ids have run out, a new connection is needed. Some are left for those that come before anybody hears of it.
    if (id > INT32_MAX - 1024)
        draining_ = true;
    return true;
}

void h2_session::consumed(stream& s, std::size_t bytes)
{
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, s.unread_));
    s.unread_ -= bytes;
    if (bytes != 0 && !dead_)
        nghttp2_session_consume(session_, s.id_, bytes);
}

void h2_session::cancel(std::int32_t id)
{
    if (nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL) == 0)
        ++resets_queued_;
}

void h2_session::reset(stream& s, time_point now)
{
    now_ = now;
    if (!s.open())
        return;
    bool const left = s.begins_at_ != UINT64_MAX;
    bool const unfinished = !s.body_.empty();
    detach(s);
    if (s.unread_ != 0)
        nghttp2_session_consume_connection(session_, static_cast<std::size_t>(std::exchange(s.unread_, 0)));
    if (!left) {
        // It is taken back before it was sent, which costs the peer nothing.
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, s.id_, NGHTTP2_INTERNAL_ERROR);
        return;
    }
    abandon(s.id_, unfinished);
}

// Nobody waits for its answer any more. A peer that is kept busy with resets has reason to end the connection (RFC 9113
// §10.5); so a stream that may not be reset now keeps its slot until its answer has come, which is thrown away, or until
// it may be. Where that would leave too few for others, another connection has to do.
void h2_session::abandon(std::int32_t id, bool unfinished)
{
    bool const may = resets_.spend(now_);
    if (may || unfinished)
        cancel(id);
    else
        unreset_.push_back(id);
    if ((!may && unfinished) || 2 * unreset_.size() > allowed())
        draining_ = true;
}

void h2_session::catch_up_on_resets()
{
    while (!unreset_.empty() && resets_.spend(now_)) {
        cancel(unreset_.front());
        unreset_.erase(unreset_.begin());
    }
}

// Ends a stream without doing anything about it at the peer.
void h2_session::fail(stream& s, std::error_code code, char const* why)
{
    detach(s);
    if (s.unread_ != 0)
        nghttp2_session_consume_connection(session_, static_cast<std::size_t>(std::exchange(s.unread_, 0)));
    auto& e = tell(event::kind::failed);
    e.of = &s;
    e.status = s.status_;
    e.code = code;
    e.why = why;
}

void h2_session::give_up(stream& s, std::error_code code, char const* why)
{
    fail(s, code, why);
    events_.back().unprocessed = false;
    abandon(s.id_, false);
}

void h2_session::refuse(stream& s, std::error_code code, char const* why)
{
    fail(s, code, why);
    events_.back().unprocessed = true;
}

// What nghttp2 says.

bool h2_session::on_field(std::string_view name, std::string_view value)
{
    auto& s = *decoding_;
    list_size_ += name.size() + value.size() + field_overhead;
    if (name.front() == ':') {
        // nghttp2 has seen to it that there are three digits.
        std::from_chars(value.data(), value.data() + value.size(), s.arriving_);
        if (s.arriving_ >= 100 && s.arriving_ < 600)
            return true;
        fail(s, errc::malformed_answer, "the status is not between 100 and 599");
        return false;
    }
    if (list_size_ > limits_.answers.head || fields_.size() - block_fields_ >= limits_.answers.fields
        || name.size() > UINT16_MAX) {
        fail(s, errc::header_too_large, "the header is larger than allowed");
        return false;
    }
    if (name == "content-length") {
        // Digits without overflow, and only one such field: nghttp2 again.
        std::uint64_t length = 0;
        std::from_chars(value.data(), value.data() + value.size(), length);
        s.length_ = length;
    }
    auto const at = static_cast<std::uint32_t>(text_.size() - block_text_);
    text_.prepare(name.size() + value.size());
    text_.append(name);
    text_.append(value);
    fields_.push_back({.name = at,
                       .value = at + static_cast<std::uint32_t>(name.size()),
                       .value_size = static_cast<std::uint32_t>(value.size()),
                       .name_size = static_cast<std::uint16_t>(name.size())});
    return true;
}

void h2_session::on_head(stream& s)
{
    if (s.status_ != 0) {
        auto const* const text = text_.data() + block_text_;
        fields_.erase(std::remove_if(fields_.begin() + static_cast<std::ptrdiff_t>(block_fields_), fields_.end(),
                                     [&](field_position const& f) {
                                         return belongs_into_head({text + f.name, f.name_size});
                                     }),
                      fields_.end());
        if (fields_.size() != block_fields_)
            show_block(s, event::kind::trailers);
        return;
    }
    if (s.arriving_ < 200) {
        s.interim_bytes_ += list_size_;
        s.length_.reset();
        if (++s.interims_ > limits_.answers.interim || s.interim_bytes_ > limits_.answers.interim_bytes)
            give_up(s, errc::too_many_interim, "more 1xx answers came before the final one than allowed");
        return;
    }
    s.status_ = s.arriving_;
    // RFC 9110 §6.4.1
    if (s.bodiless_ || s.status_ == 204 || s.status_ == 304)
        s.length_ = 0;
    if (s.length_ && *s.length_ > s.longest_) {
        give_up(s, errc::body_too_large, "the body is larger than allowed");
        return;
    }
    show_block(s, event::kind::head);
    events_.back().length = s.length_;
}

void h2_session::on_end(stream& s)
{
    guard_.on_answered(frames_per_answer);
    bool const unfinished = !s.body_.empty();
    detach(s);
    tell(event::kind::end).of = &s;
    // RFC 9113 §8.1: whoever answers before all is sent needs no more of it.
    if (unfinished)
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, s.id_, NGHTTP2_NO_ERROR);
}

void h2_session::on_closed(stream& s, std::uint32_t code)
{
    if (s.refused_) {
        refuse(s, errc::stream_refused, "the connection was on its way out before the request could be sent");
    } else if (s.id_ > last_served_) {
        refuse(s, errc::stream_refused, "the peer closes the connection and has not looked at the request");
    } else if (code == NGHTTP2_REFUSED_STREAM) {
        refuse(s, errc::stream_refused, "the peer refused to look at the request");
    } else if (code == NGHTTP2_HTTP_1_1_REQUIRED) {
        refuse(s, errc::http_1_1_required, "the peer wants this request over HTTP/1.1");
    } else {
        fail(s, errc::stream_reset, "the peer gave the request up");
    }
    events_.back().peer_code = nghttp2_http2_strerror(code);
}

void h2_session::on_go_away(std::int32_t last_served, std::uint32_t code)
{
    went_away_ = true;
    last_served_ = last_served;
    if (code == NGHTTP2_NO_ERROR)
        drain({}, "the peer closes the connection", nullptr);
    else
        drain(errc::h2_went_away, "the peer closes the connection for an error", nghttp2_http2_strerror(code));
}

void h2_session::drain(std::error_code code, char const* why, char const* peer_code)
{
    draining_ = true;
    auto& e = tell(event::kind::draining);
    e.code = code;
    e.why = why;
    e.peer_code = peer_code;
}

void h2_session::on_pong() noexcept
{
    ping_ = ping::none;
    if (std::exchange(held_by_ping_, 0) != 0)
        tell(event::kind::slots);
    if (held_ != 0)
        start_ping(ping::for_resets);
}

// Bytes.

std::span<h2_session::event const> h2_session::feed(std::string_view bytes, time_point now)
{
    begin_events();
    now_ = now;
    if (dead_ || bytes.empty())
        return {};
    last_heard_ = now;

    // What belongs to a header block that goes on is kept.
    if (decoding_ == nullptr) {
        text_.clear();
        fields_.clear();
    } else {
        text_.consume(block_text_);
        fields_.erase(fields_.begin(), fields_.begin() + static_cast<std::ptrdiff_t>(block_fields_));
    }
    block_text_ = block_fields_ = 0;

    bool const was_draining = draining_;
    auto const seen = guard_.look(bytes, now);
    auto const taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<std::uint8_t const*>(bytes.data()), seen.good);
    if (exhausted_ || taken == NGHTTP2_ERR_NOMEM)
        die(std::make_error_code(std::errc::not_enough_memory), "there is no memory for the answers",
            NGHTTP2_INTERNAL_ERROR);
    else if (taken < 0)
        // All that is left of what it gives up for: acknowledgements that pile up, settings or continuations without end.
        die(errc::h2_flood, "the peer sends more of something than anybody needs", NGHTTP2_ENHANCE_YOUR_CALM);
    else if (!went_away_ && !leaving_ && nghttp2_session_get_next_stream_id(session_) <= INT32_MAX
             && nghttp2_session_check_request_allowed(session_) == 0) {
        // nghttp2 has found fault with the connection; what with, its GOAWAY says.
        collect(farewell_, SIZE_MAX);
        die_of_farewell();
    }

    using verdict = h2_frame_guard::verdict;
    switch (padded_out_ ? verdict::flooded : seen.what) {
    case verdict::good: break;
    case verdict::not_h2: die(errc::not_h2, "the peer does not speak HTTP/2", NGHTTP2_PROTOCOL_ERROR); break;
    case verdict::pushed:
        die(errc::h2_protocol, "the peer pushes what nobody asked for", NGHTTP2_PROTOCOL_ERROR);
        break;
    case verdict::flooded:
        die(errc::h2_flood, "the peer sends more frames without progress than anybody needs",
            NGHTTP2_ENHANCE_YOUR_CALM);
        break;
    case verdict::endless_head:
        die(errc::h2_flood, "the peer sends a header without end", NGHTTP2_ENHANCE_YOUR_CALM);
        break;
    }
    if (!unreset_.empty() && !dead_)
        catch_up_on_resets();
    if (draining_ && !was_draining && !dead_)
        tell(event::kind::slots);
    return finish_events();
}

void h2_session::collect(wire_buffer& out, std::size_t limit)
{
    out_ = &out;
    out_limit_ = limit;
    // After the last farewell nothing makes sense any more.
    while (out.size() < limit && !(farewell_code_ && &out == &farewell_ && !out.empty())) {
        std::uint8_t const* bytes = nullptr;
        auto const size = nghttp2_session_mem_send(session_, &bytes);
        if (size <= 0) {
            exhausted_ = exhausted_ || size < 0;
            break;
        }
        out.append(view_of(bytes, static_cast<std::size_t>(size)));
        produced_ += static_cast<std::size_t>(size);
    }
    out_ = nullptr;
}

std::span<h2_session::event const> h2_session::write(wire_buffer& out, std::size_t limit, time_point now)
{
    begin_events();
    now_ = now;
    if (!dead_) {
        if (!settings_sent_)
            settings_sent_ = now;
        collect(out, limit);
        // RFC 9113 §6.7: it follows the resets, so that its acknowledgement says that they were seen.
        if (held_ != 0 && ping_ == ping::none) {
            start_ping(ping::for_resets);
            collect(out, limit);
        }
        if (exhausted_)
            die(std::make_error_code(std::errc::not_enough_memory), "there is no memory for the requests", {});
        else if (farewell_code_)
            die_of_farewell();
    }
    if (!farewell_.empty()) {
        out.append(farewell_.view());
        farewell_.release();
    }
    return finish_events();
}

bool h2_session::has_something_to_write() const noexcept
{
    return !farewell_.empty() || (!dead_ && nghttp2_session_want_write(session_) != 0);
}

// Ends.

void h2_session::die_of_farewell()
{
    auto const code = farewell_code_.value_or(NGHTTP2_PROTOCOL_ERROR);
    if (code == NGHTTP2_NO_ERROR)
        die(errc::connection_lost, "the connection was closed", {});
    else
        die(code_of(code), words_for(code), {});
}

void h2_session::die(std::error_code code, char const* why, std::optional<std::uint32_t> farewell)
{
    if (dead_)
        return;
    dead_ = draining_ = true;
    if (farewell && out_ == nullptr) {
        if (nghttp2_session_terminate_session(session_, *farewell) == 0)
            collect(farewell_, SIZE_MAX);
    }
    while (first_ != nullptr)
        fail(*first_, code, why);
    auto& e = tell(event::kind::dead);
    e.code = code;
    e.why = why;
}

std::span<h2_session::event const> h2_session::lose(std::error_code code, char const* why)
{
    begin_events();
    die(code, why, {});
    return finish_events();
}

void h2_session::say_good_bye(wire_buffer& out)
{
    if (!dead_) {
        nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
        draining_ = leaving_ = true;
    }
    (void)write(out, out.size() + most_of_a_farewell, now_);
}

// Slots and time.

std::uint32_t h2_session::allowed() const noexcept
{
    auto const theirs = settings_seen_
                            ? nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
                            : limits_.before_settings;
    return std::min(theirs, limits_.streams);
}

std::uint32_t h2_session::slots() const noexcept
{
    if (draining())
        return 0;
    auto const used = open_ + held_ + held_by_ping_;
    auto const most = allowed();
    return most > used ? most - used : 0;
}

std::uint32_t h2_session::capacity() const noexcept { return static_cast<std::uint32_t>(attached_) + slots(); }

void h2_session::start_ping(ping what)
{
    ++pings_;
    std::uint8_t opaque[sizeof pings_];
    std::memcpy(opaque, &pings_, sizeof opaque);
    if (nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, opaque) != 0)
        return;
    ping_ = what;
    pinged_ = now_;
    held_by_ping_ += std::exchange(held_, 0);
}

std::optional<time_point> h2_session::next_wakeup() const noexcept
{
    if (dead_)
        return {};
    auto next = time_point::max();
    if (settings_sent_ && !settings_acknowledged_)
        next = saturating_add(*settings_sent_, limits_.settings_ack);
    if (ping_ != ping::none) {
        // Whatever it sends shows that it lives. One that was only to show that it has seen resets may take its time.
        auto const wait = ping_ == ping::for_life ? limits_.ping_ack : limits_.silence + limits_.ping_ack;
        next = std::min(next, saturating_add(std::max(pinged_, last_heard_), wait));
    } else if (attached_ != 0) {
        next = std::min(next, saturating_add(std::max(last_heard_, waits_since_), limits_.silence));
    }
    return next == time_point::max() ? std::optional<time_point>() : next;
}

std::span<h2_session::event const> h2_session::on_time(time_point now)
{
    begin_events();
    auto const due = next_wakeup();
    now_ = now;
    if (!due || now < *due)
        return {};
    if (settings_sent_ && !settings_acknowledged_ && now >= saturating_add(*settings_sent_, limits_.settings_ack))
        die(errc::h2_settings_timeout, "the peer did not acknowledge our SETTINGS", NGHTTP2_SETTINGS_TIMEOUT);
    else if (ping_ != ping::none)
        die(errc::not_responding, "the peer did not answer a PING", NGHTTP2_NO_ERROR);
    else
        start_ping(ping::for_life);
    return finish_events();
}

void h2_session::release_buffers() noexcept
{
    if (decoding_ == nullptr) {
        text_.release();
        fields_ = {};
        block_text_ = block_fields_ = 0;
    }
    events_ = {};
    shown_ = {};
    memory_.trim();
}

}  // namespace jeton::http
