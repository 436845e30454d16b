// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/pool_plan.hpp"

#include <algorithm>
#include <cassert>

namespace jeton::http {

template <class Node>
void pool_plan::push_front(list& l, std::vector<Node>& nodes, std::uint32_t id)
{
    nodes[id].before = none;
    nodes[id].after = l.first;
    (l.first == none ? l.last : nodes[l.first].before) = id;
    l.first = id;
    ++l.size;
}

template <class Node>
void pool_plan::push_back(list& l, std::vector<Node>& nodes, std::uint32_t id)
{
    nodes[id].before = l.last;
    nodes[id].after = none;
    (l.last == none ? l.first : nodes[l.last].after) = id;
    l.last = id;
    ++l.size;
}

template <class Node>
void pool_plan::unlink(list& l, std::vector<Node>& nodes, std::uint32_t id)
{
    Node const& n = nodes[id];
    (n.before == none ? l.first : nodes[n.before].after) = n.after;
    (n.after == none ? l.last : nodes[n.after].before) = n.before;
    --l.size;
}

template <class Node>
std::uint32_t pool_plan::allot(list& unused, std::vector<Node>& nodes)
{
    if (unused.first == none) {
        nodes.emplace_back();
        return static_cast<std::uint32_t>(nodes.size() - 1);
    }
    auto const id = unused.first;
    unlink(unused, nodes, id);
    nodes[id] = {};
    return id;
}

// What follows from one more who waits, now or later, needs no memory any more: a plan that is left in the middle would
// have promised what nobody does.
void pool_plan::make_room_for_one_more()
{
    auto const most = std::min(limits_.connections, connections_.size() + waiting() + 1);
    if (connections_.capacity() < most)
        connections_.reserve(std::max(most, std::min(limits_.connections, 2 * connections_.capacity())));
    if (todo_.capacity() < 2 * most + 2)
        todo_.reserve(4 * most);
}

auto pool_plan::on_demand(time_point now, std::optional<time_point> dialled_after, bool first) -> placing
{
    make_room_for_one_more();
    todo_.clear();
    if (shutting_down_)
        return {};
    if (auto const c = find_free(dialled_after); c != none) {
        delist(c);
        use_slot(c);
        if (connections_[c].used < connections_[c].slots)
            enlist(c, now);
        return {.what = placing::kind::use, .id = c};
    }
    if (waiting() >= limits_.waiters && !first)
        return {.what = placing::kind::full};

    auto const w = allot(unused_waiters_, waiters_);
    waiters_[w].ticket = first ? 0 : ++tickets_;
    if (dialled_after) {
        waiters_[w].choosy = true;
        waiters_[w].younger_than = *dialled_after;
        waiters_[w].after_serial = serials_;
    }
    auto& queue = dialled_after ? choosy_ : ordinary_;
    if (first)
        push_front(queue, waiters_, w);
    else
        push_back(queue, waiters_, w);
    dial_if_wanted();
    return {.what = placing::kind::wait, .id = w};
}

auto pool_plan::on_dialled(connection_id c, time_point now, std::uint32_t slots) -> actions
{
    assert(connections_[c].is == connection::state::dialling && slots > 0);
    todo_.clear();
    --dialling_;
    connection& self = connections_[c];
    self.is = connection::state::open;
    self.slots = slots_of_last_ = slots;
    self.serial = ++serials_;
    self.dialled = now;
    serve(c, now);
    dial_if_wanted();
    return todo_;
}

auto pool_plan::on_dial_failed(connection_id c) -> actions
{
    assert(connections_[c].is == connection::state::dialling);
    todo_.clear();
    --dialling_;
    forget(c);
    // The one who has waited longest hears of it, not the one who caused this dial: that one may be served by now.
    if (waiting() > coming()) {
        auto const w = oldest();
        leave(w);
        todo_.push_back({.what = action::kind::refuse, .waiter = w});
    }
    dial_if_wanted();
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
    if (!keep)
        self.is = connection::state::retired;
    if (self.is == connection::state::retired) {
        if (self.used == 0)
            close(c);
    } else if (must_make_room(c)) {
        close(c);
    } else {
        serve(c, now);
    }
    dial_if_wanted();
    return todo_;
}

auto pool_plan::on_died(connection_id c) -> actions
{
    todo_.clear();
    connection& self = connections_[c];
    if (self.is != connection::state::open)
        return todo_;
    if (self.listed)
        delist(c);
    if (self.used == 0)
        close(c);
    else
        self.is = connection::state::retired;
    dial_if_wanted();
    return todo_;
}

void pool_plan::on_gave_up(waiter_id w)
{
    todo_.clear();
    leave(w);
}

auto pool_plan::on_time(time_point now) -> actions
{
    todo_.clear();
    while (idle_.last != none && saturating_add(connections_[idle_.last].idle_since, limits_.idle) <= now) {
        auto const c = idle_.last;
        delist(c);
        close(c);
    }
    return todo_;
}

auto pool_plan::on_shut_down() -> actions
{
    todo_.clear();
    shutting_down_ = true;
    while (idle_.first != none) {
        auto const c = idle_.first;
        delist(c);
        close(c);
    }
    // Those who wait for a younger connection than the ones just closed may find room now.
    dial_if_wanted();
    return todo_;
}

std::optional<time_point> pool_plan::next_wakeup() const noexcept
{
    if (idle_.last == none)
        return {};
    return saturating_add(connections_[idle_.last].idle_since, limits_.idle);
}

bool pool_plan::young_enough(connection const& c, waiter const& w) const noexcept
{
    return !w.choosy || c.serial > w.after_serial || c.dialled > w.younger_than;
}

auto pool_plan::find_free(std::optional<time_point> dialled_after) const noexcept -> connection_id
{
    for (list const* l : {&partial_, &idle_})
        for (auto c = l->first; c != none; c = connections_[c].after)
            if (!dialled_after || connections_[c].dialled > *dialled_after)
                return c;
    return none;
}

void pool_plan::use_slot(connection_id c) { ++connections_[c].used; }

void pool_plan::enlist(connection_id c, time_point now)
{
    connection& self = connections_[c];
    self.listed = true;
    self.idle_since = now;
    push_front(self.used == 0 ? idle_ : partial_, connections_, c);
}

void pool_plan::delist(connection_id c)
{
    connection& self = connections_[c];
    self.listed = false;
    unlink(self.used == 0 ? idle_ : partial_, connections_, c);
}

auto pool_plan::oldest() const noexcept -> waiter_id
{
    if (ordinary_.first == none)
        return choosy_.first;
    if (choosy_.first == none)
        return ordinary_.first;
    return waiters_[choosy_.first].ticket < waiters_[ordinary_.first].ticket ? choosy_.first : ordinary_.first;
}

auto pool_plan::next_for(connection_id c) const noexcept -> waiter_id
{
    auto const w = ordinary_.first;
    for (auto p = choosy_.first; p != none; p = waiters_[p].after) {
        if (w != none && waiters_[p].ticket > waiters_[w].ticket)
            break;
        if (young_enough(connections_[c], waiters_[p]))
            return p;
    }
    return w;
}

void pool_plan::leave(waiter_id w)
{
    unlink(waiters_[w].choosy ? choosy_ : ordinary_, waiters_, w);
    push_front(unused_waiters_, waiters_, w);
}

// Gives the free slots of an unlisted connection to those who wait; what nobody wants becomes idle, or goes.
void pool_plan::serve(connection_id c, time_point now)
{
    connection& self = connections_[c];
    while (self.used < self.slots) {
        auto const w = next_for(c);
        if (w == none)
            break;
        leave(w);
        use_slot(c);
        todo_.push_back({.what = action::kind::hand, .connection = c, .waiter = w});
    }
    if (self.used == 0 && shutting_down_)
        close(c);
    else if (self.used < self.slots)
        enlist(c, now);
}

// At the limit, whoever waits longest and wants a young connection would wait for ever if the old ones were passed on.
bool pool_plan::must_make_room(connection_id c) const noexcept
{
    if (connections_[c].used > 0 || total_ < limits_.connections || coming() >= choosy_.size)
        return false;
    auto const w = oldest();
    return w != none && !young_enough(connections_[c], waiters_[w]);
}

void pool_plan::forget(connection_id c)
{
    connections_[c].is = connection::state::unused;
    --total_;
    push_front(unused_connections_, connections_, c);
}

void pool_plan::close(connection_id c)
{
    forget(c);
    todo_.push_back({.what = action::kind::close, .connection = c});
}

void pool_plan::dial_if_wanted()
{
    while (waiting() > coming()) {
        if (total_ >= limits_.connections) {
            // Whatever is idle while somebody waits is too old for all who do.
            auto const c = idle_.last;
            if (c == none)
                return;
            delist(c);
            close(c);
        }
        auto const c = allot(unused_connections_, connections_);
        connections_[c].is = connection::state::dialling;
        ++total_;
        ++dialling_;
        todo_.push_back({.what = action::kind::dial, .connection = c});
    }
}

}  // namespace jeton::http
