// SPDX-License-Identifier: BSL-1.0
#include "client/client_state.hpp"

#include "base/ended.hpp"
#include "base/hop.hpp"
#include "http/request_access.hpp"

#include <jeton/http/error.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <future>
#include <stdexcept>
#include <utility>

namespace jeton {

namespace {

template <class T>
T checked(provider const& api, result<T> made)
{
    if (made)
        return std::move(*made);
    auto diag = made.error().diag();
    diag.ours = "provider \"" + api.name + "\": " + diag.ours;
    throw error(made.error().with(std::move(diag)));
}

api_address address_of(provider const& api, client_options const& options)
{
    if (api.base_url.empty())
        return checked(api,
                       result<api_address>(failure(make_error_code(http::errc::bad_url), phase::configure,
                                                   delivery::not_sent, "it has no base URL; the API's must be set")));
    auto const loopback = options.http.plain_http_on_loopback;
    // The token URL is checked by the grant; that the transport agrees to plain http is for us to see.
    if (auto const url = http::url::parse(api.tokens.url); url && !url->origin().secure && !loopback)
        return checked(api,
                       result<api_address>(failure(make_error_code(http::errc::plain_http), phase::configure,
                                                   delivery::not_sent, "its token URL is plain http (RFC 6749 §3.2)")));
    return checked(api, api_address::make(api.base_url, api.also_trusted, api.path_variables, loopback));
}

asio::awaitable<result<http::response>> failed(failure why) { co_return why; }

// A member more of a pool's snapshot is one more to be added up here, or this does not compile.
void add(http::pool_snapshot& to, http::pool_snapshot const& one)
{
    auto const& [origin, idle, busy, dialling, waiting, connections_made, requests, retired, connects_failed,
                 failures_in_a_row, next_attempt, last_failure, idle_limit] = one;
    bool const first = to.origin.empty();
    to.origin = origin;
    to.idle += idle;
    to.busy += busy;
    to.dialling += dialling;
    to.waiting += waiting;
    to.connections_made += connections_made;
    to.requests += requests;
    to.retired += retired;
    to.connects_failed += connects_failed;
    to.failures_in_a_row = std::max(to.failures_in_a_row, failures_in_a_row);
    if (next_attempt)
        to.next_attempt = std::min(to.next_attempt.value_or(*next_attempt), *next_attempt);
    if (last_failure)
        to.last_failure = last_failure;
    to.idle_limit = first ? idle_limit : std::min(to.idle_limit, idle_limit);
}

void add(std::vector<http::pool_snapshot>& to, std::vector<http::pool_snapshot> const& more)
{
    for (auto const& one : more) {
        auto const same = [&](auto const& known) { return known.origin == one.origin; };
        auto at = std::find_if(to.begin(), to.end(), same);
        if (at == to.end())
            at = to.emplace(to.end());
        add(*at, one);
    }
}

}  // namespace

auto client::state::make(std::vector<serial> homes, io_threads* on, provider api, credentials who,
                         client_options options) -> std::shared_ptr<state>
{
    auto const retry = options.retry;
    auto const watcher = options.http.watcher;
    auto made = std::make_shared<state>(std::move(homes), on, std::move(api), std::move(who), std::move(options));
    made->open(retry, watcher);
    return made;
}

client::state::state(std::vector<serial> homes, io_threads* on, provider api, credentials who, client_options options)
    : threads_(on), identity_(std::make_shared<identity_memory>(std::move(who))), total_(options.http.total)
{
    if (!options.http.time)
        options.http.time = machine_clock();
    time_ = options.http.time;
    auto const watcher = options.http.watcher;

    for (auto& where : homes) {
        auto const which = shards.size();
        shards.push_back(std::make_unique<client_shard>(std::move(where), address_of(api, options),
                                                        share_of(options.http, which, homes.size()),
                                                        which == 0 ? nullptr : shards.front().get()));
    }
    auto const& first = *shards.front();
    draining_ = std::make_shared<drain>(home(), shards.size());
    auto ask = [memory = identity_] { return memory->read(); };
    auto grant =
        oauth2::make_grant_source(first.under, first.home, std::move(api.tokens), std::move(ask), time_, watcher);
    auto changed = [memory = identity_] { return memory->changed(); };
    tokens = std::make_shared<oauth2::cached_source>(std::make_shared<oauth2::token_core>(
        std::move(grant), first.home, time_, options.refresh, watcher, std::move(changed)));
}

void client::state::open(http::retry_policy const& retry, std::shared_ptr<observer> const& watcher)
{
    http::retry_elsewhere elsewhere;
    if (shards.size() > 1)
        elsewhere = [weak = weak_from_this()](asio::any_io_executor const& here) {
            auto const self = weak.lock();
            auto const* const at = self ? self->shard_on(here) : nullptr;
            return at != nullptr ? at->stack() : nullptr;
        };
    for (std::size_t i = 0; i != shards.size(); ++i) {
        auto& one = *shards[i];
        one.open(tokens->front_on(one.home.executor()), draining_, time_, share_of(retry, i, shards.size()), watcher,
                 elsewhere);
    }
}

client_shard* client::state::shard_on(asio::any_io_executor const& executor) noexcept
{
    auto const lives_there = [&](auto const& one) { return one->home.executor() == executor; };
    auto const at = std::find_if(shards.begin(), shards.end(), lives_there);
    return at != shards.end() ? at->get() : nullptr;
}

client_shard& client::state::shard_here()
{
    if (shards.size() == 1)
        return *shards.front();
    if (auto const here = threads_->here())
        return *shards[*here];
    return least_loaded();
}

client_shard& client::state::least_loaded() noexcept
{
    // Where loads are equal, each thread goes round by itself.
    thread_local std::size_t turn = 0;
    auto const begin = turn++;
    auto* best = shards[begin % shards.size()].get();
    auto least = best->load();
    for (std::size_t i = 1; i < shards.size(); ++i) {
        auto* const one = shards[(begin + i) % shards.size()].get();
        if (auto const load = one->load(); load < least) {
            best = one;
            least = load;
        }
    }
    return *best;
}

result<void> client::state::prepare(client_shard const& at, http::request& what) const
{
    if (auto const* const mistake = what.mistake())
        return *mistake;
    if (auto const base = at.address.base_for(what.target())) {
        http::request_access::resolve_behind(what, base->origin, base->path);
    } else {
        auto place = at.address.resolve(what.target(), !what.wants_token(),
                                        [this](std::string_view name) { return look_up(name); });
        if (!place)
            return place.error();
        http::request_access::resolve(what, std::move(place->origin), std::move(place->target));
    }
    // From here on, a moment: no layer below starts to count anew.
    auto const until = saturating_add(time_->now(), what.within().value_or(total_));
    if (what.within() || !what.until())
        what.deadline(std::min(until, what.until().value_or(until)));
    return {};
}

std::optional<result<std::string>> client::state::look_up(std::string_view name) const
{
    if (name != "CLIENT_ID")
        return {};
    return identity_->id();
}

auto client::state::send(client_shard const& at, http::request what) const -> answer
{
    if (auto const ready = prepare(at, what); !ready)
        return failed(ready.error());
    auto const stack = at.stack();
    return stack ? stack->send(std::move(what)) : failed(has_been_shut_down(phase::configure));
}

// One home is where the caller is, or nothing runs there: that is the rule. Threads go on meanwhile.
void client::state::on_home_of(std::size_t which, std::function<void()> what)
{
    if (threads_ != nullptr)
        threads_->execute(which, std::move(what));
    else
        what();
}

void client::state::close_doors()
{
    for (std::size_t i = 0; i != shards.size(); ++i)
        if (auto last = shards[i]->close_door())
            on_home_of(i, [what = std::move(last)]() mutable { what.reset(); });
}

void client::state::abandon()
{
    close_doors();
    tokens->shut_down();
    for (std::size_t i = 0; i != shards.size(); ++i)
        on_home_of(i, [under = shards[i]->under, front = shards[i]->front] {
            under->cut();
            front->forget();
        });
    identity_->forget();
}

asio::awaitable<void> client::state::close(std::shared_ptr<connections> under,
                                           std::shared_ptr<oauth2::token_front> front,
                                           std::shared_ptr<roll_call> closing)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    auto closed = connections::shut_down(under);
    co_await std::move(closed);
    under->cut();
    front->forget();
    closing->answer();
}

// Not the caller's to cancel: whoever asked for the end gets it.
asio::awaitable<void> client::state::end(std::shared_ptr<state> self)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await roll_call::all(self->draining_);
    self->tokens->shut_down();
    auto const closing = std::make_shared<roll_call>(self->home(), self->shards.size());
    for (auto const& one : self->shards)
        asio::co_spawn(one->home.executor(), close(one->under, one->front, closing), asio::detached);
    co_await roll_call::all(closing);
    self->identity_->forget();
    self->ended = true;
    self->waiting_for_end_.wake_all();
}

// False: the caller was cancelled.
asio::awaitable<bool> client::state::wait_for_end(std::shared_ptr<state> self)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    if (!self->ending_) {
        self->ending_ = true;
        asio::co_spawn(self->home(), end(self), asio::detached);
    }
    while (!self->ended) {
        auto const why = co_await self->waiting_for_end_.wait();
        if (why == woken::cancelled)
            co_return false;
    }
    co_return true;
}

asio::awaitable<result<void>> client::state::warm(std::shared_ptr<state> self, std::size_t requests)
{
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const here = co_await asio::this_coro::executor;
    result<void> outcome;
    auto const n = self->shards.size();
    for (std::size_t i = 0; i != n && outcome; ++i) {
        auto const& one = *self->shards[i];
        auto const its_part = requests / n + (i < requests % n ? 1 : 0);
        if (its_part == 0)
            break;
        auto warming = connections::warm(one.under, one.address.base_origin().to_string() + '/', its_part);
        if (here == one.home.executor())
            outcome = co_await std::move(warming);
        else
            outcome = co_await hop_for_result(one.home.executor(), std::move(warming));
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return outcome;
}

asio::awaitable<void> client::state::shut_down(std::shared_ptr<state> self)
{
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    self->draining_->awaited = true;
    self->close_doors();
    auto const home = self->home();
    auto waiting = wait_for_end(std::move(self));
    co_await hop(home, std::move(waiting));
    co_await asio::this_coro::throw_if_cancelled(throws);
}

client_snapshot client::state::snapshot()
{
    client_snapshot s;
    s.token = tokens->snapshot();
    if (threads_ != nullptr && shards.size() > 1 && threads_->here())
        throw std::logic_error("jeton: client::snapshot: on one of the client's own threads; await look()");
    for (std::size_t i = 0; i != shards.size(); ++i) {
        std::promise<std::vector<http::pool_snapshot>> told;
        on_home_of(i, [&told, under = shards[i]->under] { told.set_value(under->snapshot()); });
        add(s.pools, told.get_future().get());
    }
    return s;
}

asio::awaitable<result<std::vector<http::pool_snapshot>>> client::state::pools_of(std::shared_ptr<connections> under)
{
    co_return under->snapshot();
}

asio::awaitable<client_snapshot> client::state::look(std::shared_ptr<state> self)
{
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    client_snapshot s;
    s.token = self->tokens->snapshot();
    for (auto const& one : self->shards) {
        auto asking = pools_of(one->under);
        auto const told = co_await hop_for_result(one->home.executor(), std::move(asking), if_cancelled::go);
        if (told)
            add(s.pools, *told);
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return s;
}

}  // namespace jeton
