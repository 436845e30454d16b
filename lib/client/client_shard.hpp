// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "client/connections.hpp"
#include "client/roll_call.hpp"
#include "client/sansio/api_address.hpp"
#include "http/retry_elsewhere.hpp"
#include "oauth2/token_front.hpp"

#include <jeton/base/serial.hpp>
#include <jeton/client/client.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>

namespace jeton {

/// Whether requests are in flight on any shard.
struct drain : roll_call {
    using roll_call::roll_call;
    std::atomic<bool> awaited = false;
};

/// The part of a client that lives on one serial executor: connections, and what stands between them and the caller.
class alignas(64) client_shard {
public:
    /// \param beside  null, or another shard of the same client
    client_shard(serial where, api_address there, http::client_options options, client_shard const* beside)
        : home(std::move(where)),
          address(std::move(there)),
          under(std::make_shared<connections>(home, std::move(options), beside ? beside->under.get() : nullptr))
    {}

    /// Puts authorization and retries over the connections; from then on requests are taken. Once.
    void open(std::shared_ptr<oauth2::token_front> tokens, std::shared_ptr<drain> const& draining,
              std::shared_ptr<clock> time, http::retry_policy retry, std::shared_ptr<observer> watcher,
              http::retry_elsewhere elsewhere);

    /// What a request is given to; null: none is taken any more. Any thread.
    std::shared_ptr<http::transport> stack() const
    {
        std::lock_guard const lock(door_);
        return stack_;
    }

    /// \returns what has been behind the door, to be dropped on home if that can be told
    std::shared_ptr<http::transport> close_door()
    {
        std::lock_guard const lock(door_);
        return std::exchange(stack_, nullptr);
    }

    /// About how many requests are in flight: each holds the stack, one from elsewhere twice. Reads what the shard itself writes,
    /// and adds nothing to it. Any thread.
    long load() const noexcept { return load_.use_count(); }

    serial const home;
    api_address const address;  // its own, since every request counts its origin
    std::shared_ptr<connections> const under;
    std::shared_ptr<oauth2::token_front> front{};

private:
    mutable std::mutex door_{};  // the stack is dropped by one thread while others copy it
    std::shared_ptr<http::transport> stack_{};
    std::weak_ptr<http::transport> load_{};
};

/// A client's limits are for all of its `of` shards together: what shard `which` gets of them. At least one of each.
http::client_options share_of(http::client_options options, std::size_t which, std::size_t of);
http::retry_policy share_of(http::retry_policy policy, std::size_t which, std::size_t of);

}  // namespace jeton
