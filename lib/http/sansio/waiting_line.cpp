// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/waiting_line.hpp"

namespace jeton::http {

auto waiting_line::join(wish const& what) -> id
{
    auto const w = unused_.allot(waiters_);
    waiter& self = waiters_[w];
    self.ticket = what.first ? 0 : ++tickets_;
    self.until = what.until;
    if (what.dialled_after) {
        self.choosy = true;
        self.younger_than = *what.dialled_after;
        self.after_serial = what.after_serial;
    }
    auto& queue = self.choosy ? choosy_ : ordinary_;
    if (what.first)
        queue.push_front(waiters_, w);
    else
        queue.push_back(waiters_, w);
    return w;
}

void waiting_line::leave(id who)
{
    (waiters_[who].choosy ? choosy_ : ordinary_).unlink(waiters_, who);
    unused_.push_front(waiters_, who);
}

auto waiting_line::oldest() const noexcept -> id
{
    if (ordinary_.empty())
        return choosy_.first();
    if (choosy_.empty())
        return ordinary_.first();
    return waiters_[choosy_.first()].ticket < waiters_[ordinary_.first()].ticket ? choosy_.first() : ordinary_.first();
}

bool waiting_line::suits(id who, age const& connection) const noexcept
{
    waiter const& w = waiters_[who];
    return !w.choosy || connection.serial > w.after_serial || connection.dialled > w.younger_than;
}

auto waiting_line::next_for(age const& connection) const noexcept -> id
{
    auto const w = ordinary_.first();
    for (auto p = choosy_.first(); p != none; p = waiters_[p].after) {
        if (w != none && waiters_[p].ticket > waiters_[w].ticket)
            break;
        if (suits(p, connection))
            return p;
    }
    return w;
}

auto waiting_line::impatient(time_point moment) const noexcept -> id
{
    for (auto const* queue : {&ordinary_, &choosy_})
        for (auto w = queue->first(); w != none; w = waiters_[w].after)
            if (waiters_[w].until <= moment)
                return w;
    return none;
}

}  // namespace jeton::http
