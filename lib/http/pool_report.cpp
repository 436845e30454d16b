// SPDX-License-Identifier: BSL-1.0
#include "base/duration_text.hpp"
#include "http/pool.hpp"
#include "http/pool_site.hpp"

#include <utility>

namespace jeton::http {

// What the pool tells others: its state, what happened, and why there is no connection.

std::vector<pool_snapshot> pool::snapshot() const
{
    auto const now = timers_->now();
    std::vector<pool_snapshot> all;
    all.reserve(sites_.size());
    for (auto const& [key, at] : sites_)
        all.push_back({.origin = at->name,
                       .idle = at->plan.idle(),
                       .busy = at->plan.busy(),
                       .dialling = at->plan.dialling(),
                       .waiting = at->plan.waiting(),
                       .connections_made = at->connections_made,
                       .requests = at->requests,
                       .retired = at->plan.retired(),
                       .connects_failed = at->connects_failed,
                       .failures_in_a_row = at->plan.failures(),
                       .next_attempt = at->plan.next_dial(now),
                       .last_failure = at->last_failure,
                       .idle_limit = at->plan.idle_limit()});
    return all;
}

void pool::tell()
{
    // An observer may call back into the client, or drop it.
    auto const keep = shared_from_this();
    for (auto const& what : std::exchange(events_, {})) {
        try {
            watcher_->on(what);
        } catch (...) {
        }
    }
}

failure pool::timed_out(site const& at, duration waited, bool deadline) const
{
    auto const& plan = at.plan;
    diagnostics diag;
    diag.ours = deadline ? "the deadline passed after waiting " : "waited ";
    diag.ours += duration_text(waited) + " for a connection to " + at.name + ": " + std::to_string(plan.busy())
                 + " busy, " + std::to_string(plan.idle()) + " idle, " + std::to_string(plan.dialling())
                 + " being made, " + std::to_string(plan.waiting()) + " others waiting";
    if (at.last_failure)
        diag.ours += "; the last attempt to connect failed: " + at.last_failure->to_string();
    auto const now = timers_->now();
    diag.retry_at = plan.next_dial(now);
    if (diag.retry_at)
        diag.ours += "; the next one is due in " + duration_text(*diag.retry_at - now);
    return {jeton::errc::timed_out, phase::queue, delivery::not_sent, std::move(diag)};
}

failure pool::not_connected(site const& at) const
{
    auto const now = timers_->now();
    auto const next = at.plan.next_dial(now);
    // A peer that dropped a connection that was not used yet is paced like one that could not be reached.
    if (!at.last_failure)
        return {jeton::errc::timed_out, phase::queue, delivery::not_sent,
                at.name + " closed a new connection before it was used; the next attempt comes too late"};
    auto diag = at.last_failure->diag();
    diag.retry_at = next;
    if (next)
        diag.ours += "; the next attempt is due in " + duration_text(*next - now);
    return at.last_failure->with(std::move(diag));
}

}  // namespace jeton::http
