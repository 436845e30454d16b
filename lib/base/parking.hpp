// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/timekeeper.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/execution_context.hpp>

#include <cstddef>
#include <optional>

namespace jeton {

/// Why somebody who was parked goes on.
enum class woken : unsigned char {
    signalled,  ///< what it waited for has happened
    timed_out,  ///< its deadline has passed
    cancelled,  ///< its coroutine was cancelled
};

class parking;
class parked_handlers;

/// A place in a circular list, of those who wait or of where they wait.
template <class What>
struct parking_link {
    parking_link* next = this;
    parking_link* previous = this;

    parking_link() = default;
    parking_link(parking_link const&) = delete;
    parking_link& operator=(parking_link const&) = delete;

    bool linked() const noexcept { return next != this; }

    void insert_before(parking_link& other) noexcept
    {
        next = &other;
        previous = other.previous;
        previous->next = this;
        other.previous = this;
    }

    void unlink() noexcept
    {
        previous->next = next;
        next->previous = previous;
        next = previous = this;
    }

    /// Takes over the list that `other` is the head of. \pre this one is empty
    void take(parking_link& other) noexcept
    {
        if (!other.linked())
            return;
        insert_before(other);
        other.unlink();
    }
};

/// A place where coroutines wait, first come first served. Waking, cancelling and timing out take constant time each and
/// touch nobody else; but for `resume_all`, nothing is resumed in the middle of the caller's work, but from the executor's queue.
///
/// Confined to one serial executor, on which everyone who waits runs as well. What is parked belongs to a service of the
/// executor's context: a context that is destroyed destroys the frames that wait in it, so none leaks. Being parked is
/// not outstanding work; what will wake it (a socket, an alarm, a posted handler) is.
class parking : parking_link<parking> {
public:
    /// What one waiter looks like from outside; lives in its coroutine's frame.
    class spot;

    parking() = default;
    parking(parking const&) = delete;
    parking& operator=(parking const&) = delete;

    /// Whoever still waits is left to its deadline, its cancellation or the end of its context: a frame that dies with
    /// its context may own the place where others wait.
    ~parking();

    /// Waits until woken, until `deadline` (if any; `timers` is null otherwise), or until cancelled.
    /// Never throws on cancellation; the caller's cancellation state is left as it was. Does not suspend if there is
    /// nothing to wait for: the coroutine has been cancelled, or the deadline has passed.
    asio::awaitable<woken> wait(timekeeper* timers = nullptr, std::optional<time_point> deadline = {});

    /// As above; `me` lets the one who wakes choose. It must outlive the wait, and waits in one place at a time.
    asio::awaitable<woken> wait(spot& me, timekeeper* timers = nullptr, std::optional<time_point> deadline = {});

    /// As above, but suspends whatever the caller's state: for those who have looked at it themselves, and at the time.
    /// One coroutine frame less.
    asio::awaitable<woken> park(spot& me, timekeeper* timers, std::optional<time_point> deadline);

    void wake_one(woken why = woken::signalled);
    void wake(spot& one, woken why = woken::signalled);  ///< does nothing if it does not wait here (any more)
    void wake_all(woken why = woken::signalled);         ///< in bounded batches: others get their turn in between

    /// Resumes them here and now, instead of by way of the queue: for whoever has done what he had to do, and is on their
    /// executor. Throws what they throw, out of which their executor's run() is the way.
    void resume_all();

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size() == 0; }

private:
    friend class parked_handlers;

    spot& front() noexcept;
    void settle_in(asio::execution_context& context);

    parking_link<spot> queue_{};
    std::size_t size_ = 0;
    parked_handlers* home_ = nullptr;  // knows this place, from when somebody first waits in it
    asio::execution_context* home_of_ = nullptr;
};

/// Holds the handler of one suspended coroutine. The handler owns the frames of the coroutine, and with them, as a
/// rule, the spot; so it is always moved out before it is called or destroyed.
///
///     idle --wait--> parked --wake, deadline, cancellation--> ready --posted batch--> idle
///
/// A parked spot is owned by the service of its context, which knows the places, a ready one by the posted batch: whichever of
/// them is destroyed destroys the handler.
class parking::spot : parking_link<parking::spot> {
public:
    spot() noexcept : deadline_(*this) {}
    spot(spot const&) = delete;
    spot& operator=(spot const&) = delete;
    ~spot();

    /// Parked, and not yet woken.
    bool waiting() const noexcept { return state_ == state::parked; }

private:
    friend class parking;
    friend class parked_handlers;
    class batch;
    class park;

    enum class state : unsigned char { idle, parked, ready };

    /// A handler of whatever type, in the spot's own memory: parking allocates nothing.
    struct continuation {
        virtual void resume(woken why) = 0;   ///< ends the continuation, then calls the handler
        virtual void abandon() noexcept = 0;  ///< ends the continuation, then destroys the handler
        virtual asio::any_io_executor executor() const noexcept = 0;

    protected:
        ~continuation() = default;
    };

    class deadline final : public timer {
    public:
        explicit deadline(spot& owner) noexcept : owner_(owner) {}
        void on_due() override { owner_.wake(woken::timed_out); }

    private:
        spot& owner_;
    };

    void wake(woken why);
    void make_ready(woken why) noexcept;
    void leave() noexcept;
    void abandon() noexcept;
    continuation& release() noexcept;

    alignas(std::max_align_t) std::byte memory_[4 * sizeof(void*)];
    continuation* handler_ = nullptr;
    parking* place_ = nullptr;
    parked_handlers* home_ = nullptr;  // once its place is gone
    deadline deadline_;
    state state_ = state::idle;
    woken why_ = woken::signalled;
};

}  // namespace jeton
