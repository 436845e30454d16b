// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/pool_plan.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace jeton::http {

namespace {

constexpr auto unlimited = std::numeric_limits<std::uint64_t>::max();

// Early enough for a handshake to be over by the last request: an eighth before, and one request at least.
constexpr std::uint64_t successor_due(std::uint64_t last) noexcept
{
    return last == unlimited ? unlimited : last - std::min(last, std::max<std::uint64_t>(last / 8, 1));
}

}  // namespace

pool_plan::pool_plan(limits how_much, origin_share* among)
    : limits_(how_much), among_(among), pace_(how_much.dialling), idle_limit_(how_much.idle), dice_(how_much.seed)
{
    assert(dice_ != 0);
}

// What follows from one more who waits, now or later, needs no memory any more: a plan that is left in the middle would
// have promised what nobody does.
void pool_plan::make_room_for_one_more()
{
    // With a successor, there may be one more than there may be.
    auto const most = std::min(limits_.connections + 1, connections_.size() + waiting() + 1);
    if (connections_.capacity() < most)
        connections_.reserve(std::max(most, std::min(limits_.connections + 1, 2 * connections_.capacity())));
    if (owed_.capacity() < most)
        owed_.reserve(connections_.capacity());
    auto const steps = 2 * most + waiting() + 2;
    if (todo_.capacity() < steps)
        todo_.reserve(2 * steps);
}

auto pool_plan::on_demand(time_point now, std::optional<time_point> dialled_after, bool first, time_point until)
    -> placing
{
    make_room_for_one_more();
    todo_.clear();
    if (shutting_down_)
        return {};
    // Nearly always, it is the one that was used last.
    auto c = idle_.first();
    if (c == none || !partial_.empty() || dialled_after || connections_[c].slots != 1
        || now - connections_[c].idle_since >= idle_limit_)
        c = find_free(now, dialled_after);
    if (c != none) {
        delist(c);
        use_slot(c);
        if (connections_[c].is == connection::state::open && connections_[c].used < connections_[c].slots)
            enlist(c, now);
        if (limits_.ready != 0)
            dial_if_wanted(now);
        return {.what = placing::kind::use, .id = c};
    }
    if (line_.size() >= limits_.waiters && !first)
        return {.what = placing::kind::full};
    if (dialling_ == 0 && open() == 0 && now < pace_.not_before() && until <= pace_.not_before())
        return {.what = placing::kind::refused};

    auto const w =
        line_.join({.dialled_after = dialled_after, .after_serial = serials_, .until = until, .first = first});
    dial_if_wanted(now);
    return {.what = placing::kind::wait, .id = w};
}

auto pool_plan::on_warm(std::size_t requests, time_point now) -> actions
{
    todo_.clear();
    if (!shutting_down_)
        warm_ = std::max(warm_, requests);
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_dialled(connection_id c, time_point now, std::uint32_t slots, bool known) -> actions
{
    assert(connections_[c].is == connection::state::dialling);
    todo_.clear();
    end_dial(c);
    connection& self = connections_[c];
    if (self.many && !known && !spoken_)
        greeting_ = c;
    else if (self.many)
        learn_slots(slots);
    pace_.on_made();
    if (among_ != nullptr)
        among_->on_change();
    // It was begun before the server said what it wants. Known to have one slot, it is what that is.
    if (self.many && now < one_until_ && !(known && slots == 1)) {
        close(c, reason::one_at_a_time);
        dial_if_wanted(now);
        return todo_;
    }

    self.is = connection::state::open;
    self.slots = slots;
    self.age = {++serials_, now};
    self.rested_since = now;
    self.last = limits_.requests == 0 ? unlimited : limits_.requests;
    self.replace_at = successor_due(self.last);
    self.retire_at = time_point::max();
    if (limits_.age > duration::zero()) {
        // Not all at once that were made at once.
        auto const sooner = static_cast<double>(limits_.age.count()) / 5 * chance();
        self.retire_at = saturating_add(now, limits_.age - duration(static_cast<duration::rep>(sooner)));
        next_aged_ = std::min(next_aged_, self.retire_at);
    }
    serve(c, now, finish_replacing(now));
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_dial_failed(connection_id c, time_point now) -> actions
{
    assert(connections_[c].is == connection::state::dialling);
    todo_.clear();
    end_dial(c);
    warm_ = 0;
    pace_.on_failed(connections_[c].age.dialled, now, chance());
    forget(c);
    // The one who has waited longest hears of it, not the one who caused this dial: that one may be served by now.
    if (line_.size() > coming()) {
        auto const w = line_.oldest();
        line_.leave(w);
        todo_.push_back({.what = action::kind::refuse, .waiter = w});
    }
    // Where nothing is left to hope for before the next attempt, nobody is kept who cannot wait for it.
    if (dialling_ == 0 && open() == 0 && now < pace_.not_before()) {
        for (auto w = line_.impatient(pace_.not_before()); w != none; w = line_.impatient(pace_.not_before())) {
            line_.leave(w);
            todo_.push_back({.what = action::kind::refuse, .waiter = w});
        }
    }
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_released(connection_id c, time_point now, bool keep) -> actions
{
    todo_.clear();
    connection& self = connections_[c];
    assert(self.used > 0);
    if (self.listed)
        delist(c);
    --self.used;
    --in_progress_;
    if (!keep)
        retire(c, reason::not_kept);
    else if (pace_.failures() != 0)
        pace_.on_proved();
    if (self.used == 0)
        self.rested_since = now;
    if (self.is == connection::state::retired) {
        if (self.used == 0)
            close(c, self.why);
    } else if (line_.choosy() != 0 && must_make_room(c)) {
        close(c, reason::room);
    } else {
        serve(c, now, now);
        if (self.is == connection::state::open && self.taken >= self.replace_at && !self.owed)
            begin_replacing(c, reason::requests);
    }
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_slots(connection_id c, std::uint32_t slots, time_point now) -> actions
{
    todo_.clear();
    connection& self = connections_[c];
    self.slots = slots;
    learn_slots(slots);
    if (self.is == connection::state::open) {
        if (self.listed)
            delist(c);
        serve(c, now, self.used == 0 ? self.idle_since : now);
    }
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_draining(connection_id c, time_point now) -> actions
{
    todo_.clear();
    connection& self = connections_[c];
    if (self.is != connection::state::open)
        return todo_;
    if (self.listed)
        delist(c);
    // Whoever drops idle connections by saying so is not asked for another one: nobody needs it yet.
    if (self.used == 0) {
        close(c, reason::going_away);
    } else {
        retire(c, reason::going_away);
        if (!self.owed && !shutting_down_) {
            self.owed = true;
            owed_.push_back(c);
        }
    }
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_one_at_a_time(time_point now, duration memory) -> actions
{
    todo_.clear();
    if (limits_.many_from == 0)
        return todo_;
    one_until_ = saturating_add(now, memory);
    for (connection_id c = 0; c < connections_.size(); ++c) {
        connection& self = connections_[c];
        if (self.is != connection::state::open || !self.many)
            continue;
        if (self.listed)
            delist(c);
        lapse(c);
        if (self.used == 0)
            close(c, reason::one_at_a_time);
        else
            retire(c, reason::one_at_a_time);
    }
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_died(connection_id c, time_point now) -> actions
{
    todo_.clear();
    connection& self = connections_[c];
    if (self.is != connection::state::open)
        return todo_;
    if (self.listed)
        delist(c);
    if (self.used != 0) {
        retire(c, reason::not_kept);
    } else {
        // A peer that takes connections only to drop them is not to be dialled for ever.
        if (self.taken == 0 && now - self.age.dialled < limits_.dialling.longest_pause)
            pace_.on_failed(self.age.dialled, now, chance());
        lesson_.on_closed(now - self.rested_since, now);
        learn_idle_limit();
        close(c, reason::not_kept);
    }
    dial_if_wanted(now);
    return todo_;
}

void pool_plan::on_hint(connection_id c, std::optional<duration> kept, std::optional<std::uint64_t> more_requests)
{
    if (kept) {
        lesson_.on_hint(*kept);
        learn_idle_limit();
    }
    connection& self = connections_[c];
    if (more_requests && *more_requests < unlimited - self.taken && self.taken + *more_requests < self.last) {
        self.last = self.taken + *more_requests;
        self.replace_at = successor_due(self.last);
        if (*more_requests == 0 && self.is == connection::state::open && !self.listed)
            retire(c, reason::requests);
    }
}

void pool_plan::on_gave_up(waiter_id w)
{
    todo_.clear();
    line_.leave(w);
    if (line_.empty())
        stop_queueing();
}

auto pool_plan::on_time(time_point now) -> actions
{
    todo_.clear();
    lesson_.on_time(now);
    learn_idle_limit();
    expire(now);
    if (now >= next_aged_)
        retire_aged(now);
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_shut_down(time_point now) -> actions
{
    todo_.clear();
    shutting_down_ = true;
    warm_ = 0;
    for (auto const c : owed_)
        connections_[c].owed = false;
    owed_.clear();
    while (!idle_.empty())
        close_oldest(reason::shut_down);
    // Those who wait for a younger connection than the ones just closed may find room now.
    dial_if_wanted(now);
    return todo_;
}

auto pool_plan::on_granted(time_point now) -> actions
{
    todo_.clear();
    stop_queueing();
    granted_ = true;
    dial_if_wanted(now);
    granted_ = false;
    return todo_;
}

auto pool_plan::on_squeeze(time_point now) -> actions
{
    todo_.clear();
    if (!idle_.empty()) {
        close_oldest(reason::room);
    } else {
        auto least = none;
        for (connection_id c = 0; c < connections_.size(); ++c)
            if (connections_[c].is == connection::state::open
                && (least == none || connections_[c].used < connections_[least].used))
                least = c;
        if (least != none) {
            if (connections_[least].listed)
                delist(least);
            retire(least, reason::room);
        }
    }
    dial_if_wanted(now);
    return todo_;
}

std::optional<time_point> pool_plan::next_wakeup() const noexcept
{
    auto next = shutting_down_ ? time_point::max() : next_aged_;
    if (!idle_.empty())
        next = std::min(next, saturating_add(connections_[idle_.last()].idle_since, idle_limit_));
    if (paced_)
        next = std::min(next, pace_.not_before());
    if (next == time_point::max())
        return {};
    return next;
}

std::optional<time_point> pool_plan::next_dial(time_point now) const noexcept
{
    if (now >= pace_.not_before())
        return {};
    return pace_.not_before();
}

origin_share::standing pool_plan::standing() const noexcept
{
    return {.connections = total_, .idle = idle_.size(), .open = open(), .leaving = retired_, .queued = queued_};
}

auto pool_plan::find_free(time_point now, std::optional<time_point> dialled_after) -> connection_id
{
    // After a long sleep of the machine nobody has looked at the time yet.
    if (!idle_.empty() && saturating_add(connections_[idle_.first()].idle_since, idle_limit_) <= now)
        expire(now);
    auto const first_of = [&](id_list const& list, auto const& suits) {
        auto c = list.first();
        while (c != none && !suits(connections_[c]))
            c = connections_[c].after;
        return c;
    };
    auto const young = [&](connection const& c) { return !dialled_after || c.age.dialled > *dialled_after; };
    auto c = none;
    if (prefers_one())
        c = first_of(idle_, [&](connection const& each) { return each.slots == 1 && young(each); });
    if (c == none)
        c = first_of(partial_, young);
    if (c == none)
        c = first_of(idle_, [&](connection const& each) { return each.slots != 0 && young(each); });
    return c;
}

void pool_plan::use_slot(connection_id c)
{
    connection& self = connections_[c];
    ++self.used;
    ++in_progress_;
    if (++self.taken >= self.last)
        retire(c, reason::requests);
}

// The lists are in the order of `idle_since`: who takes a predecessor's place is no younger than that was.
void pool_plan::enlist(connection_id c, time_point since)
{
    connection& self = connections_[c];
    self.listed = true;
    self.idle_since = since;
    auto& list = self.used == 0 ? idle_ : partial_;
    auto next = list.first();
    while (next != none && connections_[next].idle_since > since)
        next = connections_[next].after;
    list.insert_before(connections_, c, next);
}

void pool_plan::delist(connection_id c)
{
    connection& self = connections_[c];
    self.listed = false;
    (self.used == 0 ? idle_ : partial_).unlink(connections_, c);
}

// Gives the free slots of an unlisted connection to those who wait; what nobody wants becomes idle, or goes.
void pool_plan::serve(connection_id c, time_point now, time_point idle_since)
{
    connection& self = connections_[c];
    while (self.is == connection::state::open && self.used < self.slots) {
        auto const w = line_.next_for(self.age);
        if (w == none)
            break;
        line_.leave(w);
        use_slot(c);
        todo_.push_back({.what = action::kind::hand, .connection = c, .waiter = w});
    }
    if (self.is != connection::state::open)
        return;
    if (self.used == 0 && shutting_down_)
        close(c, reason::shut_down);
    else if (self.used == 0 && among_ != nullptr && among_->contended() && queued_ == 0)
        close(c, reason::room);
    else if (self.used == 0 || self.used < self.slots)
        enlist(c, self.used == 0 ? idle_since : now);
}

// At the limit, whoever waits longest and wants a young connection would wait for ever if the old ones were passed on.
bool pool_plan::must_make_room(connection_id c) const noexcept
{
    if (connections_[c].used > 0 || total_ < limits_.connections || coming() >= line_.choosy())
        return false;
    auto const w = line_.oldest();
    return w != none && !line_.suits(w, connections_[c].age);
}

}  // namespace jeton::http
