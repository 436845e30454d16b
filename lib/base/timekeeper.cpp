// SPDX-License-Identifier: BSL-1.0
#include "base/timekeeper.hpp"

#include <utility>

namespace jeton {

timekeeper::timekeeper(serial const& home, std::shared_ptr<clock> time)
    : time_(std::move(time)), wheel_(time_->now()), alarm_(time_->make_alarm(home.executor(), [this] { ring(); }))
{}

void timekeeper::arm(timer& t, time_point at)
{
    wheel_.arm(t, at);
    if (at < set_for_ && !ringing_)
        set(at);
}

void timekeeper::rest() noexcept
{
    if (!wheel_.empty())
        return;
    alarm_->clear();
    set_for_ = time_point::max();
}

void timekeeper::set(time_point at)
{
    alarm_->set(at);
    set_for_ = at;
}

void timekeeper::ring()
{
    // However many timers are armed on the way, and even if one of them throws, the alarm is set once, at the end.
    struct afterwards {
        timekeeper& self;
        ~afterwards()
        {
            self.ringing_ = false;
            if (auto const next = self.wheel_.next_wakeup(); next && *next != time_point::max())
                self.set(*next);
        }
    };
    set_for_ = time_point::max();
    ringing_ = true;
    afterwards const at_the_end{*this};
    wheel_.advance(time_->now());
}

}  // namespace jeton
