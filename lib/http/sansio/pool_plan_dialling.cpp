// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/pool_plan.hpp"

#include <algorithm>
#include <limits>

// How many connections are wanted, and how many there may be.
namespace jeton::http {

namespace {

constexpr std::size_t divided_up(std::size_t n, std::size_t by) noexcept { return n / by + (n % by != 0 ? 1 : 0); }

}  // namespace

std::size_t pool_plan::coming() const noexcept
{
    if ((dialling_many_ != 0 && !spoken_) || greeting_ != none)
        return std::numeric_limits<std::size_t>::max();
    return dialling_ - dialling_many_ + dialling_many_ * std::max<std::size_t>(slots_of_last_, 1);
}

// Whether the next dial may bring many slots.
bool pool_plan::many_wanted() const noexcept
{
    return limits_.multiplexing && !one_only_
           && in_progress_ + std::max({line_.size(), warm_, limits_.ready}) >= limits_.many_from;
}

void pool_plan::learn_slots(std::uint32_t slots) noexcept
{
    slots_of_last_ = slots;
    spoken_ = true;
    greeting_ = none;
}

// How many connections with a free slot there are to be, as far as the limit allows.
std::size_t pool_plan::ready_wanted() const noexcept
{
    auto const requests = shutting_down_ ? 0 : std::max(limits_.ready, warm_);
    if (requests == 0)
        return 0;
    auto const in_use = total_ - dialling_ - free();
    return std::min(divided_up(requests, slots_each()), limits_.connections - std::min(limits_.connections, in_use));
}

// In all, those in progress included.
std::size_t pool_plan::dials_wanted()
{
    // A server that lets nothing through on this connection would let nothing through on another.
    bool const many = many_wanted();
    std::size_t const for_them = !many || slots_of_last_ != 0 ? divided_up(line_.size(), slots_each())
                                 : open() == 0                ? std::min<std::size_t>(line_.size(), 1)
                                                              : 0;
    // A successor with many slots does for those who wait as well.
    auto wanted = slots_each() > 1 ? std::max(owed_.size(), for_them) : owed_.size() + for_them;
    auto const ready = ready_wanted();
    if (ready > free())
        wanted += ready - free();
    else
        warm_ = 0;
    if (many && !spoken_)
        return greeting_ != none ? 0 : std::min<std::size_t>(wanted, 1);
    return wanted;
}

void pool_plan::dial(time_point now)
{
    paced_ = false;
    one_only_ = now < one_until_;
    if (line_.empty() && owed_.empty() && warm_ == 0 && limits_.ready == 0) {
        stop_queueing();
        return;
    }
    while (dialling_ < dials_wanted()) {
        if (!pace_.allows(now, dialling_)) {
            paced_ = now < pace_.not_before();
            return;
        }
        if (!take_room(line_.size() > coming()))
            return;
        auto const c = unused_.allot(connections_);
        connection& self = connections_[c];
        self.is = connection::state::dialling;
        self.age.dialled = now;
        self.many = many_wanted();
        ++total_;
        ++dialling_;
        dialling_many_ += self.many ? 1 : 0;
        todo_.push_back({.what = action::kind::dial, .connection = c, .many = self.many});
    }
    stop_queueing();
}

void pool_plan::end_dial(connection_id c)
{
    --dialling_;
    dialling_many_ -= connections_[c].many ? 1 : 0;
}

// Whether there may be another connection. Whatever is idle while somebody waits suits nobody who does.
bool pool_plan::take_room(bool waited_for)
{
    if (total_ >= limits_.connections + (owed_.empty() ? 0 : 1)) {
        if (!waited_for || idle_.empty())
            return false;
        close_oldest(reason::room);
    }
    if (among_ == nullptr)
        return true;
    bool taken = among_->take(granted_);
    if (!taken && waited_for && !idle_.empty()) {
        close_oldest(reason::room);
        taken = among_->take(granted_);
    }
    if (taken) {
        granted_ = false;
        return true;
    }
    if (waited_for && queued_ == 0)
        queued_ = among_->queue_up();
    else if (!waited_for)
        warm_ = 0;
    return false;
}

void pool_plan::stop_queueing()
{
    if (queued_ == 0)
        return;
    queued_ = 0;
    among_->leave_queue();
}

// xorshift: who could guess it would gain nothing.
double pool_plan::chance() noexcept
{
    dice_ ^= dice_ << 13;
    dice_ ^= dice_ >> 17;
    dice_ ^= dice_ << 5;
    return static_cast<double>(dice_) / 4294967296.0;
}

}  // namespace jeton::http
