// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/client.hpp>

#include "base/cancellation.hpp"
#include "base/ended.hpp"
#include "base/hop.hpp"
#include "base/timekeeper.hpp"
#include "http/connection.hpp"
#include "http/pool.hpp"
#include "http/request_access.hpp"
#include "http/response_builder.hpp"
#include "http/sender_of.hpp"
#include "net/tcp_connector.hpp"
#include "net/tls_context.hpp"

#include <jeton/http/error.hpp>
#include <jeton/http/headers.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace jeton::http {

namespace {

void demand(bool kept, char const* rule)
{
    if (!kept)
        throw std::invalid_argument(std::string("jeton: http::client_options: ") + rule);
}

// Requests in progress to one origin. bench/README.md has the measurement.
constexpr std::size_t http_2_pays_from = 50;

std::vector<std::string> offered_for(protocol_choice which)
{
    switch (which) {
    case protocol_choice::http_1_1: break;
    case protocol_choice::http_2: return {"h2"};
    case protocol_choice::automatic: return {"h2", "http/1.1"};
    }
    return {"http/1.1"};
}

client_options checked(client_options options)
{
    demand(options.queue > duration::zero(), "queue must be greater than zero");
    demand(options.first_byte > duration::zero(), "first_byte must be greater than zero");
    demand(options.total > duration::zero(), "total must be greater than zero");
    demand(options.idle > duration::zero(), "idle must be greater than zero");
    demand(options.age >= duration::zero(), "age must not be negative");
    demand(options.connections >= 1, "connections must be at least 1");
    demand(options.connections_per_origin >= 1, "connections_per_origin must be at least 1");
    demand(options.dialling.at_once >= 1, "dialling: at_once must be at least 1");
    demand(options.dialling.first_pause > duration::zero(), "dialling: first_pause must be greater than zero");
    demand(options.dialling.longest_pause >= options.dialling.first_pause,
           "dialling: longest_pause must not be less than first_pause");
    demand(options.answers.status_line > 0 && options.answers.head > 0 && options.answers.fields > 0,
           "answers: status_line, head and fields must be greater than zero");
    demand(options.answers.interim >= 0, "answers: interim must not be negative");
    demand(options.user_agent.empty() || is_field_value(options.user_agent), "user_agent must be a field value");
    if (!options.time)
        options.time = machine_clock();
    options.tls.alpn = offered_for(options.protocol);
    return options;
}

// For diagnostics: where it went, without the query.
std::string subject(request const& what, std::string const& origin)
{
    std::string_view const target = what.target();
    return std::string(what.method())
        .append(" ")
        .append(origin)
        .append(request_access::base_path_of(what))
        .append(target.substr(0, target.find('?')))
        .append(": ");
}

failure about(failure const& why, request const& what, std::string const& origin)
{
    auto diag = why.diag();
    diag.ours = subject(what, origin) + diag.ours;
    return why.with(std::move(diag));
}

}  // namespace

struct client_access {
    static std::shared_ptr<client_state> const& state_of(client const& of) { return of.state_; }
};

// What a client and its requests in flight share.
class client_state final : public sender, public std::enable_shared_from_this<client_state> {
public:
    client_state(serial where, client_options given, client_state const* like = nullptr)
        : options(checked(std::move(given))), home_(std::move(where))
    {
        auto timers = std::make_shared<timekeeper>(home_, options.time);
        if (!options.connector) {
            tls = like != nullptr && like->tls && like->options.tls == options.tls
                      ? like->tls
                      : net::tls_context::client(options.tls);
            options.connector = net::make_connector(home_, timers, tls, options.connecting);
        }
        pool_options how;
        how.limits = {.connections = options.connections_per_origin,
                      .waiters = options.waiting_requests,
                      .idle = options.idle,
                      .age = options.age,
                      .requests = options.requests_per_connection,
                      .ready = options.ready_per_origin,
                      .dialling = {.at_once = options.dialling.at_once,
                                   .first_pause = options.dialling.first_pause,
                                   .longest_pause = options.dialling.longest_pause},
                      .many_from = http_2_pays_from};
        how.connections = options.connections;
        how.traits = std::make_shared<connection_traits const>(traits_of(options));
        how.answers = options.answers;
        how.queue = options.queue;
        how.user_agent = options.user_agent;
        connections =
            std::make_shared<pool>(home_, std::move(timers), options.connector, options.watcher, std::move(how));
    }

    time_point deadline_of(request const& what, time_point now) const
    {
        auto until = what.until().value_or(time_point::max());
        if (what.within())
            until = std::min(until, saturating_add(now, *what.within()));
        return what.within() || what.until() ? until : saturating_add(now, options.total);
    }

    /// Finds out where it goes, and makes its target path and query.
    result<pool::site*> locate(request& what)
    {
        if (auto const* mistake = what.mistake())
            return *mistake;
        if (connections->shutting_down())
            return has_been_shut_down(phase::queue);
        if (auto const& known = request_access::origin_of(what)) {
            if (auto refused = refuse_plain(*known))
                return *refused;
            return &connections->site_of(known);
        }
        auto const parsed = url::parse(what.target());
        if (!parsed)
            return parsed.error();
        if (auto refused = refuse_plain(parsed->origin()))
            return *refused;
        auto& at = connections->site_of(parsed->origin());
        request_access::resolve(what, pool::origin_of(at), parsed->target());
        return &at;
    }

    /// Where it goes, if it is to go now; null otherwise, and then `outcome` says why not.
    pool::site* destination(request& what, time_point now, time_point deadline, bool cancelled,
                            std::optional<result<response>>& outcome)
    {
        auto const where = locate(what);
        if (!where)
            outcome = where.error();
        else if (cancelled)
            outcome = failure(jeton::errc::cancelled, phase::queue, delivery::not_sent, "cancelled before it was sent");
        else if (deadline <= now)
            outcome = failure(jeton::errc::timed_out, phase::queue, delivery::not_sent,
                              "the deadline had passed before it was sent");
        if (!outcome)
            return *where;
        if (where)
            outcome = about(outcome->error(), what, pool::name_of(**where));
        return nullptr;
    }

    /// What only the client knows of an exchange.
    static void note(exchange_info& info, request const& what, pool::lease const& by, duration queued,
                     bool dialled_for_it)
    {
        info.protocol = by.connection->protocol();
        info.attempts = request_access::attempt_of(what);
        info.phases.queue = queued;
        if (!dialled_for_it)
            return;
        auto const& times = pool::times_of(by);
        info.phases.resolve = times.resolve;
        info.phases.connect = times.connect;
        info.phases.tls = times.tls;
        info.phases.queue = std::max(queued - times.resolve - times.connect - times.tls, duration::zero());
    }

    awaitable<result<response>> send(request what, std::shared_ptr<transport const> keeper,
                                     std::span<stage* const> stages) override
    {
        return send(shared_from_this(), std::move(what), std::move(keeper), stages);
    }

    static awaitable<result<response>> send(std::shared_ptr<client_state> self, request what,
                                            std::shared_ptr<transport const> keeper, std::span<stage* const> stages);
    static awaitable<result<void>> warm(std::shared_ptr<client_state> self, std::string target, std::size_t requests);
    static awaitable<result<void>> close(std::shared_ptr<client_state> self);
    static awaitable<void> shut_down(std::shared_ptr<client_state> self);

    asio::any_io_executor const& home() const noexcept override { return home_.executor(); }

    client_options options;
    std::shared_ptr<net::tls_context const> tls{};  // null: the connector is the caller's
    std::shared_ptr<pool> connections{};

private:
    std::optional<failure> refuse_plain(origin const& to) const
    {
        if (to.secure || (options.plain_http_on_loopback && to.loopback()))
            return {};
        return failure(errc::plain_http, phase::configure, delivery::not_sent, "refused to send to " + to.to_string());
    }

    serial home_;
};

// One coroutine for all of it, since each further frame costs an allocation: hence the single way out, at which the
// caller's setting is restored.
awaitable<result<response>> client_state::send(std::shared_ptr<client_state> self, request what,
                                               std::shared_ptr<transport const> keeper, std::span<stage* const> stages)
{
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);

    std::optional<result<response>> outcome;
    std::exception_ptr thrown;
    pool::waiter me;
    std::size_t entered = 0;
    auto const here = co_await asio::this_coro::executor;
    try {
        auto const begun = self->connections->timers().now();
        awaitable<result<response>> aside;  // what takes a coroutine of its own
        if (here == self->home())
            while (entered != stages.size() && stages[entered]->enter(what, begun))
                ++entered;
        if (entered != stages.size()) {
            aside = stages[entered]->whole(what);
            // It holds what it needs; where another shard's loop takes the request over, it is no load to this one.
            if (entered == 0)
                keeper.reset();
        } else if (here != self->home()) {
            aside = hop_for_result(self->home(), send(self, std::move(what), {}, {}));
        } else {
            auto& connections = *self->connections;
            auto const state = co_await asio::this_coro::cancellation_state;
            auto const deadline = self->deadline_of(what, begun);
            auto* const where = self->destination(what, begun, deadline, cancelled(state), outcome);
            if (where != nullptr) {
                me.dialled_after = request_access::dialled_after(what);
                me.first = request_access::goes_first(what);
                me.repeatable = what.repeatable();
                connections.take(*where, me, begun, deadline);
                if (!me.got)
                    co_await connections.wait(*where, me, begun, deadline);
                if (!*me.got)
                    outcome = me.got->error();
            }

            if (me.has_lease()) {
                auto const& lease = **me.got;
                exchange_order order{.what = &what,
                                     .origin_head = pool::head_of(*where),
                                     .begun = lease.waited ? connections.timers().now() : begun,
                                     .deadline = deadline,
                                     .first_byte = self->options.first_byte};
                bool const dialled_for_it = lease.waited && lease.connection->requests() == 0;
                outcome = lease.connection->begin(order);
                while (!outcome) {
                    auto why = woken::cancelled;
                    if (!cancelled(state))
                        why = co_await lease.connection->wait(order);
                    outcome = lease.connection->proceed(order, why);
                }
                order.state.reset();
                if (*outcome)
                    note(response_access::info(**outcome), what, lease, order.begun - begun, dialled_for_it);
                else if (outcome->error().code() == errc::http_1_1_required)
                    connections.on_http_1_1_required(lease);
                connections.give_back(me, lease.connection->last_used());
            }
            if (!*outcome && where != nullptr)
                outcome = about(outcome->error(), what, pool::name_of(*where));
        }
        for (;;) {
            if (aside.valid())
                outcome = co_await std::move(aside);
            while (entered != 0 && stages[entered - 1]->passes(what, *outcome))
                --entered;
            if (entered == 0)
                break;
            aside = stages[--entered]->amend(what, std::move(*outcome));
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    // No destructors for that: those of a frame that dies with its context run as well, and must not touch the pool.
    if (thrown && here == self->home())
        self->connections->recover(me);
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (thrown)
        std::rethrow_exception(thrown);
    co_return std::move(*outcome);
}

awaitable<result<void>> client_state::warm(std::shared_ptr<client_state> self, std::string target, std::size_t requests)
{
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    result<void> outcome;
    auto const here = co_await asio::this_coro::executor;
    if (here != self->home()) {
        auto op = warm(self, std::move(target), requests);
        outcome = co_await hop_for_result(self->home(), std::move(op));
    } else {
        auto what = request::get(target);
        auto const where = self->locate(what);
        if (where) {
            auto& at = **where;
            auto const until = saturating_add(self->connections->timers().now(), self->options.total);
            outcome = co_await self->connections->warm(at, requests, until);
        } else {
            outcome = where.error();
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return outcome;
}

awaitable<result<void>> client_state::close(std::shared_ptr<client_state> self)
{
    co_await self->connections->shut_down();
    co_return result<void>();
}

awaitable<void> client_state::shut_down(std::shared_ptr<client_state> self)
{
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const here = co_await asio::this_coro::executor;
    auto const home = self->home();
    auto closing = close(std::move(self));
    if (here == home)
        (void)co_await std::move(closing);
    else
        // Whoever does not wait for the end may not have asked for it either.
        (void)co_await hop_for_result(home, std::move(closing), if_cancelled::go);
    co_await asio::this_coro::throw_if_cancelled(throws);
}

client::client(serial home, client_options options)
    : state_(std::make_shared<client_state>(std::move(home), std::move(options)))
{}

client::client(serial home, client_options options, client const& beside)
    : state_(std::make_shared<client_state>(std::move(home), std::move(options), beside.state_.get()))
{}

client::~client() { state_->connections->abandon(); }

awaitable<result<response>> client::send(request what) { return client_state::send(state_, std::move(what), {}, {}); }

std::shared_ptr<sender> sender_of(client const& of) { return client_access::state_of(of); }

awaitable<result<void>> client::warm(std::string url, std::size_t requests)
{
    return client_state::warm(state_, std::move(url), requests);
}

awaitable<void> client::shut_down() { return client_state::shut_down(state_); }

std::vector<pool_snapshot> client::snapshot() const { return state_->connections->snapshot(); }

}  // namespace jeton::http
