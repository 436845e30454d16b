// SPDX-License-Identifier: BSL-1.0
#include "testing/http_server.hpp"

#include "base/asio_moved.hpp"
#include "testing/sansio/http_date.hpp"
#include "testing/sansio/request_parser.hpp"
#include "testing/server_connection.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>

#include <openssl/ssl.h>

#include <chrono>

namespace jeton::testing {

using namespace std::chrono_literals;

http_server::http_server(asio::io_context& io, std::uint16_t port, std::shared_ptr<net::tls_context const> tls,
                         std::shared_ptr<clock> time, http_handler& handler)
    : io_(io),
      tls_(std::move(tls)),
      time_(std::move(time)),
      handler_(handler),
      acceptor_(io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port)),
      port_(acceptor_.local_endpoint().port()),
      timers_(serial(io), time_)
{}

void http_server::start() { asio::co_spawn(io_, accept(shared_from_this()), asio::detached); }

void http_server::stop()
{
    stopped_ = true;
    std::error_code ignored;
    acceptor_.close(ignored);
    close_connections();
}

void http_server::close_connections()
{
    for (auto* c : connections_)
        c->tls.close();
    pauses_.wake_all(woken::cancelled);
}

void http_server::reset_connections()
{
    for (auto* c : connections_)
        c->reset();
    pauses_.wake_all(woken::cancelled);
}

asio::awaitable<void> http_server::accept(std::shared_ptr<http_server> self)
{
    while (!self->stopped_) {
        auto [error, socket] = co_await self->acceptor_.async_accept(as_tuple(asio::use_awaitable));
        if (self->stopped_)
            break;
        if (error) {
            // Out of descriptors, most likely: some will be free again.
            co_await self->pauses_.wait(&self->timers_, saturating_add(self->timers_.now(), duration(10ms)));
            continue;
        }
        auto c = std::make_shared<connection>(std::move(socket), self->tls_, ++self->accepted_);
        asio::co_spawn(self->io_, serve(self, std::move(c)), asio::detached);
    }
    self->timers_.rest();
}

asio::awaitable<void> http_server::serve(std::shared_ptr<http_server> self, std::shared_ptr<connection> c)
{
    struct membership {
        http_server& server;
        connection& member;
        membership(http_server& s, connection& m) : server(s), member(m) { server.connections_.insert(&member); }
        ~membership()
        {
            server.connections_.erase(&member);
            member.disarm();
            member.tls.close();
            server.handler_.on_end();
            if (server.connections_.empty())
                server.timers_.rest();
        }
    };
    membership const here(*self, *c);

    self->handler_.on_connection(c->reply);
    bool const goes_on = co_await self->misbehave(*c);
    if (!goes_on)
        co_return;
    auto const shaken = co_await c->tls.handshake();
    if (!shaken)
        co_return;
    auto const protocol = c->tls.protocol();
    self->handler_.on_handshake(protocol, SSL_session_reused(c->tls.native()) == 1);
    if (protocol == "h2")
        co_await self->converse_h2(c);
    else if (self->tls_->offers("http/1.1"))
        co_await self->converse(*c);
}

// What was ordered for the connection itself, before TLS. False: it is over.
asio::awaitable<bool> http_server::misbehave(connection& c)
{
    auto& r = c.reply;
    if (r.delay > duration::zero())
        co_await pauses_.wait(&timers_, saturating_add(timers_.now(), r.delay));
    if (r.raw) {
        for (std::string_view rest = r.body; !rest.empty();) {
            auto const m = c.lower.write_some(rest);
            if (m.error)
                co_return false;
            rest.remove_prefix(m.bytes);
            std::error_code error;
            if (m.would_block())
                error = co_await c.lower.ready(net::stream::direction::write);
            if (error)
                co_return false;
        }
        if (r.ending == fault::ending::keep_open)
            r.ending = fault::ending::close;
    }
    switch (r.ending) {
    case fault::ending::keep_open: co_return true;
    case fault::ending::reset: c.reset(); break;
    case fault::ending::close:
    case fault::ending::close_without_notify: break;
    case fault::ending::hang:
    case fault::ending::stall:
        for (;;) {
            auto const error = co_await c.lower.ready(net::stream::direction::read);
            char scratch[4096];
            if (error || c.lower.read_some(scratch).error)
                break;
        }
        break;
    }
    co_return false;
}

asio::awaitable<void> http_server::converse(connection& c)
{
    using kind = request_parser::outcome::kind;
    request_parser parser;
    c.request.connection = c.number;
    for (std::uint64_t served = 1;; ++served) {
        request_parser::outcome o;
        while ((o = parser.parse(c.received(), c.request)).what == kind::more) {
            auto const m = c.tls.read_some(c.room());
            c.end += m.bytes;
            if (m.error)
                co_return;
            bool open = true;
            if (m.would_block())
                open = co_await more(c);
            if (!open)
                co_return;
        }

        auto& reply = c.reply;
        reply.clear();
        struct done {
            http_handler& handler;
            server_reply const& reply;
            ~done() { handler.on_done(reply); }
        };
        done const at_the_end{handler_, reply};
        if (o.what == kind::bad) {
            reply.json(o.status, R"({"message":")");
            reply.body.append(o.why).append("\"}");
            reply.fields.append("Connection: close\r\n");
            reply.ending = fault::ending::close;
            handler_.on_rejected(reply);
        } else {
            if (!c.request.keep_alive) {
                reply.fields.append("Connection: close\r\n");
                reply.ending = fault::ending::close;
            }
            handler_.on_request(c.request, reply);
            c.consume(o.consumed);
        }
        auto const most = requests_per_connection_.load(std::memory_order_relaxed);
        if (most != 0 && served >= most && reply.ending == fault::ending::keep_open)
            reply.ending = fault::ending::close;

        if (reply.delay > duration::zero())
            co_await pauses_.wait(&timers_, saturating_add(timers_.now(), reply.delay));
        c.wire.clear();
        write_reply(c.wire, reply, date());
        bool written = true;
        if (!c.wire.empty())
            written = co_await write(c);
        if (!written)
            co_return;
        if (reply.ending != fault::ending::keep_open) {
            co_await finish(c, reply.ending);
            co_return;
        }
    }
}

asio::awaitable<bool> http_server::more(connection& c)
{
    auto const idle = duration(idle_.load(std::memory_order_relaxed));
    if (idle > duration::zero())
        timers_.arm_after(c, idle);
    auto const error = co_await c.tls.ready(net::stream::direction::read);
    c.disarm();
    co_return !error;
}

asio::awaitable<bool> http_server::write(connection& c)
{
    for (std::string_view rest = c.wire; !rest.empty();) {
        auto const m = c.tls.write_some(rest);
        if (m.error)
            co_return false;
        rest.remove_prefix(m.bytes);
        std::error_code error;
        if (m.would_block())
            error = co_await c.tls.ready(net::stream::direction::write);
        if (error)
            co_return false;
    }
    co_return true;
}

asio::awaitable<void> http_server::finish(connection& c, fault::ending how)
{
    switch (how) {
    case fault::ending::keep_open: break;
    case fault::ending::close: c.tls.close(); break;
    case fault::ending::close_without_notify:
        c.lower.mute();
        c.tls.close();
        break;
    case fault::ending::reset: c.reset(); break;
    case fault::ending::hang:
    case fault::ending::stall:
        // Until the client has had enough.
        for (;;) {
            char scratch[4096];
            auto const m = c.tls.read_some(scratch);
            auto error = m.error;
            if (m.would_block())
                error = co_await c.tls.ready(net::stream::direction::read);
            if (error)
                break;
        }
        break;
    }
}

std::string const& http_server::date()
{
    auto const now = std::chrono::floor<std::chrono::seconds>(time_->wall());
    if (auto const second = now.time_since_epoch().count(); second != date_second_) {
        date_ = http_date(now);
        date_second_ = second;
    }
    return date_;
}

}  // namespace jeton::testing
