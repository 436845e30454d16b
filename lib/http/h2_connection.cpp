// SPDX-License-Identifier: BSL-1.0
#include "http/h2_connection.hpp"

#include "base/cancellation.hpp"
#include "base/duration_text.hpp"
#include "http/request_access.hpp"
#include "http/response_builder.hpp"

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
#include <utility>

namespace jeton::http {

namespace {

using direction = net::stream::direction;
using kind = h2_session::event::kind;

// A TLS record, which is the most that one read or write moves (RFC 8446 §5.1).
constexpr std::size_t record = 16 * 1024;

// A fast peer does not keep others from running: after so many reads or writes in a row they get their turn.
constexpr int moves_in_a_row = 64;

constexpr std::size_t kept_buffer = 64 * 1024;

}  // namespace

// One request on its way.
class h2_connection::call final : public exchange_state, public h2_session::stream {
public:
    static call& of(exchange_order const& order) noexcept { return static_cast<call&>(*order.state); }

    explicit call(h2_connection& owner) noexcept : owner_(owner) { ++owner_.running_; }
    ~call() override
    {
        // A frame that is destroyed while it waits: with its context, in which nothing will be written any more.
        if (open())
            owner_.session_.forget(*this);
        if (!finished)
            owner_.finish(*this);
    }

    void settle()
    {
        settled = true;
        done.wake_all();
    }

    response_builder builder{};
    parking done{};
    parking::spot requester{};
    std::optional<time_point> first_byte_at{};
    time_point looked_at{};  // for what is due
    time_point settled_at{};
    std::error_code code{};  // once settled: empty for a complete answer
    char const* why = nullptr;
    char const* peer_code = nullptr;
    bool settled = false;
    bool reused = false;  // the connection
    bool unprocessed = false;
    bool secret = false;
    bool finished = false;

private:
    h2_connection& owner_;
};

h2_connection::h2_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers, h2_limits const& limits)
    : stream_(std::move(bytes)), timers_(timers), session_(limits, timers.now()), told_capacity_(session_.capacity())
{}

h2_connection::~h2_connection() { close(); }

void h2_connection::start(asio::any_io_executor const& home)
{
    home_ = home;
    asio::co_spawn(home, watch(shared_from_this()), asio::detached);
    // RFC 9113 §3.4: the preface leaves at once, so that the peer's SETTINGS and ours need no request to wait for.
    flush_later();
}

awaitable<void> h2_connection::watch(std::shared_ptr<h2_connection> self)
{
    while (!self->closed_ && !self->session_.dead()) {
        // An error shows itself again, and with its meaning, when reading.
        (void)co_await self->stream_->ready(direction::read);
        bool more = true;
        while (more && !self->closed_ && !self->session_.dead()) {
            more = self->read();
            self->look_after();
            if (more) {
                auto const executor = co_await asio::this_coro::executor;
                co_await asio::post(executor, asio::use_awaitable);
            }
        }
    }
}

// Returns whether there is more to read, but others should have their turn first.
bool h2_connection::read()
{
    auto const now = timers_.now();
    for (int i = 0; i != moves_in_a_row; ++i) {
        try {
            auto const room = in_.prepare(record);
            auto const got = stream_->read_some(room);
            if (got.would_block()) {
                // An idle connection holds no buffers, although the peer has something to say now and then.
                if (tidy_)
                    in_.release();
                return false;
            }
            if (got.error) {
                lose(got.error, "the connection died");
                return false;
            }
            in_.commit(got.bytes);
            hear(session_.feed(in_.view(), now), now);
            in_.consume(got.bytes);
        } catch (std::bad_alloc const&) {
            lose(std::make_error_code(std::errc::not_enough_memory), "there is no memory for the answers");
        }
        if (session_.dead())
            return false;
    }
    return true;
}

void h2_connection::hear(std::span<h2_session::event const> events, time_point now)
{
    for (auto const& e : events) {
        auto* const of = static_cast<call*>(e.of);
        if (of != nullptr && of->settled)
            continue;
        switch (e.what) {
        case kind::head: begin_answer(*of, e, now); break;
        case kind::data:
            session_.consumed(*of, e.piece.size());
            try {
                of->builder.append(e.piece);
            } catch (std::bad_alloc const&) {
                starve(*of, now);
            }
            break;
        case kind::trailers: try { of->builder.trailers(e.text, e.fields);
            } catch (std::bad_alloc const&) {
                starve(*of, now);
            }
            break;
        case kind::end:
            of->settled_at = now;
            of->settle();
            break;
        case kind::failed:
            of->code = e.code;
            of->why = e.why;
            of->peer_code = e.peer_code;
            of->unprocessed = e.unprocessed;
            of->settle();
            break;
        case kind::slots: break;
        case kind::draining: spend(e.code ? "told to go away for an error" : "told to go away"); break;
        case kind::dead:
            spend(e.why);
            // Requests that were not sent are reported as such, so they must not be sent any more.
            mute_ = !out_.empty();
            break;
        }
    }
    if (session_.draining())
        spend("no more streams");
}

void h2_connection::begin_answer(call& of, h2_session::event const& head, time_point now)
{
    of.first_byte_at = now;
    try {
        of.builder.start(head.status, head.text, head.fields, head.length, of.secret);
    } catch (std::bad_alloc const&) {
        starve(of, now);
    }
}

void h2_connection::starve(call& of, time_point now)
{
    session_.reset(of, now);
    of.code = std::make_error_code(std::errc::not_enough_memory);
    of.why = "there is no memory for the answer";
    of.settle();
}

// Writing.

// At the end of the turn: behind those who were woken, whose requests go into the same record.
void h2_connection::flush_later()
{
    if (flush_due_ || blocked_ || closed_ || mute_ || !home_)
        return;
    flush_due_ = true;
    asio::post(home_, [self = shared_from_this()] {
        self->flush_due_ = false;
        self->flush();
    });
}

void h2_connection::flush()
{
    if (closed_ || blocked_)
        return;
    for (int i = 0; i != moves_in_a_row && !mute_; ++i) {
        if (out_.size() < record && session_.has_something_to_write()) {
            auto const now = timers_.now();
            hear(session_.write(out_, record, now), now);
        }
        if (out_.empty() || !write_out())
            break;
    }
    if (out_.empty() && std::exchange(wipe_out_, false))
        out_.wipe();
    if (!out_.empty())
        flush_later();
    look_after();
}

// Returns whether the stream may take more.
bool h2_connection::write_out()
{
    auto const before = stream_->bytes_sent();
    auto const put = stream_->write_some(out_.view());
    auto const tried = std::min(out_.size(), record);
    out_.consume(put.bytes);
    handed_out_ += put.bytes;
    // Of a record that went halfway the peer can read nothing yet, but the rest may follow.
    perhaps_sent_ = std::max(perhaps_sent_, handed_out_);
    if (put.bytes == 0 && stream_->bytes_sent() != before)
        perhaps_sent_ = std::max(perhaps_sent_, handed_out_ + tried);
    if (put.error) {
        // What the peer had to say before it hung up still counts.
        (void)read();
        lose(put.error, "the connection died while requests were being sent");
        return false;
    }
    if (put.would_block()) {
        blocked_ = true;
        asio::co_spawn(home_, wait_writable(shared_from_this()), asio::detached);
        return false;
    }
    return true;
}

awaitable<void> h2_connection::wait_writable(std::shared_ptr<h2_connection> self)
{
    (void)co_await self->stream_->ready(direction::write);
    self->blocked_ = false;
    self->flush();
}

void h2_connection::lose(std::error_code error, char const* why)
{
    spend("closed by peer");
    if (!lost_)
        lost_ = error;
    hear(session_.lose(error, why), timers_.now());
}

// What has to be seen to once a turn's events have been dealt with. It may be destroyed afterwards.
void h2_connection::look_after()
{
    if (closed_)
        return;
    if (session_.has_something_to_write())
        flush_later();
    if (auto const next = session_.next_wakeup(); next && (!alarm_.armed() || *next < alarm_.due()))
        timers_.arm(alarm_, *next);
    if (keeper_ == nullptr)
        return;
    if (spent_ != nullptr && running_ == 0) {
        std::exchange(keeper_, nullptr)->on_spent(*this);
        return;
    }
    tell_capacity();
}

void h2_connection::tell_capacity()
{
    auto const now = capacity();
    auto const changed = now != std::exchange(told_capacity_, now);
    auto const learned = capacity_known() != std::exchange(told_known_, capacity_known());
    if ((changed || learned) && keeper_ != nullptr)
        keeper_->on_capacity(*this);
}

void h2_connection::alarm::on_due()
{
    auto const self = owner_.shared_from_this();
    auto const now = owner_.timers_.now();
    owner_.hear(owner_.session_.on_time(now), now);
    // Nobody wakes the watch of a connection that is dead to us only.
    if (owner_.session_.dead()) {
        owner_.flush();
        owner_.stream_->cancel();
    } else {
        owner_.look_after();
    }
}

bool h2_connection::fit()
{
    if (spent_ != nullptr)
        return false;
    if (running_ == 0) {
        switch (stream_->check_silence()) {
        case net::stream::silence::kept: break;
        case net::stream::silence::over: lose(net::errc::closed, "the connection died"); break;
        case net::stream::silence::broken:
            // A PING or SETTINGS are nothing special; GOAWAY is.
            (void)read();
            flush_later();
            break;
        }
    }
    return spent_ == nullptr;
}

void h2_connection::spend(char const* why) noexcept
{
    if (spent_ == nullptr)
        spent_ = why;
}

// Exchanges.

connection::outcome h2_connection::begin(exchange_order& order)
{
    order.state = std::make_unique<call>(*this);
    auto& me = call::of(order);
    request const& what = *order.what;
    bool sent = false;
    if (spent_ == nullptr) {
        tidy_ = false;
        me.secret = what.has_secret_body();
        auto const longest = std::min(session_.limits().answers.body, request_access::longest_answer(what));
        auto const& to = request_access::origin_of(what);
        try {
            sent = session_.submit(me, writer_.fields(what, order.origin_head, !to || to->secure), what.body(),
                                   what.method() == "HEAD", longest, order.begun);
        } catch (std::bad_alloc const&) {
            return give_up(me, std::make_error_code(std::errc::not_enough_memory), phase::write,
                           "there is no memory for the request");
        }
        if (!sent)
            spend("no more streams");
    }
    if (!sent) {
        // It died between being handed over and being used.
        me.unprocessed = true;
        me.code = net::errc::closed;
        me.why = "the connection died before the request was sent";
        auto const gone = explain(me, phase::write);
        finish(me);
        return gone;
    }
    me.reused = begun_++ != 0;
    me.looked_at = order.begun;
    flush_later();
    return {};
}

awaitable<woken> h2_connection::wait(exchange_order const& order)
{
    auto& me = call::of(order);
    auto const limit =
        me.answered() ? time_point::max() : saturating_add(me.written().value_or(me.looked_at), order.first_byte);
    return me.done.park(me.requester, &timers_, std::min(order.deadline, limit));
}

connection::outcome h2_connection::proceed(exchange_order& order, woken why)
{
    auto& me = call::of(order);
    if (me.settled)
        return conclude(me, order);
    auto const where = me.answered() ? phase::body : me.written() ? phase::first_byte : phase::write;
    if (why == woken::cancelled)
        return give_up(me, jeton::errc::cancelled, where,
                       where == phase::write ? "cancelled while the request was being sent"
                                             : "cancelled while waiting for the answer");
    if (why != woken::timed_out)
        return {};
    auto const now = me.looked_at = timers_.now();
    if (now >= order.deadline)
        return give_up(me, jeton::errc::timed_out, where,
                       where == phase::write ? "the deadline passed while the request was being sent"
                                             : "the deadline passed " + duration_text(now - *me.written())
                                                   + " after the request was sent");
    if (where == phase::first_byte && now >= saturating_add(*me.written(), order.first_byte))
        return give_up(me, jeton::errc::timed_out, where, "no answer began within " + duration_text(order.first_byte));
    return {};
}

result<response> h2_connection::conclude(call& of, exchange_order const& order)
{
    if (of.code) {
        last_used_ = timers_.now();
        auto const why = explain(of, of.answered() ? phase::body : of.written() ? phase::first_byte : phase::write);
        finish(of);
        return why;
    }
    last_used_ = of.settled_at;
    ++requests_;
    auto answer = of.builder.finish();
    auto& info = response_access::info(answer);
    auto const first = of.first_byte_at.value_or(last_used_);
    auto const written = std::min(of.written().value_or(first), first);
    info.reused = of.reused;
    info.phases.write = written - order.begun;
    info.phases.first_byte = first - written;
    info.phases.body = last_used_ - first;
    finish(of);
    return answer;
}

delivery h2_connection::delivered(call const& of, bool given_up) const noexcept
{
    if (of.answered())
        return delivery::answered;
    if (of.unprocessed || of.begins_at() == UINT64_MAX)
        return delivery::not_sent;
    // What is given up while it waits in the buffer is sent all the same, unless the connection died.
    return !given_up && session_.dead() && of.begins_at() >= perhaps_sent_ ? delivery::not_sent
                                                                           : delivery::maybe_processed;
}

failure h2_connection::explain(call const& of, phase where) const
{
    auto const how_far = delivered(of, false);
    if (aborted_)
        return aborted_->with(where).with(how_far);
    diagnostics diag;
    diag.ours = of.why != nullptr ? of.why : "";
    auto code = of.code;
    if (of.answered()) {
        diag.http_status = static_cast<std::uint16_t>(of.status());
        // RFC 9113 §8.1: only END_STREAM ends an answer.
        if (lost_ && code == lost_)
            code = errc::incomplete;
    } else if ((lost_ && code == lost_) || (of.unprocessed && code == net::errc::closed)) {
        if (requests_ > 0) {
            code = errc::connection_lost;
            diag.ours += "; it had carried " + std::to_string(requests_) + " before";
        }
    }
    if (of.peer_code != nullptr)
        diag.peer_code = of.peer_code;
    return {code, where, how_far, std::move(diag)};
}

failure h2_connection::give_up(call& of, std::error_code code, phase where, std::string ours)
{
    last_used_ = timers_.now();
    diagnostics diag;
    diag.ours = std::move(ours);
    if (of.answered())
        diag.http_status = static_cast<std::uint16_t>(of.status());
    failure why(code, where, delivered(of, true), std::move(diag));
    session_.reset(of, last_used_);
    if (session_.draining())
        spend("too many requests were given up");
    finish(of);
    flush_later();
    // Before anybody else is given the slot: it is not free yet.
    tell_capacity();
    return why;
}

void h2_connection::finish(call& of) noexcept
{
    of.finished = true;
    --running_;
    of.builder.reset();
    if (of.secret) {
        session_.wipe();
        if (in_.empty())
            in_.wipe();
        if (out_.empty())
            out_.wipe();
        else
            wipe_out_ = true;
    }
    for (auto* buffer : {&in_, &out_})
        if (buffer->empty() && buffer->capacity() > kept_buffer)
            buffer->release();
}

void h2_connection::release_buffers() noexcept
{
    if (running_ != 0 || !out_.empty())
        return;
    tidy_ = true;
    in_.release();
    out_.release();
    session_.release_buffers();
    stream_->release_buffers();
}

void h2_connection::abort(failure const& why)
{
    if (running_ == 0)
        return;
    aborted_ = why;
    spend("failed");
    hear(session_.lose(why.code(), nullptr), timers_.now());
}

void h2_connection::break_off() noexcept
{
    // Its stream has been forgotten; what the peer sends on it would be read for nothing.
    spend("request was given up");
}

void h2_connection::close() noexcept
{
    if (closed_)
        return;
    closed_ = true;
    spend("closed");
    keeper_ = nullptr;
    alarm_.disarm();
    try {
        // RFC 9113 §6.8: GOAWAY, if it can be had without waiting.
        session_.say_good_bye(out_);
        if (!blocked_ && !mute_ && !out_.empty())
            (void)stream_->write_some(out_.view());
    } catch (std::bad_alloc const&) {
        // Then without.
    }
    stream_->close();
    in_.release();
    out_.release();
}

}  // namespace jeton::http
