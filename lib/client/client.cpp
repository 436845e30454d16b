// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/client.hpp>

#include "base/hop.hpp"
#include "base/parking.hpp"
#include "client/identity_memory.hpp"
#include "client/sansio/api_address.hpp"
#include "http/request_access.hpp"

#include <jeton/client/authorized.hpp>
#include <jeton/http/error.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

namespace jeton {

namespace {

failure shut_down_failure()
{
    return {make_error_code(errc::shut_down), phase::configure, delivery::not_sent, "the client has been shut down"};
}

template <class T>
asio::awaitable<result<T>> failed(failure why)
{
    co_return why;
}

// What everything above has instead of the connections, so that they can be taken away while requests are in flight:
// that is what cancels those. On home only: with_retries and the grant run there.
class connections final : public http::transport {
public:
    connections(serial home, http::client_options options)
        : to_(std::make_unique<http::client>(std::move(home), std::move(options)))
    {}

    asio::awaitable<result<http::response>> send(http::request what) override
    {
        return to_ ? to_->send(std::move(what)) : failed<http::response>(shut_down_failure());
    }

    asio::awaitable<result<void>> warm(std::string url, std::size_t requests)
    {
        return to_ ? to_->warm(std::move(url), requests) : failed<void>(shut_down_failure());
    }

    asio::awaitable<void> shut_down() { return to_->shut_down(); }
    bool cut_off() const noexcept { return !to_; }
    void cut() { to_.reset(); }

    std::vector<http::pool_snapshot> snapshot() const
    {
        return to_ ? to_->snapshot() : std::vector<http::pool_snapshot>();
    }

private:
    std::unique_ptr<http::client> to_;
};

// Whether requests are in flight.
struct drain {
    std::atomic<bool> awaited = false;
    bool empty = false;  // on home
    parking waiting{};   // on home
};

// Hangs below `authorized`, whose every request holds it; so, once the client has let go of it, it is gone when the
// last one is.
struct bell {
    bell(std::shared_ptr<connections> under, asio::any_io_executor where, std::weak_ptr<drain> who)
        : to(std::move(under)), home(std::move(where)), listener(std::move(who))
    {}
    bell(bell const&) = delete;
    bell& operator=(bell const&) = delete;
    ~bell()
    {
        auto const heard = listener.lock();
        if (!heard || !heard->awaited)
            return;
        // The last one may end on any thread.
        asio::post(home, [who = listener] {
            if (auto const d = who.lock()) {
                d->empty = true;
                d->waiting.wake_all();
            }
        });
    }

    std::shared_ptr<connections> to;
    asio::any_io_executor home;
    std::weak_ptr<drain> listener;
};

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

}  // namespace

struct client::state {
    state(serial where, provider api, credentials who, client_options options)
        : home(std::move(where)),
          address(address_of(api, options)),
          identity(std::make_shared<identity_memory>(std::move(who))),
          total(options.http.total)
    {
        if (!options.http.time)
            options.http.time = machine_clock();
        time = options.http.time;
        auto const watcher = options.http.watcher;

        under = std::make_shared<connections>(home, std::move(options.http));
        auto ask = [memory = identity] { return memory->read(); };
        auto grant = oauth2::make_grant_source(under, home, std::move(api.tokens), std::move(ask), time, watcher);
        auto changed = [memory = identity] { return memory->changed(); };
        tokens = oauth2::with_cache(std::move(grant), home, time, options.refresh, watcher, std::move(changed));
        auto const rung = std::make_shared<bell>(under, home.executor(), draining);
        std::shared_ptr<http::transport> counted(rung, under.get());
        auto with_tokens = authorized(std::move(counted), tokens, address.trusted(), time, watcher);
        stack = http::with_retries(std::move(with_tokens), home, time, std::move(options.retry), watcher);
    }

    // What the caller wrote becomes what is sent, before anything waits.
    result<void> prepare(http::request& what) const
    {
        if (auto const* const mistake = what.mistake())
            return *mistake;
        auto place = address.resolve(what.target(), !what.wants_token(),
                                     [this](std::string_view name) { return look_up(name); });
        if (!place)
            return place.error();
        http::request_access::resolve(what, std::move(place->origin), std::move(place->target));
        // From here on, a moment: no layer below starts to count anew.
        auto const until = saturating_add(time->now(), what.within().value_or(total));
        if (what.within() || !what.until())
            what.deadline(std::min(until, what.until().value_or(until)));
        return {};
    }

    std::optional<result<std::string>> look_up(std::string_view name) const
    {
        if (name != "CLIENT_ID")
            return {};
        return identity->id();
    }

    std::shared_ptr<http::transport> open_stack() const
    {
        std::lock_guard const lock(door);
        return stack;
    }

    void close_door()
    {
        std::shared_ptr<http::transport> last;
        std::lock_guard const lock(door);
        last.swap(stack);
    }

    void abandon()
    {
        close_door();
        tokens->shut_down();
        under->cut();
        identity->forget();
    }

    // Not the caller's to cancel: whoever asked for the end gets it.
    static asio::awaitable<void> end(std::shared_ptr<state> self)
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        while (!self->draining->empty)
            co_await self->draining->waiting.wait();
        self->tokens->shut_down();
        if (!self->under->cut_off())
            co_await self->under->shut_down();
        self->abandon();
        self->ended = true;
        self->waiting_for_end.wake_all();
    }

    // False: the caller was cancelled.
    static asio::awaitable<bool> wait_for_end(std::shared_ptr<state> self)
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        if (!self->ending) {
            self->ending = true;
            asio::co_spawn(self->home.executor(), end(self), asio::detached);
        }
        while (!self->ended) {
            auto const why = co_await self->waiting_for_end.wait();
            if (why == woken::cancelled)
                co_return false;
        }
        co_return true;
    }

    static asio::awaitable<void> shut_down(std::shared_ptr<state> self)
    {
        bool const throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        self->draining->awaited = true;
        self->close_door();
        auto const home = self->home.executor();
        auto waiting = wait_for_end(std::move(self));
        co_await hop(home, std::move(waiting));
        co_await asio::this_coro::throw_if_cancelled(throws);
    }

    static asio::awaitable<result<void>> warm_at_home(std::shared_ptr<connections> to, std::string url,
                                                      std::size_t requests)
    {
        co_return co_await to->warm(std::move(url), requests);
    }

    // Whether the connections have been cut off is known on home.
    static asio::awaitable<result<void>> warm(std::shared_ptr<connections> to, serial home, std::string url,
                                              std::size_t requests)
    {
        bool const throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        result<void> outcome = failure(make_error_code(errc::cancelled), phase::queue, delivery::not_sent,
                                       "cancelled on the way to the client");
        auto warming = warm_at_home(std::move(to), std::move(url), requests);
        try {
            outcome = co_await hop(home.executor(), std::move(warming));
        } catch (std::system_error const&) {
            // The outcome says so already.
        }
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return outcome;
    }

    static asio::awaitable<result<oauth2::token_ptr>> get_token(std::shared_ptr<oauth2::token_source> from,
                                                                oauth2::token_demand demand)
    {
        co_return co_await from->get(std::move(demand));
    }

    serial home;
    api_address address;
    std::shared_ptr<identity_memory> identity;
    duration total;
    std::shared_ptr<clock> time{};
    std::shared_ptr<connections> under{};
    std::shared_ptr<oauth2::caching_token_source> tokens{};
    std::shared_ptr<drain> draining = std::make_shared<drain>();

    // Dropped by one thread while others copy it.
    mutable std::mutex door{};
    std::shared_ptr<http::transport> stack{};

    std::atomic<bool> ended = false;
    bool ending = false;        // on home
    parking waiting_for_end{};  // on home
};

client::client(serial home, provider api, credentials who, client_options options)
    : state_(std::make_shared<state>(std::move(home), std::move(api), std::move(who), std::move(options)))
{}

client::~client()
{
    if (state_ && !state_->ended)
        state_->abandon();
}

client::client(client&&) noexcept = default;

client& client::operator=(client&& other) noexcept
{
    client old(std::move(other));
    old.state_.swap(state_);
    return *this;
}

auto client::send_by(std::shared_ptr<state> const& who, http::request what) -> answer
{
    if (auto const ready = who->prepare(what); !ready)
        return failed<http::response>(ready.error());
    auto const stack = who->open_stack();
    return stack ? stack->send(std::move(what)) : failed<http::response>(shut_down_failure());
}

asio::awaitable<result<oauth2::token_ptr>> client::token_of(std::shared_ptr<state> const& who,
                                                            oauth2::token_demand demand)
{
    return state::get_token(who->tokens, std::move(demand));
}

asio::any_io_executor const& client::executor_of(state const& who) noexcept { return who.home.executor(); }

asio::any_io_executor const& client::get_executor() const noexcept { return executor_of(*state_); }

auto client::send(http::request what) -> answer { return send_by(state_, std::move(what)); }

namespace {

std::string rooted(std::string_view path)
{
    bool const as_it_is = path.starts_with('/') || api_address::is_absolute(path);
    return as_it_is ? std::string(path) : '/' + std::string(path);
}

}  // namespace

auto client::get(std::string_view path) -> answer { return send(http::request::get(rooted(path))); }
auto client::del(std::string_view path) -> answer { return send(http::request::del(rooted(path))); }

auto client::post(std::string_view path, std::string body) -> answer
{
    return send(http::request::post(rooted(path), std::move(body)));
}

auto client::put(std::string_view path, std::string body) -> answer
{
    return send(http::request::put(rooted(path), std::move(body)));
}

auto client::patch(std::string_view path, std::string body) -> answer
{
    return send(http::request::patch(rooted(path), std::move(body)));
}

asio::awaitable<result<void>> client::warm(std::size_t requests)
{
    if (!state_->open_stack())
        return failed<void>(shut_down_failure());
    return state::warm(state_->under, state_->home, state_->address.base_origin().to_string() + '/', requests);
}

asio::awaitable<result<oauth2::token_ptr>> client::token(oauth2::token_demand demand)
{
    return token_of(state_, std::move(demand));
}

asio::awaitable<void> client::shut_down() { return state::shut_down(state_); }

client_snapshot client::snapshot() const
{
    client_snapshot s;
    s.token = state_->tokens->snapshot();
    s.pools = state_->under->snapshot();
    return s;
}

}  // namespace jeton
