// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/idle_lesson.hpp"

#include <algorithm>
#include <chrono>

namespace jeton::http {

namespace {

using namespace std::chrono_literals;

// Below that, a closing says more about the server's fortunes than about its settings.
constexpr duration least = 1s;
constexpr duration remembered = 10min;

// What a request may be under way, and what timers are late.
duration slack(duration of) noexcept { return std::max<duration>(of / 10, 1s); }

duration less_margin(duration of) noexcept { return of - std::min(slack(of), of / 2); }

}  // namespace

void idle_lesson::on_hint(duration kept) noexcept { hinted_ = less_margin(std::max(kept, duration::zero())); }

void idle_lesson::on_closed(duration idle_for, time_point now) noexcept
{
    if (idle_for < least)
        return;
    if (last_) {
        auto const tolerance = slack(last_->idle_for);
        if (now - last_->at <= tolerance)
            return;
        if (std::chrono::abs(idle_for - last_->idle_for) <= tolerance) {
            learned_ = less_margin(std::min(idle_for, last_->idle_for));
            learned_at_ = now;
        }
    }
    last_ = sight{idle_for, now};
}

void idle_lesson::on_time(time_point now) noexcept
{
    if (learned_ && now >= saturating_add(learned_at_, remembered)) {
        learned_.reset();
        last_.reset();
    }
}

std::optional<duration> idle_lesson::limit() const noexcept
{
    if (hinted_ && learned_)
        return std::min(*hinted_, *learned_);
    return hinted_ ? hinted_ : learned_;
}

}  // namespace jeton::http
