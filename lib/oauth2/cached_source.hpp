// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "oauth2/token_core.hpp"
#include "oauth2/token_front.hpp"

#include <jeton/oauth2/sources.hpp>

#include <asio/any_io_executor.hpp>

#include <memory>
#include <utility>

namespace jeton::oauth2 {

/// What `with_cache` makes: the owner of a token_core, and of its front for callers on the core's home. Its end is the core's.
class cached_source final : public caching_token_source {
public:
    explicit cached_source(std::shared_ptr<token_core> core);
    ~cached_source() override;

    awaitable<result<token_ptr>> get(token_demand demand) override { return front_->get(std::move(demand)); }
    token_snapshot snapshot() const override { return core_->look(); }
    void retry_now() override { core_->forgive(); }
    void shut_down() override;

    /// A front of the same token for callers on another executor; on the home, the cache's own. Whoever has one elsewhere
    /// makes it `forget` at the end.
    std::shared_ptr<token_front> front_on(asio::any_io_executor const& where) const;

private:
    std::shared_ptr<token_core> const core_;
    std::shared_ptr<token_front> const front_;
};

}  // namespace jeton::oauth2
