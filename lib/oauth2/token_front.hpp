// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "oauth2/token_at_hand.hpp"
#include "oauth2/token_core.hpp"

#include <jeton/oauth2/token_source.hpp>

#include <asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace jeton::oauth2 {

/// What one serial executor sees of a token_core: callers on it read a fresh token without a lock, a hop or a write to
/// what others write. Callers elsewhere ask the core.
///
/// Held by whoever calls `get`, until that has begun; the core is held from then on.
class token_front final : public token_source, public token_at_hand {
public:
    token_front(std::shared_ptr<token_core> core, asio::any_io_executor where)
        : core_(std::move(core)), home_(std::move(where))
    {}

    awaitable<result<token_ptr>> get(token_demand demand) override;
    token_ptr const* at_hand(time_point now) const noexcept override;
    asio::any_io_executor const& home() const noexcept override { return home_; }

    /// Lets go of the token. On its executor.
    void forget() noexcept { at_hand_ = {}; }

private:
    using flight_ptr = std::shared_ptr<token_core::flight>;

    std::optional<result<token_ptr>> at_once(token_demand const& demand, asio::any_io_executor const& caller,
                                             flight_ptr& to_join);
    static awaitable<result<token_ptr>> wait_elsewhere(std::shared_ptr<token_core> const& core,
                                                       flight_ptr const& flight, token_demand const& demand);
    static awaitable<result<token_ptr>> wait_at_home(std::shared_ptr<token_core> core, flight_ptr flight,
                                                     token_demand demand);
    void keep_at_hand(token_core::plan const& p);

    std::shared_ptr<token_core> const core_;
    asio::any_io_executor const home_;

    // On its executor only, and not beside what is written elsewhere.
    struct alignas(64) {
        token_ptr token{};
        time_point until{};
        std::uint64_t word = 0;
    } at_hand_{};
};

}  // namespace jeton::oauth2
