// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "base/timekeeper.hpp"
#include "oauth2/sansio/token_slot.hpp"

#include <jeton/oauth2/sources.hpp>

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace jeton::oauth2 {

/// The hands of token_slot: it decides, this fetches, waits and wakes.
///
/// Held by the source and by every coroutine at work for it. What says so belongs to `home`; the rest is under the mutex.
class token_core final : public std::enable_shared_from_this<token_core> {
public:
    token_core(std::shared_ptr<token_source> upstream, serial home, std::shared_ptr<clock> time, refresh_policy policy,
               std::shared_ptr<observer> watcher, std::function<bool()> identity_changed);

    asio::any_io_executor const& home() const noexcept { return home_.executor(); }

    // One fetch and whoever waits for it. Waiters hold on to their flight: by the time they run, the slot may already be
    // on its next one. On home, except `takes_off`, which does not change.
    struct flight {
        struct limit final : timer {
            explicit limit(token_core& owner, flight& whose) : owner_(owner), whose_(whose) {}
            void on_due() override
            {
                // Not from within the timers: landing may be the end of them.
                asio::post(owner_.home(), [c = owner_.shared_from_this(), f = whose_.self.lock()] { c->overdue(f); });
            }
            token_core& owner_;
            flight& whose_;
        };

        explicit flight(moment at) : takes_off(at) {}

        // What keeps the core alive while the fetch runs; the fetch holds it, so that a context which dies with the
        // fetch in it lets go of both. Taken back from a fetch that is abandoned.
        struct ticket {
            std::shared_ptr<token_core> owner{};
        };

        moment takes_off;
        std::weak_ptr<flight> self{};
        std::weak_ptr<ticket> under_way{};
        std::optional<result<token_ptr>> outcome{};
        moment landed_at{};
        parking landed{};
        asio::cancellation_signal stop{};
        std::unique_ptr<limit> until{};
    };

    struct plan {
        token_slot::step step{};
        std::shared_ptr<flight> to_join{};
        std::shared_ptr<flight> to_start{};
        std::uint64_t word = 0;
    };

    // Any thread. Whether nothing has changed since a plan was made.
    bool still(std::uint64_t word) const noexcept { return word == word_.load(std::memory_order_acquire); }

    time_point now() const noexcept { return time_->now(); }
    time_point recent() const noexcept { return time_->recent(); }

    // Any thread.
    plan ask(token_demand const& demand);

    // Any thread.
    void take_off(std::shared_ptr<flight> f);

    class waiter;

    token_snapshot look() const;

    // Any thread. Whether what has just been refused may be tried again at once, with another secret.
    bool identity_changed(failure const& refused);

    void forgive();

    // Any thread, and more than once.
    void close();

    bool at_work() const;

    static failure cancelled_failure();

private:
    static failure shut_down_failure();
    static failure out_of_a_source(char const* what);

    // The timers are there as long as anybody needs them, so that a cache at rest has nothing that is bound to home and
    // may be destroyed by any thread.
    class presence {
    public:
        explicit presence(token_core& of) : of_(of)
        {
            if (of_.present_++ == 0)
                of_.timers_ = std::make_unique<timekeeper>(of_.home_, of_.time_);
            of_.waiting_.fetch_add(1, std::memory_order_relaxed);
        }
        presence(presence const&) = delete;
        presence& operator=(presence const&) = delete;
        ~presence()
        {
            of_.waiting_.fetch_sub(1, std::memory_order_relaxed);
            of_.leave();
        }

        token_core& of() const noexcept { return of_; }

    private:
        token_core& of_;
    };

    void leave();
    void changed() { word_.fetch_add(1, std::memory_order_release); }

    void start(std::shared_ptr<flight> const& f);
    static awaitable<result<token_ptr>> fetch(std::shared_ptr<token_source> upstream);
    void overdue(std::shared_ptr<flight> const& f);
    void land(std::shared_ptr<flight> const& f, result<token_ptr> outcome);
    void end(std::shared_ptr<flight> const& last);
    void put_down(flight& f);
    void tell(token_slot::landing const& what, duration took);

    std::shared_ptr<token_source> upstream_;  // home only
    serial const home_;
    std::shared_ptr<clock> const time_;
    std::shared_ptr<observer> const watcher_;
    std::function<bool()> const identity_changed_;
    duration const flight_limit_;

    mutable std::mutex mutex_{};
    token_slot slot_;
    std::weak_ptr<flight> current_{};  // held by the fetch, and by those who wait for it
    bool closed_ = false;
    time_point next_look_at_identity_{};
    std::uint64_t waited_ = 0;
    std::uint64_t coalesced_ = 0;

    // Written when a token lands or falls, read for every request, on every shard: not beside what is written more often.
    alignas(64) std::atomic<std::uint64_t> word_ = 1;

    alignas(64) std::unique_ptr<timekeeper> timers_{};  // home only
    std::size_t present_ = 0;                           // home only
    std::string endpoint_{};                            // home only
    std::atomic<std::size_t> waiting_ = 0;              // written on home
};

/// One who waits for the end of a flight. Lives in the frame of a coroutine on home, which has nothing thrown at it for
/// having been cancelled:
///
///     token_core::waiter me(*core, *flight, demand);
///     if (me.has_to_wait(cancelled(state)))
///         me.on_woken(co_await me.wait());
///     co_return me.outcome();
class token_core::waiter {
public:
    waiter(token_core& core, flight& f, token_demand const& demand) : here_(core), flight_(f), demand_(demand) {}

    bool has_to_wait(bool cancelled);
    awaitable<woken> wait() { return flight_.landed.park(spot_, here_.of().timers_.get(), demand_.deadline()); }
    void on_woken(woken why) noexcept { why_ = why; }
    result<token_ptr> outcome() const;

private:
    presence here_;
    flight& flight_;
    token_demand const& demand_;
    parking::spot spot_{};
    woken why_ = woken::signalled;
};

}  // namespace jeton::oauth2
