// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/client.hpp>

#include "client/client_state.hpp"

#include <jeton/client/async.hpp>

#include <utility>

namespace jeton {

namespace {

std::vector<serial> homes_of(io_threads const& threads)
{
    std::vector<serial> homes;
    for (std::size_t i = 0; i != threads.size(); ++i)
        homes.push_back(threads.home(i));
    return homes;
}

std::string rooted(std::string_view path)
{
    bool const as_it_is = path.starts_with('/') || api_address::is_absolute(path);
    return as_it_is ? std::string(path) : '/' + std::string(path);
}

}  // namespace

client::client(serial home, provider api, credentials who, client_options options)
    : state_(state::make({std::move(home)}, nullptr, std::move(api), std::move(who), std::move(options)))
{}

client::client(io_threads& threads, provider api, credentials who, client_options options)
    : state_(state::make(homes_of(threads), &threads, std::move(api), std::move(who), std::move(options)))
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

auto client::send(http::request what) -> answer { return state_->send(state_->shard_here(), std::move(what)); }

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

namespace {

asio::awaitable<result<oauth2::token_ptr>> get_token(std::shared_ptr<oauth2::token_source> from,
                                                     oauth2::token_demand demand)
{
    co_return co_await from->get(std::move(demand));
}

}  // namespace

asio::awaitable<result<oauth2::token_ptr>> client::token(oauth2::token_demand demand)
{
    return get_token(state_->shard_here().front, std::move(demand));
}

asio::awaitable<result<void>> client::warm(std::size_t requests) { return state::warm(state_, requests); }

asio::awaitable<void> client::shut_down() { return state::shut_down(state_); }

client_snapshot client::snapshot() const { return state_->snapshot(); }

asio::awaitable<client_snapshot> client::look() const { return state::look(state_); }

asio::any_io_executor const& client::get_executor() const noexcept { return state_->shards.front()->home.executor(); }

client_shard& client_calls::shard_for(asio::any_io_executor const* handler) const
{
    auto* const theirs = handler != nullptr ? state_->shard_on(*handler) : nullptr;
    return theirs != nullptr ? *theirs : state_->shard_here();
}

asio::any_io_executor const& client_calls::executor(client_shard const& of) noexcept { return of.home.executor(); }

asio::awaitable<result<http::response>> client_calls::request_on(client_shard const& at, http::request what) const
{
    return state_->send(at, std::move(what));
}

asio::awaitable<result<oauth2::token_ptr>> client_calls::token_on(client_shard const& at, oauth2::token_demand demand)
{
    return get_token(at.front, std::move(demand));
}

}  // namespace jeton
