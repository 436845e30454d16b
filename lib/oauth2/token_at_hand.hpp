// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/oauth2/token.hpp>

#include <asio/any_io_executor.hpp>

namespace jeton::oauth2 {

/// What a token source is besides, if it may have a token that nobody has to wait for: whoever asks this first saves a
/// coroutine.
class token_at_hand {
public:
    /// A token that may be used at `now`, by the source's clock, for a caller on `home()`; valid until that gives up
    /// control. Null: ask `get`.
    virtual token_ptr const* at_hand(time_point now) const noexcept = 0;

    virtual asio::any_io_executor const& home() const noexcept = 0;

protected:
    ~token_at_hand() = default;
};

}  // namespace jeton::oauth2
