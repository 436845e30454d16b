// SPDX-License-Identifier: BSL-1.0
#include "testing/gate.hpp"

#include "base/hop.hpp"

#include <asio/this_coro.hpp>

#include <utility>

namespace jeton::testing {

void gate::release()
{
    shut_ = false;
    place_.wake_all();
}

asio::awaitable<bool> gate::pass(std::shared_ptr<gate> self)
{
    if (!self->shut())
        co_return true;
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const home = self->home_.executor();
    auto waiting = wait(std::move(self));
    bool const open = co_await hop(home, std::move(waiting));
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return open;
}

asio::awaitable<bool> gate::wait(std::shared_ptr<gate> self)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    while (self->shut()) {
        auto const why = co_await self->place_.wait();
        if (why != woken::cancelled)
            continue;
        if (!self->deaf_)
            co_return false;
        // Cancelled once, a coroutine cannot wait any more; a fresh one can.
        auto again = wait(self);
        co_return co_await hop(self->home_.executor(), std::move(again));
    }
    co_return true;
}

}  // namespace jeton::testing
