// SPDX-License-Identifier: BSL-1.0
#include "testing/http_server.hpp"
#include "testing/sansio/h2_server_session.hpp"
#include "testing/server_connection.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

namespace jeton::testing {

namespace {

// GOAWAY's last stream for a request on `stream`.
std::uint32_t last_stream(fault::last_stream which, std::uint32_t stream) noexcept
{
    using enum fault::last_stream;
    switch (which) {
    case this_one: return stream;
    case the_one_before: return stream < 2 ? 0 : stream - 2;
    case none: return 0;
    case any: break;
    }
    return h2_server_session::any_stream;
}

}  // namespace

/// A connection that speaks HTTP/2: the hands of `h2_server_session`. One coroutine reads; what there is to write leaves at the end
/// of each turn, and when a delay has passed; a second coroutine exists while the stream takes no more.
class http_server::h2_conversation final : public std::enable_shared_from_this<h2_conversation> {
public:
    h2_conversation(std::shared_ptr<http_server> server, std::shared_ptr<connection> c)
        : server_(std::move(server)),
          connection_(std::move(c)),
          session_({.streams = connection_->reply.max_streams.value_or(server_->max_streams_),
                    .gives_window_back = !connection_->reply.no_window_updates})
    {
        connection_->h2 = this;
        latest_asked_ = server_->timers_.now();
    }

    bool over() const noexcept { return over_; }

    void feed(std::string_view bytes)
    {
        if (!silent_ && !ending_)
            hear(session_.feed(bytes));
    }

    void set_streams(std::uint32_t n)
    {
        session_.set_streams(n);
        flush();
    }

    /// Writes what there is to write, as far as the stream takes it, and then does to the connection what is to be done.
    void flush()
    {
        while (!over_ && !blocked_ && !silent_) {
            if (!ending_)
                hear(session_.write(out_));
            if (out_.size() == written_)
                break;
            while (written_ != out_.size() && !over_ && !blocked_) {
                auto const m = connection_->tls.write_some(std::string_view(out_).substr(written_));
                written_ += m.bytes;
                if (m.error)
                    end(fault::ending::close);
                else if (m.would_block())
                    wait();
            }
            if (written_ == out_.size()) {
                out_.clear();
                written_ = 0;
            }
        }
        if (over_ || blocked_)
            return;
        if (ending_)
            end(*ending_);
        else if (!silent_ && session_.over())
            end(fault::ending::close);
    }

    /// Nothing is asked for: how long is that to be borne?
    void watch_idleness()
    {
        auto const limit = duration(server_->idle_.load(std::memory_order_relaxed));
        if (limit > duration::zero() && exchanges_.empty() && !silent_)
            server_->timers_.arm(idle_, saturating_add(latest_asked_, limit));
    }
    void do_not_watch_idleness() noexcept { idle_.disarm(); }

    /// Nobody will hear of the rest.
    void abandon()
    {
        over_ = true;
        connection_->h2 = nullptr;
        idle_.disarm();
        for (auto const& [id, x] : exchanges_)
            server_->handler_.on_done(x->reply);
        exchanges_.clear();
    }

private:
    using kind = h2_server_session::event::kind;

    // One request from its arrival until its stream is none any more; as a timer, the end of its delay.
    struct exchange final : timer {
        exchange(h2_conversation& owner, std::uint32_t number) : of(owner), stream(number) {}
        void on_due() override
        {
            auto& conversation = of;
            conversation.answer(*this);
            conversation.flush();
        }

        h2_conversation& of;
        std::uint32_t stream;
        server_reply reply{};
    };

    struct idleness final : timer {
        explicit idleness(h2_conversation& owner) : of(owner) {}
        void on_due() override
        {
            of.session_.go_away(h2_error::no_error, of.session_.latest());
            of.flush();
        }

        h2_conversation& of;
    };

    void hear(std::span<h2_server_session::event const> events)
    {
        auto& handler = server_->handler_;
        for (auto const& e : events) {
            switch (e.what) {
            case kind::opened: handler.on_stream(session_.open()); break;
            case kind::request: ask(*e.request); break;
            case kind::unacceptable: {
                auto& x = begin(e.stream);
                x.reply.json(e.status, R"({"message":")");
                x.reply.body.append(e.why).append("\"}");
                handler.on_rejected(x.reply);
                answer(x);
                break;
            }
            case kind::sent:
                if (auto const x = exchanges_.find(e.stream); x != exchanges_.end())
                    sent(x->second->reply.ending);
                break;
            case kind::closed:
                if (e.cancelled)
                    handler.on_stream_cancelled();
                finish(e.stream);
                break;
            case kind::malformed:
            case kind::broken: {
                server_reply none;
                handler.on_rejected(none);
                break;
            }
            case kind::over_limit: handler.on_stream_over_limit(); break;
            }
        }
    }

    exchange& begin(std::uint32_t stream)
    {
        auto& x = exchanges_[stream];
        x = std::make_unique<exchange>(*this, stream);
        return *x;
    }

    void ask(server_request const& request)
    {
        auto asked = request;
        asked.connection = connection_->number;
        latest_asked_ = server_->timers_.now();
        auto& x = begin(request.stream);
        auto& reply = x.reply;
        server_->handler_.on_request(asked, reply);

        auto const most = server_->requests_per_connection_.load(std::memory_order_relaxed);
        ++asked_for_;
        if (reply.max_streams)
            session_.set_streams(*reply.max_streams);
        if (reply.go_away)
            session_.go_away(reply.go_away->code, last_stream(reply.go_away->last, request.stream));
        else if (most != 0 && asked_for_ == most)
            session_.go_away(h2_error::no_error, request.stream);

        if (reply.delay > duration::zero())
            server_->timers_.arm_after(x, reply.delay);
        else
            answer(x);
    }

    void answer(exchange& x) { session_.answer(x.stream, x.reply, server_->date()); }

    // The answer has left, as far as it was to.
    void sent(fault::ending then)
    {
        switch (then) {
        case fault::ending::keep_open:
        case fault::ending::hang: break;
        case fault::ending::stall:
        case fault::ending::close:
        case fault::ending::close_without_notify:
        case fault::ending::reset:
            if (!ending_)
                ending_ = then;
            break;
        }
    }

    void finish(std::uint32_t stream)
    {
        auto const x = exchanges_.find(stream);
        if (x == exchanges_.end())
            return;
        auto const gone = std::move(x->second);
        exchanges_.erase(x);
        gone->disarm();
        latest_asked_ = server_->timers_.now();
        server_->handler_.on_done(gone->reply);
    }

    void end(fault::ending how)
    {
        auto& c = *connection_;
        ending_.reset();
        switch (how) {
        case fault::ending::keep_open:
        case fault::ending::hang: return;
        case fault::ending::stall: silent_ = true; return;
        case fault::ending::reset: c.reset(); break;
        case fault::ending::close_without_notify:
            c.lower.mute();
            c.tls.close();
            break;
        case fault::ending::close:
            // What the kernel holds unread when the socket is closed would make it send an RST, which may overtake the
            // last frames.
            for (int i = 0; i != 256 && c.tls.read_some(c.in).bytes != 0; ++i) {
            }
            c.tls.close();
            break;
        }
        over_ = true;
    }

    void wait()
    {
        blocked_ = true;
        asio::co_spawn(server_->io_, wait_writable(shared_from_this()), asio::detached);
    }

    static asio::awaitable<void> wait_writable(std::shared_ptr<h2_conversation> self)
    {
        auto const error = co_await self->connection_->tls.ready(net::stream::direction::write);
        self->blocked_ = false;
        if (!error)
            self->flush();
    }

    std::shared_ptr<http_server> server_;
    std::shared_ptr<connection> connection_;
    h2_server_session session_;
    std::map<std::uint32_t, std::unique_ptr<exchange>> exchanges_{};
    idleness idle_{*this};
    std::string out_{};
    std::size_t written_ = 0;
    std::optional<fault::ending> ending_{};  // once everything before it has been written
    time_point latest_asked_{};
    std::uint64_t asked_for_ = 0;
    bool blocked_ = false;  // the stream takes no more
    bool silent_ = false;
    bool over_ = false;
};

asio::awaitable<void> http_server::converse_h2(std::shared_ptr<connection> c)
{
    auto const conversation = std::make_shared<h2_conversation>(shared_from_this(), c);
    struct at_the_end {
        h2_conversation& of;
        ~at_the_end() { of.abandon(); }
    } const until_then{*conversation};

    conversation->flush();
    while (!conversation->over()) {
        auto const m = c->tls.read_some(c->in);
        if (m.error)
            co_return;
        if (m.bytes != 0) {
            conversation->feed({c->in.data(), m.bytes});
            continue;
        }
        conversation->flush();
        if (conversation->over())
            co_return;
        conversation->watch_idleness();
        auto const error = co_await c->tls.ready(net::stream::direction::read);
        conversation->do_not_watch_idleness();
        if (error)
            co_return;
    }
}

void http_server::set_max_streams(std::uint32_t n)
{
    max_streams_ = n;
    for (auto* c : connections_)
        if (c->h2 != nullptr)
            c->h2->set_streams(n);
}

}  // namespace jeton::testing
