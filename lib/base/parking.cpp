// SPDX-License-Identifier: BSL-1.0
#include "base/parking.hpp"

#include "base/cancellation.hpp"

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <cassert>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace jeton {

/// The places where handlers are parked in one context, on whichever of its strands, and those whose place is gone. Nothing else owns
/// the handlers, and Asio has nobody to ask for them when the context dies.
class parked_handlers final : public asio::execution_context::service {
public:
    using key_type = parked_handlers;
    static asio::execution_context::id id;

    explicit parked_handlers(asio::execution_context& context) : service(context) {}

    void add(parking& place) noexcept
    {
        std::scoped_lock const lock(mutex_);
        place.insert_before(places_);
    }

    void remove(parking& place) noexcept
    {
        std::scoped_lock const lock(mutex_);
        place.unlink();
    }

    void adopt(parking::spot& one) noexcept
    {
        std::scoped_lock const lock(mutex_);
        one.home_ = this;
        one.insert_before(homeless_);
    }

    void remove(parking::spot& one) noexcept
    {
        std::scoped_lock const lock(mutex_);
        one.unlink();
    }

private:
    void shutdown() override
    {
        // Each may take others with it, and places, so none but the first is looked at.
        while (places_.linked()) {
            auto& place = static_cast<parking&>(*places_.next);
            if (!place.empty()) {
                place.front().abandon();
                continue;
            }
            place.unlink();
            place.home_ = nullptr;
            place.home_of_ = nullptr;
        }
        while (homeless_.linked())
            static_cast<parking::spot&>(*homeless_.next).abandon();
    }

    std::mutex mutex_{};
    parking_link<parking> places_{};
    parking_link<parking::spot> homeless_{};
};

asio::execution_context::id parked_handlers::id;

/// Spots that are ready on one executor: what is posted. A copy of it is never made; destroyed unrun, it destroys the handlers.
class parking::spot::batch {
public:
    batch() = default;
    batch(batch&& other) noexcept { ready_.take(other.ready_); }
    batch& operator=(batch&&) = delete;
    ~batch()
    {
        while (ready_.linked())
            front().abandon();
    }

    void push(spot& one) noexcept { one.insert_before(ready_); }

    // Without memory for it those who wait would vanish without an outcome: as Asio does where it begins an operation,
    // this ends the process then.
    static void post(batch&& all) noexcept
    {
        auto const executor = all.front().handler_->executor();
        asio::post(executor, std::move(all));
    }

    void operator()()
    {
        // Even if a handler throws out of the executor's run(), the others' turn comes.
        struct the_rest {
            batch& self;
            ~the_rest()
            {
                if (self.ready_.linked())
                    post(std::move(self));
            }
        };
        the_rest const posted_again{*this};
        for (int turn = 0; turn != at_most && ready_.linked(); ++turn) {
            auto const why = front().why_;
            front().release().resume(why);
        }
    }

private:
    static constexpr int at_most = 64;

    spot& front() noexcept { return static_cast<spot&>(*ready_.next); }

    parking_link<spot> ready_{};
};

/// Moves the handler of a coroutine that has just been suspended into its spot.
class parking::spot::park {
public:
    park(parking& place, spot& me, timekeeper* timers, std::optional<time_point> deadline) noexcept
        : place_(place), me_(me), timers_(timers), deadline_(deadline)
    {}

    template <class Handler>
    void operator()(Handler&& handler)
    {
        using held = held_handler<std::decay_t<Handler>>;
        static_assert(sizeof(held) <= sizeof me_.memory_);

        place_.settle_in(asio::query(asio::get_associated_executor(handler), asio::execution::context));
        // A coroutine's handler clears the slot when it is called. A handler that is destroyed leaves the slot alone, as
        // the signal behind it may have died before the context; nobody can emit it any more.
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
            slot.assign([me = &me_](asio::cancellation_type type) {
                if (type != asio::cancellation_type::none)
                    me->wake(woken::cancelled);
            });

        me_.handler_ = ::new (static_cast<void*>(me_.memory_)) held(std::forward<Handler>(handler));
        me_.state_ = state::parked;
        me_.place_ = &place_;
        me_.insert_before(place_.queue_);
        ++place_.size_;
        if (deadline_)
            timers_->arm(me_.deadline_, *deadline_);
    }

private:
    template <class Handler>
    class held_handler final : public continuation {
    public:
        explicit held_handler(Handler&& handler) noexcept : handler_(std::move(handler)) {}

        void resume(woken why) override
        {
            auto own = std::move(handler_);
            std::destroy_at(this);
            std::move(own)(why);
        }

        void abandon() noexcept override
        {
            auto const own = std::move(handler_);
            std::destroy_at(this);
        }

        asio::any_io_executor executor() const noexcept override { return asio::get_associated_executor(handler_); }

    private:
        Handler handler_;
    };

    parking& place_;
    spot& me_;
    timekeeper* timers_;
    std::optional<time_point> deadline_;
};

parking::spot::~spot() { abandon(); }

/// Takes a parked spot out of everything that knows of it.
void parking::spot::leave() noexcept
{
    deadline_.disarm();
    if (place_ == nullptr) {
        home_->remove(*this);
        return;
    }
    --place_->size_;
    place_ = nullptr;
    unlink();
}

void parking::spot::make_ready(woken why) noexcept
{
    leave();
    state_ = state::ready;
    why_ = why;
}

void parking::spot::wake(woken why)
{
    if (state_ != state::parked)
        return;  // it stays with the first reason
    make_ready(why);
    batch one;
    one.push(*this);
    batch::post(std::move(one));
}

/// Lets go of the handler; the spot may be parked again, or be gone, once it is called or destroyed.
parking::spot::continuation& parking::spot::release() noexcept
{
    if (state_ == state::parked)
        leave();
    else
        unlink();
    state_ = state::idle;
    return *std::exchange(handler_, nullptr);
}

void parking::spot::abandon() noexcept
{
    if (state_ != state::idle)
        release().abandon();
}

parking::~parking()
{
    while (queue_.linked()) {
        auto& one = front();
        one.place_ = nullptr;
        one.unlink();
        home_->adopt(one);
    }
    if (home_ != nullptr)
        home_->remove(*this);
}

parking::spot& parking::front() noexcept { return static_cast<spot&>(*queue_.next); }

void parking::settle_in(asio::execution_context& context)
{
    if (home_of_ == &context)
        return;
    assert(empty());
    auto& home = asio::use_service<parked_handlers>(context);
    if (home_ != nullptr)
        home_->remove(*this);
    home_ = &home;
    home_of_ = &context;
    home.add(*this);
}

asio::awaitable<woken> parking::park(spot& me, timekeeper* timers, std::optional<time_point> deadline)
{
    assert(me.state_ == spot::state::idle);
    return asio::async_initiate<asio::use_awaitable_t<> const, void(woken)>(spot::park(*this, me, timers, deadline),
                                                                            asio::use_awaitable);
}

asio::awaitable<woken> parking::wait(timekeeper* timers, std::optional<time_point> deadline)
{
    spot here;
    auto const state = co_await asio::this_coro::cancellation_state;
    if (cancelled(state))
        co_return woken::cancelled;
    if (deadline && *deadline <= timers->now())
        co_return woken::timed_out;
    co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(woken)>(
        spot::park(*this, here, timers, deadline), asio::use_awaitable);
}

asio::awaitable<woken> parking::wait(spot& me, timekeeper* timers, std::optional<time_point> deadline)
{
    assert(me.state_ == spot::state::idle);
    auto const state = co_await asio::this_coro::cancellation_state;
    if (cancelled(state))
        co_return woken::cancelled;
    if (deadline && *deadline <= timers->now())
        co_return woken::timed_out;
    co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(woken)>(
        spot::park(*this, me, timers, deadline), asio::use_awaitable);
}

void parking::wake_one(woken why)
{
    if (!empty())
        front().wake(why);
}

void parking::wake(spot& one, woken why)
{
    if (one.place_ == this)
        one.wake(why);
}

void parking::wake_all(woken why)
{
    while (!empty()) {
        auto const executor = front().handler_->executor();
        spot::batch together;
        do {
            auto& one = front();
            one.make_ready(why);
            together.push(one);
        } while (!empty() && front().handler_->executor() == executor);
        spot::batch::post(std::move(together));
    }
}

void parking::resume_all()
{
    spot::batch all;
    while (!empty()) {
        auto& one = front();
        one.make_ready(woken::signalled);
        all.push(one);
    }
    all();
}

}  // namespace jeton
