// SPDX-License-Identifier: BSL-1.0
#include "http/h1_connection.hpp"

#include "base/cancellation.hpp"
#include "base/duration_text.hpp"
#include "http/request_access.hpp"
#include "http/sansio/h1_request_writer.hpp"

#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

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
    try {
        asio::co_spawn(home, watch(shared_from_this()), asio::detached);
    } catch (std::bad_alloc const&) {
        on_starved();
    }
}

awaitable<void> h1_connection::watch(std::shared_ptr<h1_connection> self)
{
    // A connection that will not carry another request has an answer to bring to its end all the same.
    try {
        while (self->state_ != state::closed && (self->spent_ == nullptr || self->state_ == state::exchanging)) {
            // An error shows itself again, and with its meaning, when reading.
            (void)co_await self->stream_->ready(direction::read);
            bool more = self->state_ != state::closed && self->on_readable();
            while (more) {
                // What TLS has read ahead needs no waiting for, so the others' turn has to be made.
                auto const executor = co_await asio::this_coro::executor;
                co_await asio::post(executor, asio::use_awaitable);
                more = self->state_ != state::closed && self->on_readable();
            }
        }
    } catch (std::bad_alloc const&) {
        self->on_starved();
    }
}

// Nobody watches any more.
void h1_connection::on_starved()
{
    spend("out of memory");
    settle(std::make_error_code(std::errc::not_enough_memory), "there is no memory to wait for the answer");
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
        if (!first_byte_at_)
            first_byte_at_ = timers_.now();
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
    answered_.wake_all();
}

void h1_connection::spend(char const* why) noexcept
{
    if (spent_ == nullptr)
        spent_ = why;
}

awaitable<void> h1_connection::wait_writable(time_point until)
{
    write_limit limit(*stream_);
    timers_.arm(limit, until);
    writing_ = true;
    (void)co_await stream_->ready(direction::write);
    writing_ = false;
}

awaitable<result<response>> h1_connection::exchange(exchange_order const& order)
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
        co_return explain(phase::write);
    }

    request const& what = *order.what;
    state_ = state::exchanging;
    tidy_ = false;
    secret_ = what.has_secret_body();
    auto limits = limits_;
    limits.body = std::min(limits.body, request_access::longest_answer(what));
    decoder_.begin(what.method() == "HEAD" ? request_kind::head : request_kind::other, limits);

    std::string_view rest;
    try {
        rest = write_request(out_, what, order.origin_head);
    } catch (std::bad_alloc const&) {
        co_return give_up(std::make_error_code(std::errc::not_enough_memory), phase::write,
                          "there is no memory for the request");
    }
    int writes = 0;
    for (std::string_view left : {out_.view(), rest}) {
        while (!left.empty() && state_ == state::exchanging) {
            auto const put = stream_->write_some(left);
            left.remove_prefix(put.bytes);
            if (put.error) {
                on_write_error(put.error);
            } else if (put.bytes != 0) {
                if (++writes % writes_in_a_row == 0)
                    read_to_the_last();
            } else {
                co_await wait_writable(order.deadline);
                if (state_ != state::exchanging)
                    break;
                auto const cancellation = co_await asio::this_coro::cancellation_state;
                if (cancelled(cancellation))
                    co_return give_up(jeton::errc::cancelled, phase::write,
                                      "cancelled while the request was being sent");
                if (timers_.now() >= order.deadline)
                    co_return give_up(jeton::errc::timed_out, phase::write,
                                      "the deadline passed while the request was being sent");
            }
        }
        // RFC 9112 §9.5: whoever answers before all is sent gets no more of it, and the connection cannot go on.
        if (!left.empty()) {
            cut_short_ = true;
            spend("upload was cut short");
        }
    }
    auto const written = timers_.now();

    auto now = written;
    while (state_ == state::exchanging) {
        auto const limit = saturating_add(written, order.first_byte);
        auto const until = decoder_.begun() ? order.deadline : std::min(order.deadline, limit);
        auto const cancellation = co_await asio::this_coro::cancellation_state;
        auto why = cancelled(cancellation) ? woken::cancelled : woken::timed_out;
        if (why != woken::cancelled && now < until)
            why = co_await answered_.park(requester_, timers_, until);
        if (state_ != state::exchanging)
            break;
        auto const where = decoder_.begun() ? phase::body : phase::first_byte;
        if (why == woken::cancelled)
            co_return give_up(jeton::errc::cancelled, where, "cancelled while waiting for the answer");
        if (why == woken::timed_out) {
            now = timers_.now();
            if (now >= order.deadline)
                co_return give_up(jeton::errc::timed_out, where,
                                  "the deadline passed " + duration_text(now - written)
                                      + " after the request was sent");
            if (!decoder_.begun())
                co_return give_up(jeton::errc::timed_out, where,
                                  "no answer began within " + duration_text(order.first_byte));
        }
    }

    last_used_ = timers_.now();
    if (code_) {
        auto const not_whole = decoder_.begun() ? phase::body : cut_short_ ? phase::write : phase::first_byte;
        auto why = explain(not_whole);
        finish();
        co_return why;
    }
    ++requests_;
    auto answer = builder_.finish();
    auto& info = response_access::info(answer);
    auto const first = std::max(first_byte_at_.value_or(last_used_), written);
    info.reused = requests_ > 1;
    info.phases.write = written - order.begun;
    info.phases.first_byte = first - written;
    info.phases.body = last_used_ - first;
    finish();
    co_return answer;
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
