// SPDX-License-Identifier: BSL-1.0
#include "base/timing_wheel.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace jeton {

// A timer lies in the level that is named by the highest group of eight bits in which its tick differs from the current
// one, in the slot that those bits name:
//
//     tick     | 63 .. 32 | 31 .. 24 | 23 .. 16 | 15 .. 8 | 7 .. 0 |
//     level    |  beyond  |    3     |    2     |    1    |   0    |
//
// Hence all that is armed lies ahead of the current slot of its level, nothing wraps around, and the first occupied slot
// of the lowest occupied level is what comes next. When the current tick enters a slot, what lies in it moves down.

namespace {

using std::chrono::ceil;
using std::chrono::floor;
using std::chrono::milliseconds;

/// Makes every tick positive; a multiple of all levels' spans, so that their borders stay where they are.
constexpr std::uint64_t bias = std::uint64_t(1) << 44;

}  // namespace

void timer::disarm() noexcept
{
    if (armed())
        wheel_->unlink(*this);
}

timing_wheel::timing_wheel(time_point now) : now_(now), current_(ceil_tick(now))
{
    for (auto& list : lists_)
        list.next = list.previous = &list;
}

timing_wheel::~timing_wheel()
{
    for (auto& list : lists_)
        while (list.next != &list)
            unlink(static_cast<timer&>(*list.next));
}

timing_wheel::tick timing_wheel::ceil_tick(time_point at) noexcept
{
    return bias + static_cast<tick>(ceil<milliseconds>(at.time_since_epoch()).count());
}

time_point timing_wheel::start_of(tick at) noexcept
{
    auto const since_epoch = static_cast<std::int64_t>(at) - static_cast<std::int64_t>(bias);
    auto const last = floor<milliseconds>(duration::max()).count();
    return since_epoch > last ? time_point::max() : time_point(milliseconds(since_epoch));
}

std::uint16_t timing_wheel::slot_for(tick at) const noexcept
{
    if (at <= current_)
        return near;
    auto const level = static_cast<unsigned>(std::bit_width(at ^ current_) - 1) / bits_per_level;
    if (level >= levels)
        return beyond;
    auto const index = (at >> (level * bits_per_level)) & (slots_per_level - 1U);
    return static_cast<std::uint16_t>(level * slots_per_level + index);
}

void timing_wheel::append(timer& t, std::uint16_t slot) noexcept
{
    auto& list = lists_[slot];
    t.next = &list;
    t.previous = list.previous;
    list.previous->next = &t;
    list.previous = &t;
    t.slot_ = slot;
    t.wheel_ = this;
    ++size_;
    if (slot < slots)
        occupied_[slot / 64] |= std::uint64_t(1) << (slot % 64);
}

void timing_wheel::unlink(timer& t) noexcept
{
    t.previous->next = t.next;
    t.next->previous = t.previous;
    t.next = t.previous = nullptr;
    t.wheel_ = nullptr;
    --size_;
    if (t.slot_ < slots && !occupied(t.slot_))
        occupied_[t.slot_ / 64] &= ~(std::uint64_t(1) << (t.slot_ % 64));
}

void timing_wheel::arm(timer& t, time_point at)
{
    t.disarm();
    t.due_ = at;
    append(t, slot_for(ceil_tick(at)));
}

/// Moves a timer to where it belongs now.
void timing_wheel::place(timer& t) noexcept
{
    unlink(t);
    auto const slot = slot_for(ceil_tick(t.due_));
    append(t, slot == near && t.due_ <= now_ ? due_now : slot);
}

void timing_wheel::place_all_of(std::uint16_t slot) noexcept
{
    // Some go back to the list they come from (`near`, `beyond`), so it is the count that ends this, not its end.
    std::size_t count = 0;
    for (auto* link = lists_[slot].next; link != &lists_[slot]; link = link->next)
        ++count;
    for (; count != 0; --count)
        place(static_cast<timer&>(*lists_[slot].next));
}

std::optional<timing_wheel::wakeup> timing_wheel::next_occupied() const noexcept
{
    constexpr unsigned words = slots_per_level / 64;
    for (unsigned level = 0; level != levels; ++level)
        for (unsigned word = 0; word != words; ++word)
            if (auto const bits = occupied_[level * words + word]; bits != 0) {
                auto const index = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
                auto const shift = level * bits_per_level;
                tick const above = current_ >> shift >> bits_per_level << bits_per_level;
                return wakeup{(above | index) << shift, static_cast<std::uint16_t>(level * slots_per_level + index)};
            }
    if (occupied(beyond))
        return wakeup{((current_ >> (levels * bits_per_level)) + 1) << (levels * bits_per_level), beyond};
    return std::nullopt;
}

void timing_wheel::advance(time_point now)
{
    assert(!occupied(due_now) && "on_due must not advance the wheel");
    now_ = std::max(now, now_);
    auto const target = ceil_tick(now_);

    place_all_of(near);
    for (auto next = next_occupied(); next && next->at <= target; next = next_occupied()) {
        current_ = next->at;
        if (next->slot == beyond) {
            // Into the first stretch that has a timer, rather than through every empty one before it.
            auto first = time_point::max();
            for (auto* link = lists_[beyond].next; link != &lists_[beyond]; link = link->next)
                first = std::min(first, static_cast<timer&>(*link).due_);
            constexpr auto span = levels * bits_per_level;
            current_ = std::max(current_, std::min(ceil_tick(first), target) >> span << span);
        }
        place_all_of(next->slot);
    }
    current_ = target;

    // What an exception leaves behind is called by the next advance.
    struct put_back {
        timing_wheel& self;
        ~put_back()
        {
            while (self.occupied(due_now)) {
                auto& t = static_cast<timer&>(*self.lists_[due_now].next);
                self.unlink(t);
                self.append(t, near);
            }
        }
    };
    put_back const on_exception{*this};
    while (occupied(due_now)) {
        auto& t = static_cast<timer&>(*lists_[due_now].next);
        unlink(t);
        t.on_due();
    }
}

time_point timing_wheel::last_due_in(std::uint16_t slot) const noexcept
{
    auto last = time_point::min();
    for (auto* link = lists_[slot].next; link != &lists_[slot]; link = link->next)
        last = std::max(last, static_cast<timer const&>(*link).due_);
    return last;
}

std::optional<time_point> timing_wheel::next_wakeup() const noexcept
{
    // All timers of one tick are called together, at the moment of the last one: one wake-up for the lot.
    if (occupied(near))
        return last_due_in(near);
    auto const next = next_occupied();
    if (!next)
        return std::nullopt;
    return next->slot < slots_per_level ? last_due_in(next->slot) : start_of(next->at);
}

}  // namespace jeton
