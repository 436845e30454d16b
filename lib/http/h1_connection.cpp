// SPDX-License-Identifier: BSL-1.0
#include "http/h1_connection.hpp"

#include "base/cancellation.hpp"
#include "base/duration_text.hpp"
#include "http/request_access.hpp"
#include "http/sansio/h1_request_writer.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <cassert>
#include <new>
#include <string>
#include <utility>

namespace jeton::http {

namespace {

using direction = net::stream::direction;
using step_kind = h1_response_decoder::step::kind;

// Most answers to an API call fit into the first; bodies of unknown length are read in the second.
constexpr std::size_t small_read = 4 * 1024;
constexpr std::size_t large_read = 16 * 1024;

// What an idle connection may keep for the next request.
constexpr std::size_t kept_buffer = 64 * 1024;

// A fast peer does not keep others from running: after so many reads in a row they get their turn.
constexpr int reads_in_a_row = 64;

// An upload that never has to wait would not hear an early answer; this often it listens. 1 MiB of TLS records.
constexpr int writes_in_a_row = 64;

}  // namespace

// Ends a wait for the stream to take more bytes. Such waits are rare, so it does not lie in the frame of every request.
class h1_connection::write_limit final : public timer {
public:
    explicit write_limit(net::stream& s) : stream_(s) {}
    void on_due() override { stream_.cancel(); }

private:
    net::stream& stream_;
};

h1_connection::h1_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers, answer_limits const& limits)
    : stream_(std::move(bytes)), timers_(timers), limits_(limits), decoder_(limits)
{}

h1_connection::~h1_connection() { close(); }

void h1_connection::start(asio::any_io_executor const& home)
{
    home_ = home;
    watch();
}

// A connection that will not carry another request has an answer to bring to its end all the same.
void h1_connection::watch()
{
    if (state_ == state::closed || (spent_ != nullptr && state_ != state::exchanging))
        return;
    try {
        stream_->when_readable(std::shared_ptr<watcher>(shared_from_this(), this), home_);
    } catch (std::bad_alloc const&) {
        on_starved();
    }
}

// An error shows itself again, and with its meaning, when reading.
void h1_connection::on_ready()
{
    if (state_ == state::closed)
        return;
    auto const self = shared_from_this();
    if (on_readable()) {
        // What TLS has read ahead needs no waiting for, so the others' turn has to be made.
        try {
            asio::post(home_, [self] { self->on_ready(); });
        } catch (std::bad_alloc const&) {
            on_starved();
        }
    } else {
        watch();
    }
    // The last thing done, so whatever the requester does meets a connection that has done with its answer.
    if (state_ == state::settled)
        answered_.resume_all();
}

// Nobody watches any more.
void h1_connection::on_starved()
{
    spend("out of memory");
    settle(std::make_error_code(std::errc::not_enough_memory), "there is no memory to wait for the answer");
    answered_.wake_all();
    if (state_ == state::idle && keeper_ != nullptr)
        std::exchange(keeper_, nullptr)->on_spent(*this);
}

// Returns whether there is more to read, but others should have their turn first.
bool h1_connection::on_readable()
{
    if (state_ != state::exchanging) {
        on_stir();
        return false;
    }
    try {
        return read_answer();
    } catch (std::bad_alloc const&) {
        settle(std::make_error_code(std::errc::not_enough_memory), "there is no memory for the answer");
    }
    return false;
}

// Something happened while nobody waits for an answer. TLS tickets and the like are taken care of by the stream.
void h1_connection::on_stir()
{
    if (fit() || state_ != state::idle || keeper_ == nullptr)
        return;
    std::exchange(keeper_, nullptr)->on_spent(*this);
}

bool h1_connection::fit()
{
    if (spent_ != nullptr)
        return false;
    switch (stream_->check_silence()) {
    case net::stream::silence::kept: return true;
    // RFC 9112 §9.2: such bytes are no answer to what has not been asked yet.
    case net::stream::silence::broken: spend("unexpected bytes"); break;
    case net::stream::silence::over: spend("closed by peer"); break;
    }
    return false;
}

bool h1_connection::read_answer()
{
    for (int i = 0; i < reads_in_a_row && state_ == state::exchanging; ++i) {
        // The body goes straight to where it stays if its place is known.
        bool const direct = in_.empty() && builder_.started() && decoder_.content_left() > 0;
        auto room = direct ? builder_.body_room(1) : in_.prepare(large_reads_ ? large_read : small_read);
        if (direct)
            room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), decoder_.content_left())));

        auto const got = stream_->read_some(room);
        if (got.would_block())
            return false;
        if (got.error) {
            on_read_error(got.error);
            return false;
        }
        settled_at_ = timers_.now();
        if (!first_byte_at_)
            first_byte_at_ = settled_at_;
        if (direct) {
            builder_.commit(got.bytes);
            decoder_.content_taken(got.bytes);
        } else {
            in_.commit(got.bytes);
            large_reads_ = got.bytes == room.size();
        }
        for (bool more = true; more;) {
            auto const step = decoder_.feed(in_.bytes());
            more = take(step);
            in_.consume(step.consumed);
        }
        if (state_ == state::settled && !in_.empty())
            spend("unexpected bytes");  // RFC 9112 §6.3: they belong to no answer
    }
    return state_ == state::exchanging;
}

// Returns whether the decoder has more to say about what it was fed.
bool h1_connection::take(h1_response_decoder::step const& step)
{
    switch (step.what) {
    case step_kind::need_more: return false;
    case step_kind::interim: return true;
    case step_kind::head: {
        std::optional<std::uint64_t> expected{};
        if (step.framing == body_framing::length)
            expected = step.length;
        else if (step.framing == body_framing::none)
            expected = 0;
        builder_.start(step.status, in_.view().substr(0, step.consumed), step.fields, expected, secret_);
        if (!step.keep_alive)
            spend("closed after an answer");
        return true;
    }
    case step_kind::body: builder_.append(step.piece); return true;
    case step_kind::trailers: builder_.trailers(in_.view().substr(0, step.consumed), step.fields); return true;
    case step_kind::end: settle({}, nullptr); return false;
    case step_kind::failed: settle(step.code, step.why); return false;
    }
    return false;
}

void h1_connection::on_read_error(std::error_code error)
{
    spend("closed by peer");
    if (!decoder_.begun()) {
        lost_ = true;
        settle(error, "the connection died before an answer began");
        return;
    }
    bool const ended = error == net::errc::closed || error == net::errc::truncated || error == net::errc::reset;
    if (!ended) {
        settle(error, "the connection failed in the middle of the answer");
        return;
    }
    // RFC 9112 §8: whether what came is all there is depends on its framing, and on how the connection ended.
    auto const step = decoder_.on_eof(error == net::errc::closed);
    if (step.what == step_kind::end)
        settle({}, nullptr);
    else
        settle(step.code, step.why);
}

void h1_connection::settle(std::error_code code, char const* why)
{
    if (state_ != state::exchanging)
        return;
    state_ = state::settled;
    code_ = code;
    why_ = why;
    if (code)
        spend("failed");
    if (writing_)
        stream_->cancel();
}

void h1_connection::spend(char const* why) noexcept
{
    if (spent_ == nullptr)
        spent_ = why;
}

connection::outcome h1_connection::begin(exchange_order& order)
{
    assert(state_ == state::idle || state_ == state::closed);
    sent_before_ = stream_->bytes_sent();
    first_byte_at_.reset();
    aborted_.reset();
    lost_ = cut_short_ = false;
    if (spent_ != nullptr) {
        // It died between being handed over and being used.
        lost_ = true;
        last_used_ = timers_.now();
        code_ = net::errc::closed;
        why_ = "the connection died before the request was sent";
        return explain(phase::write);
    }

    request const& what = *order.what;
    state_ = state::exchanging;
    tidy_ = false;
    secret_ = what.has_secret_body();
    auto limits = limits_;
    limits.body = std::min(limits.body, request_access::longest_answer(what));
    decoder_.begin(what.method() == "HEAD" ? request_kind::head : request_kind::other, limits);
    try {
        body_left_ = write_request(out_, what, order.origin_head);
    } catch (std::bad_alloc const&) {
        return give_up(std::make_error_code(std::errc::not_enough_memory), phase::write,
                       "there is no memory for the request");
    }
    head_left_ = out_.view();
    writes_ = 0;
    return write_on(order);
}

connection::outcome h1_connection::write_on(exchange_order const& order)
{
    while (unsent() && state_ == state::exchanging) {
        auto& left = head_left_.empty() ? body_left_ : head_left_;
        auto const put = stream_->write_some(left);
        left.remove_prefix(put.bytes);
        if (put.error)
            on_write_error(put.error);
        else if (put.bytes == 0)
            return {};
        else if (++writes_ % writes_in_a_row == 0)
            read_to_the_last();
    }
    // RFC 9112 §9.5: whoever answers before all is sent gets no more of it, and the connection cannot go on.
    if (unsent()) {
        cut_short_ = true;
        spend("upload was cut short");
        head_left_ = body_left_ = {};
    }
    written_ = timers_.now();
    if (state_ != state::exchanging)
        return conclude(order);
    if (written_ >= due(order))
        return on_due(order);
    return {};
}

awaitable<woken> h1_connection::wait(exchange_order const& order)
{
    return unsent() ? wait_writable(order.deadline) : answered_.park(requester_, &timers_, due(order));
}

awaitable<woken> h1_connection::wait_writable(time_point until)
{
    write_limit limit(*stream_);
    timers_.arm(limit, until);
    writing_ = true;
    (void)co_await stream_->ready(direction::write);
    writing_ = false;
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    co_return cancelled(cancellation) ? woken::cancelled : woken::signalled;
}

connection::outcome h1_connection::proceed(exchange_order& order, woken why)
{
    if (state_ != state::exchanging) {
        if (unsent())
            return write_on(order);
        return conclude(order);
    }
    if (unsent()) {
        if (why == woken::cancelled)
            return give_up(jeton::errc::cancelled, phase::write, "cancelled while the request was being sent");
        if (timers_.now() >= order.deadline)
            return give_up(jeton::errc::timed_out, phase::write,
                           "the deadline passed while the request was being sent");
        return write_on(order);
    }
    if (why == woken::cancelled)
        return give_up(jeton::errc::cancelled, decoder_.begun() ? phase::body : phase::first_byte,
                       "cancelled while waiting for the answer");
    if (why == woken::timed_out)
        return on_due(order);
    return {};
}

time_point h1_connection::due(exchange_order const& order) const noexcept
{
    return decoder_.begun() ? order.deadline : std::min(order.deadline, saturating_add(written_, order.first_byte));
}

connection::outcome h1_connection::on_due(exchange_order const& order)
{
    auto const now = timers_.now();
    auto const where = decoder_.begun() ? phase::body : phase::first_byte;
    if (now >= order.deadline)
        return give_up(jeton::errc::timed_out, where,
                       "the deadline passed " + duration_text(now - written_) + " after the request was sent");
    if (!decoder_.begun())
        return give_up(jeton::errc::timed_out, where, "no answer began within " + duration_text(order.first_byte));
    return {};
}

result<response> h1_connection::conclude(exchange_order const& order)
{
    last_used_ = code_ ? timers_.now() : std::max(settled_at_, written_);
    if (code_) {
        auto const not_whole = decoder_.begun() ? phase::body : cut_short_ ? phase::write : phase::first_byte;
        auto why = explain(not_whole);
        finish();
        return why;
    }
    ++requests_;
    auto answer = builder_.finish();
    auto& info = response_access::info(answer);
    auto const first = std::max(first_byte_at_.value_or(last_used_), written_);
    info.reused = requests_ > 1;
    info.phases.write = written_ - order.begun;
    info.phases.first_byte = first - written_;
    info.phases.body = last_used_ - first;
    finish();
    return answer;
}

// Whatever is there. None of it may be left where only TLS knows of it, since the watcher waits for the socket.
void h1_connection::read_to_the_last()
{
    while (on_readable()) {
    }
}

void h1_connection::on_write_error(std::error_code error)
{
    // An answer that refuses the rest may be there already (RFC 9112 §9.5), and nothing will call for it any more.
    read_to_the_last();
    lost_ = lost_ || !decoder_.begun();
    settle(error, "the connection died while the request was being sent");
    spend("closed by peer");
}

delivery h1_connection::delivered() const noexcept
{
    if (decoder_.begun() && first_byte_at_)
        return delivery::answered;
    return stream_->bytes_sent() == sent_before_ ? delivery::not_sent : delivery::maybe_processed;
}

failure h1_connection::explain(phase where) const
{
    auto const how_far = delivered();
    if (aborted_)
        return aborted_->with(where).with(how_far);
    if (lost_ && requests_ > 0)
        return {errc::connection_lost, where, how_far,
                std::string(why_) + "; it had carried " + std::to_string(requests_) + " before"};
    return {code_, where, how_far, told(why_ != nullptr ? why_ : "")};
}

diagnostics h1_connection::told(std::string ours) const
{
    diagnostics diag;
    diag.ours = std::move(ours);
    if (delivered() == delivery::answered && decoder_.status() != 0)
        diag.http_status = static_cast<std::uint16_t>(decoder_.status());
    return diag;
}

failure h1_connection::give_up(std::error_code code, phase where, std::string ours)
{
    spend("request was given up");
    last_used_ = timers_.now();
    failure why(code, where, delivered(), told(std::move(ours)));
    finish();
    return why;
}

void h1_connection::finish() noexcept
{
    state_ = state::idle;
    head_left_ = body_left_ = {};
    builder_.reset();
    if (secret_ || spent_ != nullptr) {
        in_.wipe();
        out_.wipe();
    }
    out_.clear();
    for (auto* buffer : {&in_, &out_})
        if (buffer->capacity() > kept_buffer)
            buffer->release();
}

void h1_connection::release_buffers() noexcept
{
    if (state_ != state::idle)
        return;
    tidy_ = true;
    in_.release();
    out_.release();
    stream_->release_buffers();
}

void h1_connection::abort(failure const& why)
{
    if (state_ != state::exchanging)
        return;
    aborted_ = why;
    settle(why.code(), nullptr);
    answered_.wake_all();
}

void h1_connection::break_off() noexcept
{
    spend("request was given up");
    writing_ = false;
    if (state_ == state::exchanging || state_ == state::settled)
        finish();
}

void h1_connection::close() noexcept
{
    if (state_ == state::closed)
        return;
    state_ = state::closed;
    spend("closed");
    keeper_ = nullptr;
    stream_->close();
    in_.release();
    out_.release();
}

}  // namespace jeton::http
