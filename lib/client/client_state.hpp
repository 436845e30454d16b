// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "client/client_shard.hpp"
#include "client/identity_memory.hpp"
#include "oauth2/cached_source.hpp"

#include <jeton/base/io_threads.hpp>
#include <jeton/client/client.hpp>

#include <asio/any_io_executor.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jeton {

/// What a client is: shards, each on its own executor, and the token that they share, whose home is the first shard's.
///
///     request -> shard i: with_retries -> authorized -> connections i
///                                             |
///                                        token_front i -> token_core -> grant -> connections 0
///
/// Held by the client alone, and by what ends it: requests hold what they need of their shard.
struct client::state : std::enable_shared_from_this<client::state> {
    /// \param on  null: `homes` is one executor. Otherwise the threads that they are of.
    static std::shared_ptr<state> make(std::vector<serial> homes, io_threads* on, provider api, credentials who,
                                       client_options options);

    state(std::vector<serial> homes, io_threads* on, provider api, credentials who, client_options options);

    /// The shard for a call made here: this thread's, otherwise the least loaded.
    client_shard& shard_here();
    /// The shard whose home that is; null: nobody's.
    client_shard* shard_on(asio::any_io_executor const& executor) noexcept;

    /// What the caller wrote becomes what is sent, before anything waits.
    result<void> prepare(client_shard const& at, http::request& what) const;

    answer send(client_shard const& at, http::request what) const;

    /// Refuses what is new.
    void close_doors();
    /// Cancels what is in flight.
    void abandon();

    static asio::awaitable<void> shut_down(std::shared_ptr<state> self);
    static asio::awaitable<result<void>> warm(std::shared_ptr<state> self, std::size_t requests);

    client_snapshot snapshot();
    static asio::awaitable<client_snapshot> look(std::shared_ptr<state> self);

    std::vector<std::unique_ptr<client_shard>> shards{};
    std::shared_ptr<oauth2::cached_source> tokens{};
    std::atomic<bool> ended = false;

private:
    void open(http::retry_policy const& retry, std::shared_ptr<observer> const& watcher);
    void on_home_of(std::size_t which, std::function<void()> what);
    client_shard& least_loaded() noexcept;
    std::optional<result<std::string>> look_up(std::string_view name) const;
    asio::any_io_executor const& home() const noexcept { return shards.front()->home.executor(); }

    static asio::awaitable<void> end(std::shared_ptr<state> self);
    static asio::awaitable<void> close(std::shared_ptr<connections> under, std::shared_ptr<oauth2::token_front> front,
                                       std::shared_ptr<roll_call> closing);
    static asio::awaitable<bool> wait_for_end(std::shared_ptr<state> self);
    static asio::awaitable<result<std::vector<http::pool_snapshot>>> pools_of(std::shared_ptr<connections> under);

    io_threads* const threads_;
    std::shared_ptr<identity_memory> const identity_;
    duration const total_;
    std::shared_ptr<clock> time_{};
    std::shared_ptr<drain> draining_{};

    bool ending_ = false;        // on home
    parking waiting_for_end_{};  // on home
};

}  // namespace jeton
