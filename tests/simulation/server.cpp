// SPDX-License-Identifier: BSL-1.0
#include "simulation/server.hpp"

#include "base/parking.hpp"
#include "net/tls_stream.hpp"
#include "testing/sansio/h2_server_session.hpp"
#include "testing/sansio/request_parser.hpp"
#include "testing/sansio/server_message.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace jeton::testing {

namespace {

constexpr std::string_view date = "Thu, 01 Jan 2026 00:00:00 GMT";

}  // namespace

// One connection: two coroutines, one that reads and one that writes.
class simulated_server::session : public std::enable_shared_from_this<session> {
public:
    session(simulated_server& of, std::unique_ptr<net::stream> bytes, unsigned connection)
        : server_(of), number_(connection), entries_(of.book_, connection, of.how_.h2)
    {
        if (of.how_.tls) {
            auto secure = std::make_unique<net::tls_stream>(std::move(bytes), of.how_.tls);
            tls = secure.get();
            stream = std::move(secure);
        } else {
            stream = std::move(bytes);
        }
        if (of.how_.h2)
            h2_.emplace(h2_server_settings{});
    }

    void feed(std::string_view bytes)
    {
        entries_.feed(bytes);
        if (gone_away_)
            // RFC 9113 §6.8: what is above is not looked at.
            for (auto& e : server_.book_)
                e.refused = e.refused || (e.connection == number_ && e.stream > *gone_away_);
        if (h2_)
            hear(h2_->feed(bytes));
        else
            feed_h1(bytes);
        server_.offended_ = server_.offended_ || entries_.confused();
        flush();
    }

    void flush()
    {
        if (h2_ && !ended)
            hear(h2_->write(out));
        to_write.wake_all();
    }

    void go_away(bool refuse, h2_error code)
    {
        if (!h2_ || ended)
            return;
        std::uint32_t last = refuse ? 0 : h2_->latest();
        for (auto const& e : server_.book_)
            if (refuse && e.connection == number_ && e.acted)
                last = std::max(last, e.stream);
        last = std::min(last, gone_away_.value_or(last));
        gone_away_ = last;
        for (auto& e : server_.book_)
            e.refused = e.refused || (e.connection == number_ && e.stream > last);
        h2_->go_away(code, last);
        flush();
    }

    void reset_streams(h2_error code)
    {
        if (!h2_ || ended)
            return;
        for (auto& e : server_.book_)
            if (e.connection == number_ && !e.acted && !e.refused && !e.id.empty()) {
                e.refused = e.refused || code == h2_error::refused_stream;
                given_up_.push_back(e.stream);
                h2_->reset(e.stream, code);
            }
        flush();
    }

    void end(bool by_reset)
    {
        if (std::exchange(ended, true))
            return;
        if (by_reset)
            server_.network_.strike(number_, mishap::reset);
        stream->close();
        to_write.wake_all();
    }

    /// The client closes when it has heard that.
    void say_no_more()
    {
        if (!std::exchange(silent_, true))
            server_.network_.strike(number_, mishap::half_close);
    }

    bool over() const noexcept { return h2_ && h2_->over(); }

    simulated_server& server() const noexcept { return server_; }

    std::unique_ptr<net::stream> stream{};
    net::tls_stream* tls = nullptr;
    std::string out{};
    parking to_write{};
    bool ended = false;

private:
    using kind = h2_server_session::event::kind;

    void feed_h1(std::string_view bytes)
    {
        in_.append(bytes);
        for (;;) {
            server_request request;
            auto const o = parser_.parse(in_, request);
            server_.offended_ = server_.offended_ || o.what == request_parser::outcome::kind::bad;
            if (o.what != request_parser::outcome::kind::whole)
                return;
            in_.erase(0, o.consumed);
            parser_ = {};
            think(0);
        }
    }

    void hear(std::span<h2_server_session::event const> events)
    {
        for (auto const& e : events) {
            if (e.what == kind::request)
                think(e.stream);
            else if (e.what == kind::unacceptable || e.what == kind::malformed || e.what == kind::broken
                     || e.what == kind::over_limit)
                server_.offended_ = true;
        }
    }

    void think(std::uint32_t stream_number)
    {
        auto* const entry = entries_.find(stream_number);
        if (entry == nullptr || !entry->whole) {
            server_.offended_ = true;
            return;
        }
        server_.network_.later(server_.how_.think, [self = shared_from_this(), entry] { self->act(*entry); });
    }

    void act(arrival& on)
    {
        bool const given_up = std::find(given_up_.begin(), given_up_.end(), on.stream) != given_up_.end();
        if (on.refused || (given_up && on.stream != 0))
            return;
        server_reply reply;
        if (server_.orders_.unauthorized > 0) {
            --server_.orders_.unauthorized;
            on.refused = true;
            reply.json(401, "{}");
            reply.fields = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
        } else {
            on.acted = true;
            reply.json(200, on.id);
        }
        if (ended)
            return;
        on.answered = true;
        if (h2_)
            h2_->answer(on.stream, reply, date);
        else
            write_reply(out, reply, date);
        flush();
    }

    simulated_server& server_;
    unsigned number_;
    wire_reader entries_;
    std::optional<h2_server_session> h2_{};
    request_parser parser_{};
    std::string in_{};
    std::vector<std::uint32_t> given_up_{};
    std::optional<std::uint32_t> gone_away_{};
    bool silent_ = false;
};

simulated_server::simulated_server(asio::io_context& io, simulated_network& network, options how)
    : io_(io), network_(network), how_(std::move(how))
{
    network_.accepts([this](auto bytes, unsigned connection) { accept(std::move(bytes), connection); });
}

simulated_server::~simulated_server() = default;

void simulated_server::accept(std::unique_ptr<net::stream> bytes, unsigned connection)
{
    sessions_.push_back(std::make_shared<session>(*this, std::move(bytes), connection));
    asio::co_spawn(io_, read_for(sessions_.back()), asio::detached);
}

asio::awaitable<void> simulated_server::read_for(std::shared_ptr<session> s)
{
    auto& me = s->server();
    if (s->tls != nullptr) {
        auto const shaken = co_await s->tls->handshake();
        if (!shaken) {
            s->end(false);
            co_return;
        }
    }
    asio::co_spawn(me.io_, write_for(s), asio::detached);
    s->flush();
    std::array<char, 4096> room;
    while (!s->ended) {
        auto const most = std::min(room.size(), me.orders_.reads.value_or(room.size()));
        if (most == 0) {
            me.orders_.reads.reset();
            break;
        }
        auto const m = s->stream->read_some(std::span(room).first(most));
        if (m.error)
            break;
        if (m.bytes != 0) {
            me.read_ += m.bytes;
            if (me.orders_.reads)
                *me.orders_.reads -= m.bytes;
            s->feed({room.data(), m.bytes});
        } else {
            (void)co_await s->stream->ready(net::stream::direction::read);
        }
    }
    s->end(false);
}

asio::awaitable<void> simulated_server::write_for(std::shared_ptr<session> s)
{
    auto& me = s->server();
    while (!s->ended) {
        if (s->out.empty()) {
            // RFC 9112 §9.6: whoever closes at once may have what it said last be lost.
            if (s->over())
                s->say_no_more();
            (void)co_await s->to_write.wait();
            continue;
        }
        auto const most = std::min(s->out.size(), me.orders_.writes.value_or(s->out.size()));
        if (most == 0) {
            me.orders_.writes.reset();
            s->end(me.orders_.resets);
            break;
        }
        auto const m = s->stream->write_some(std::string_view(s->out).substr(0, most));
        if (m.error)
            break;
        me.written_ += m.bytes;
        if (me.orders_.writes)
            *me.orders_.writes -= m.bytes;
        s->out.erase(0, m.bytes);
        if (m.bytes == 0)
            (void)co_await s->stream->ready(net::stream::direction::write);
    }
}

void simulated_server::go_away(bool refuse, h2_error code)
{
    for (auto const& s : sessions_)
        s->go_away(refuse, code);
}

void simulated_server::reset_streams(h2_error code)
{
    for (auto const& s : sessions_)
        s->reset_streams(code);
}

void simulated_server::stop()
{
    for (auto const& s : sessions_)
        s->end(false);
}

}  // namespace jeton::testing
