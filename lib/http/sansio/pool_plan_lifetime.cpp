// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/pool_plan.hpp"

#include <algorithm>
#include <utility>

// How connections come to their end, and to their successors.
namespace jeton::http {

// \pre  not listed
void pool_plan::retire(connection_id c, reason why)
{
    connection& self = connections_[c];
    if (self.is == connection::state::retired)
        return;
    self.is = connection::state::retired;
    self.why = why;
    if (greeting_ == c)
        greeting_ = none;
    ++retired_;
}

// It goes on until there is another one; unless enough others are there already.
void pool_plan::begin_replacing(connection_id c, reason why)
{
    connection& self = connections_[c];
    if (shutting_down_)
        return;
    if (self.used == 0 && free() > std::max<std::size_t>(ready_wanted(), 1)) {
        delist(c);
        close(c, why);
        return;
    }
    self.owed = true;
    self.why = why;
    owed_.push_back(c);
}

// A successor is there. \returns  since when it counts as idle
time_point pool_plan::finish_replacing(time_point now)
{
    if (owed_.empty())
        return now;
    auto const old = owed_.front();
    lapse(old);
    connection& self = connections_[old];
    if (self.is != connection::state::open)
        return now;
    auto const since = self.used == 0 ? self.idle_since : now;
    if (self.listed)
        delist(old);
    if (self.used == 0)
        close(old, self.why);
    else
        retire(old, self.why);
    return since;
}

void pool_plan::lapse(connection_id c)
{
    if (!std::exchange(connections_[c].owed, false))
        return;
    owed_.erase(std::find(owed_.begin(), owed_.end(), c));
}

void pool_plan::forget(connection_id c)
{
    lapse(c);
    if (greeting_ == c)
        greeting_ = none;
    if (connections_[c].is == connection::state::retired)
        --retired_;
    connections_[c].is = connection::state::unused;
    --total_;
    unused_.push_front(connections_, c);
    if (among_ != nullptr)
        among_->put_back();
}

void pool_plan::close(connection_id c, reason why)
{
    forget(c);
    todo_.push_back({.what = action::kind::close, .connection = c, .why = why});
}

void pool_plan::close_oldest(reason why)
{
    auto const c = idle_.last();
    delist(c);
    close(c, why);
}

void pool_plan::expire(time_point now)
{
    while (!idle_.empty()) {
        auto const c = idle_.last();
        connection& self = connections_[c];
        if (saturating_add(self.idle_since, idle_limit_) > now)
            return;
        delist(c);
        if (free() >= ready_wanted()) {
            close(c, reason::idle);
            continue;
        }
        // One that is to be kept ready stays as long as the server lets it; then another one takes its place.
        if (idle_limit_ < limits_.idle) {
            close(c, reason::idle);
            continue;
        }
        enlist(c, now);
    }
}

void pool_plan::retire_aged(time_point now)
{
    next_aged_ = time_point::max();
    for (connection_id c = 0; c < connections_.size(); ++c) {
        connection& self = connections_[c];
        if (self.is != connection::state::open || self.owed)
            continue;
        if (self.retire_at <= now)
            begin_replacing(c, reason::age);
        else
            next_aged_ = std::min(next_aged_, self.retire_at);
    }
}

void pool_plan::learn_idle_limit() { idle_limit_ = std::min(limits_.idle, lesson_.limit().value_or(limits_.idle)); }

}  // namespace jeton::http
