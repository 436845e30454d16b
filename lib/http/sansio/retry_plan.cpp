// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/retry_plan.hpp"

#include "base/backoff.hpp"

#include <jeton/http/error.hpp>

#include <algorithm>
#include <utility>

namespace jeton::http {

namespace {

constexpr int misdirected_request = 421;

bool named(retry_policy const& policy, int status) noexcept
{
    return std::find(policy.statuses.begin(), policy.statuses.end(), status) != policy.statuses.end();
}

}  // namespace

auto retry_plan::on_failure(failure const& why, bool reused, time_point now, double chance) -> step
{
    bool const sent = why.delivery() != delivery::not_sent;
    if (why.code() == cond::cancelled || why.delivery() == delivery::answered || (sent && !repeatable_))
        return {};
    if (!(why.code() == cond::transient || reused))
        return {};

    if (!sent && why.phase() == phase::token && why.diag().retry_at) {
        // A moment that has passed is no moment to wait for; a pause keeps this from turning in circles.
        auto const at = std::max(*why.diag().retry_at, saturating_add(now, policy_->first_pause / 2));
        return at < deadline_ ? step{.again = true, .at = at} : step{};
    }

    if (attempt_ >= policy_->attempts)
        return {};
    if (!sent && why.code() == errc::http_1_1_required)
        return std::exchange(for_1_1_, true) ? step{} : resend(now, false, now);
    if (sent && repeated_)
        return {};
    auto const next = resend(reused ? now : saturating_add(now, pause(chance)), sent || reused, now);
    repeated_ = repeated_ || (next.again && sent);
    return next;
}

auto retry_plan::on_answer(int status, std::optional<std::chrono::seconds> retry_after, time_point now, double chance)
    -> step
{
    if (!lists(status) || attempt_ >= policy_->attempts)
        return {};
    if (status == misdirected_request && !std::exchange(moved_, true))
        return resend(now, true, now);
    if (!repeatable_)
        return {};
    // Compared in seconds: what the peer asks for may not fit into nanoseconds.
    auto const left = std::chrono::ceil<std::chrono::seconds>(deadline_ - now);
    if (retry_after && *retry_after > left)
        return {};
    auto const wait = std::max(pause(chance), duration(retry_after.value_or(std::chrono::seconds(0))));
    return resend(saturating_add(now, wait), false, now);
}

bool retry_plan::lists(int status) const noexcept
{
    return (status == misdirected_request && !moved_) || named(*policy_, status);
}

bool retry_plan::lists(retry_policy const& policy, int status) noexcept
{
    return status == misdirected_request || named(policy, status);
}

duration retry_plan::pause(double chance) const
{
    return backoff(policy_->first_pause, policy_->longest_pause, static_cast<unsigned>(attempt_ - 1), chance);
}

auto retry_plan::resend(time_point at, bool young, time_point now) -> step
{
    if (at >= deadline_ || !budget_->grant(now))
        return {};
    ++attempt_;
    return {.again = true, .at = at, .on_young_connection = young};
}

}  // namespace jeton::http
