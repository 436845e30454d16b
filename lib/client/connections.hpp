// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/ended.hpp"
#include "http/sender_of.hpp"

#include <jeton/http/client.hpp>
#include <jeton/http/transport.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace jeton {

/// What everything above has instead of the connections, so that they can be taken away while requests are in flight:
/// that is what cancels those. On home only: with_retries and the grant run there.
class connections final : public http::transport, public http::has_passage {
public:
    /// \param beside  null, or another client's connections, whose TLS configuration these share
    connections(serial home, http::client_options options, connections const* beside)
        : to_(beside != nullptr ? std::make_unique<http::client>(std::move(home), std::move(options), *beside->to_)
                                : std::make_unique<http::client>(std::move(home), std::move(options)))
    {}

    asio::awaitable<result<http::response>> send(http::request what) override
    {
        return to_ ? to_->send(std::move(what)) : refused<http::response>();
    }

    http::passage way() override
    {
        http::passage all;
        if (to_)
            all.last = http::sender_of(*to_);
        return all;
    }

    /// Holds them until it has completed.
    static asio::awaitable<result<void>> warm(std::shared_ptr<connections> self, std::string url, std::size_t requests)
    {
        auto warming = self->to_ ? self->to_->warm(std::move(url), requests) : refused<void>();
        co_return co_await std::move(warming);
    }

    /// Completes at once if they have been cut off.
    static asio::awaitable<void> shut_down(std::shared_ptr<connections> self)
    {
        if (self->to_)
            co_await self->to_->shut_down();
    }

    void cut() { to_.reset(); }

    std::vector<http::pool_snapshot> snapshot() const
    {
        return to_ ? to_->snapshot() : std::vector<http::pool_snapshot>();
    }

private:
    template <class T>
    static asio::awaitable<result<T>> refused()
    {
        co_return has_been_shut_down(phase::configure);
    }

    std::unique_ptr<http::client> to_;
};

}  // namespace jeton
