// SPDX-License-Identifier: BSL-1.0
#include "oauth2/cached_source.hpp"

#include <asio/post.hpp>

#include <stdexcept>

namespace jeton::oauth2 {

cached_source::cached_source(std::shared_ptr<token_core> core)
    : core_(std::move(core)), front_(std::make_shared<token_front>(core_, core_->home()))
{}

cached_source::~cached_source()
{
    // A cache at rest must not touch its executor: the context may be on its way out, with us in one of its frames.
    if (core_->at_work())
        core_->close();
}

void cached_source::shut_down()
{
    core_->close();
    asio::post(core_->home(), [weak = std::weak_ptr(front_)] {
        if (auto const front = weak.lock())
            front->forget();
    });
}

std::shared_ptr<token_front> cached_source::front_on(asio::any_io_executor const& where) const
{
    return where == core_->home() ? front_ : std::make_shared<token_front>(core_, where);
}

std::shared_ptr<caching_token_source> with_cache(std::shared_ptr<token_source> upstream, serial home,
                                                 std::shared_ptr<clock> time, refresh_policy policy,
                                                 std::shared_ptr<observer> watcher,
                                                 std::function<bool()> identity_changed)
{
    if (!upstream || !time)
        throw std::invalid_argument("jeton: with_cache: no source or no clock");
    return std::make_shared<cached_source>(std::make_shared<token_core>(std::move(upstream), std::move(home),
                                                                        std::move(time), policy, std::move(watcher),
                                                                        std::move(identity_changed)));
}

}  // namespace jeton::oauth2
