// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/clock.hpp>

#include <asio/posix/stream_descriptor.hpp>

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace jeton {

namespace {

std::chrono::nanoseconds read(clockid_t which) noexcept
{
    timespec t{};
    clock_gettime(which, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

/// An alarm that is a timerfd, the one kind of kernel timer that follows CLOCK_BOOTTIME.
class timer_descriptor {
public:
    timer_descriptor(asio::any_io_executor executor, std::function<void()> ring)
        : descriptor_(std::move(executor)), ring_(std::move(ring))
    {
        int const fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (fd < 0)
            throw std::system_error(errno, std::system_category(), "timerfd_create");
        std::error_code error;
        descriptor_.assign(fd, error);
        if (error) {
            ::close(fd);
            throw std::system_error(error, "timerfd");
        }
    }

    /// While a wait is pending already, this is one system call and nothing for the executor to do.
    static void set(std::shared_ptr<timer_descriptor> const& self, time_point at)
    {
        self->program(at);
        self->set_ = true;
        if (!self->waiting_)
            wait(self);
    }

    void clear() noexcept
    {
        set_ = false;
        if (!waiting_)
            return;
        waiting_ = false;
        ++current_wait_;  // its completion may be on its way
        std::error_code ignored;
        descriptor_.cancel(ignored);
    }

private:
    void program(time_point at) noexcept
    {
        using namespace std::chrono;
        // Zero would switch it off, and the kernel takes no negative time.
        auto const due = std::max(at.time_since_epoch(), duration(1));
        auto const whole = floor<seconds>(due);
        itimerspec when{};
        when.it_value.tv_sec = whole.count();
        when.it_value.tv_nsec = (due - whole).count();
        timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &when, nullptr);
    }

    static void wait(std::shared_ptr<timer_descriptor> const& self)
    {
        self->waiting_ = true;
        self->descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                                     [weak = std::weak_ptr(self), mine = self->current_wait_](std::error_code) {
                                         if (auto const alive = weak.lock(); alive && alive->current_wait_ == mine)
                                             on_readable(alive);
                                     });
    }

    static void on_readable(std::shared_ptr<timer_descriptor> const& self)
    {
        self->waiting_ = false;
        std::uint64_t times = 0;
        if (::read(self->descriptor_.native_handle(), &times, sizeof times) < 0 && errno == EAGAIN)
            return wait(self);  // set to a later time after it had become readable
        self->set_ = false;
        self->ring_();  // may destroy the alarm: `self` keeps the function alive
    }

    asio::posix::stream_descriptor descriptor_;
    std::function<void()> ring_;
    std::uint64_t current_wait_ = 0;
    bool set_ = false;
    bool waiting_ = false;
};

class machine_alarm final : public alarm {
public:
    machine_alarm(asio::any_io_executor executor, std::function<void()> ring)
        : shared_(std::make_shared<timer_descriptor>(std::move(executor), std::move(ring)))
    {}
    machine_alarm(machine_alarm const&) = delete;
    machine_alarm& operator=(machine_alarm const&) = delete;
    ~machine_alarm() override { clear(); }

    void set(time_point at) override { timer_descriptor::set(shared_, at); }
    void clear() noexcept override { shared_->clear(); }

private:
    std::shared_ptr<timer_descriptor> shared_;
};

class linux_clock final : public clock {
public:
    time_point now() const noexcept override { return time_point(read(CLOCK_BOOTTIME)); }
    wall_time wall() const noexcept override { return wall_time(read(CLOCK_REALTIME)); }

    // There is no coarse CLOCK_BOOTTIME. Within one tick of the coarse clock there is, which stands still while the machine
    // sleeps and goes on from where it was, its last reading is good enough.
    time_point recent() const noexcept override
    {
        thread_local struct {
            std::chrono::nanoseconds tick{-1};
            time_point boot{};
        } last;
        if (auto const tick = read(CLOCK_MONOTONIC_COARSE); tick != last.tick)
            last = {.tick = tick, .boot = now()};
        return last.boot;
    }

    std::unique_ptr<alarm> make_alarm(asio::any_io_executor executor, std::function<void()> ring) override
    {
        return std::make_unique<machine_alarm>(std::move(executor), std::move(ring));
    }
};

}  // namespace

std::shared_ptr<clock> machine_clock()
{
    static std::shared_ptr<clock> const shared = std::make_shared<linux_clock>();
    return shared;
}

}  // namespace jeton
