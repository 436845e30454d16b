// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/origin_share.hpp"

#include <cassert>

namespace jeton::http {

namespace {

using standing = origin_share::standing;

bool goes_before(standing const& a, standing const& b) noexcept
{
    return a.connections != b.connections ? a.connections < b.connections : a.queued < b.queued;
}

// Nobody takes from one who has hardly more, or connections would wander to and fro; only who has none at all may.
bool may_take_from(standing const& rich, standing const& poor) noexcept
{
    auto const stays = rich.connections - rich.leaving;
    return rich.open != 0 && (poor.connections == 0 ? stays > 0 : stays > poor.connections + 1);
}

}  // namespace

bool origin_share::take(bool granted) noexcept
{
    if (taken_ >= limit_ || (contended() && !granted))
        return false;
    ++taken_;
    return true;
}

void origin_share::put_back() noexcept
{
    assert(taken_ > 0);
    --taken_;
    changed_ = true;
}

auto origin_share::queue_up() noexcept -> ticket
{
    ++queueing_;
    changed_ = true;
    return ++tickets_;
}

void origin_share::leave_queue() noexcept
{
    assert(queueing_ > 0);
    --queueing_;
    changed_ = true;
}

auto origin_share::next(std::span<standing const> origins) noexcept -> step
{
    std::size_t const nobody = origins.size();
    std::size_t poor = nobody;
    std::size_t leaving = 0;
    for (std::size_t i = 0; i < origins.size(); ++i) {
        leaving += origins[i].leaving;
        if (origins[i].queued != 0 && (poor == nobody || goes_before(origins[i], origins[poor])))
            poor = i;
    }
    if (poor != nobody && taken_ < limit_)
        return {step::kind::grant, poor};

    changed_ = false;
    // What leaves will do for so many of those who queue.
    if (poor == nobody || leaving >= queueing_)
        return {};
    std::size_t with_idle = nobody;
    std::size_t with_open = nobody;
    for (std::size_t i = 0; i < origins.size(); ++i) {
        auto const& o = origins[i];
        if (i == poor)
            continue;
        if (o.idle != 0 && (with_idle == nobody || o.connections > origins[with_idle].connections))
            with_idle = i;
        if (may_take_from(o, origins[poor])
            && (with_open == nobody
                || o.connections - o.leaving > origins[with_open].connections - origins[with_open].leaving))
            with_open = i;
    }
    auto const victim = with_idle != nobody ? with_idle : with_open;
    if (victim == nobody)
        return {};
    changed_ = true;
    return {step::kind::squeeze, victim};
}

}  // namespace jeton::http
