// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace jeton::http {

/// The mind of the pool, for one origin: who gets which connection, when to dial, when to close. No I/O, no clock, no
/// coroutine; the shell in pool.cpp tells it what happened and does what it says, in the order in which it says it.
///
///              on_dialled           taken by a demand
///   dialling ------------> idle <---------------------> busy
///      |                    |      on_released(keep)     |
///      | on_dial_failed     | on_died, idle time-out     | on_released(not kept)
///      v                    v                            v
///    (gone)               (gone)                       (gone)
///
/// A request takes the first of: an idle connection (last in, first out, so that surplus ones grow old and go), one
/// that is released, or one whose dial ends. Who waits is not tied to the dial that it caused.
///
/// A connection has slots: one with HTTP/1.1, as many as it has streams with HTTP/2. It is busy while one is in use.
///
/// Ids are small numbers that are used again: a connection's after `close` or `on_dial_failed`, a waiter's after `hand` or `refuse` or `on_gave_up`. Nothing is allocated once the tables have grown.
class pool_plan {
public:
    using connection_id = std::uint32_t;
    using waiter_id = std::uint32_t;
    static constexpr std::uint32_t none = UINT32_MAX;

    struct limits {
        std::size_t connections = 64;  ///< dials in progress included; at least 1
        std::size_t waiters = 16384;   ///< more are turned away; 0: nobody waits
        duration idle = std::chrono::seconds(60);
    };

    /// What becomes of a request that wants a connection.
    struct placing {
        enum class kind {
            use,     ///< connection `id`, now
            wait,    ///< as waiter `id`
            full,    ///< too many wait
            closed,  ///< shutting down
        };
        kind what = kind::closed;
        std::uint32_t id = none;
    };

    /// What the shell has to do.
    struct action {
        enum class kind {
            hand,    ///< `connection` to `waiter`
            dial,    ///< `connection`; answer with on_dialled or on_dial_failed
            close,   ///< `connection`
            refuse,  ///< tell `waiter` that the dial failed
        };
        kind what = kind::close;
        connection_id connection = none;
        waiter_id waiter = none;
    };
    using actions = std::span<action const>;

    explicit pool_plan(limits how_much) : limits_(how_much) {}

    /// A request wants a connection; with `dialled_after`, only one whose dial ended after that moment, which must not
    /// lie in the future. Others overtake it. Ask `todo()` for what follows if it has to wait.
    /// One that goes `first` overtakes everybody and is never turned away: the others wait for what it brings.
    placing on_demand(time_point now, std::optional<time_point> dialled_after = {}, bool first = false);

    actions on_dialled(connection_id c, time_point now, std::uint32_t slots = 1);
    actions on_dial_failed(connection_id c);

    /// A slot is not used any more; `keep` unless the connection must not carry another request.
    actions on_released(connection_id c, time_point now, bool keep);

    /// A connection turned out to be dead. An idle one is closed; one that is busy is not used again.
    actions on_died(connection_id c);

    /// A waiter does not wait any more: cancelled, or out of time.
    void on_gave_up(waiter_id w);

    actions on_time(time_point now);

    /// Nobody new is let in; who waits is still served; a connection goes when nobody needs it.
    actions on_shut_down();

    /// What followed from the last fact. Valid until the next one.
    actions todo() const noexcept { return todo_; }

    /// When to call `on_time` at the latest.
    std::optional<time_point> next_wakeup() const noexcept;

    /// Shut down, and nothing is left.
    bool done() const noexcept { return shutting_down_ && total_ == 0 && waiting() == 0; }

    std::size_t idle() const noexcept { return idle_.size; }
    std::size_t dialling() const noexcept { return dialling_; }
    std::size_t busy() const noexcept { return total_ - dialling_ - idle_.size; }
    std::size_t waiting() const noexcept { return ordinary_.size + choosy_.size; }

private:
    struct links {
        std::uint32_t before = none;
        std::uint32_t after = none;
    };
    struct connection : links {
        enum class state : std::uint8_t { unused, dialling, open, retired };
        state is = state::unused;
        bool listed = false;  // in one of the two lists of those that have a free slot
        std::uint32_t slots = 0;
        std::uint32_t used = 0;
        std::uint64_t serial = 0;  // order in which dials ended
        time_point dialled{};
        time_point idle_since{};
    };
    struct waiter : links {
        bool choosy = false;
        std::uint64_t ticket = 0;        // order of arrival, from 1; 0 for one that goes first
        std::uint64_t after_serial = 0;  // a connection dialled since it asked will do, even in the same instant
        time_point younger_than{};
    };
    struct list {
        std::uint32_t first = none;
        std::uint32_t last = none;
        std::size_t size = 0;
    };

    template <class Node>
    static void push_front(list& l, std::vector<Node>& nodes, std::uint32_t id);
    template <class Node>
    static void push_back(list& l, std::vector<Node>& nodes, std::uint32_t id);
    template <class Node>
    static void unlink(list& l, std::vector<Node>& nodes, std::uint32_t id);
    template <class Node>
    static std::uint32_t allot(list& unused, std::vector<Node>& nodes);

    void make_room_for_one_more();
    bool young_enough(connection const& c, waiter const& w) const noexcept;
    connection_id find_free(std::optional<time_point> dialled_after) const noexcept;
    void use_slot(connection_id c);
    void enlist(connection_id c, time_point now);
    void delist(connection_id c);
    waiter_id oldest() const noexcept;
    waiter_id next_for(connection_id c) const noexcept;
    void leave(waiter_id w);
    void serve(connection_id c, time_point now);
    bool must_make_room(connection_id c) const noexcept;
    void forget(connection_id c);
    void close(connection_id c);
    void dial_if_wanted();
    std::size_t coming() const noexcept { return dialling_ * slots_of_last_; }

    limits limits_;
    std::vector<connection> connections_{};
    std::vector<waiter> waiters_{};
    std::vector<action> todo_{};
    list unused_connections_{};
    list unused_waiters_{};
    list idle_{};      // no slot in use; the one used last is first
    list partial_{};   // some slots in use, some free
    list ordinary_{};  // those who take any connection, in the order of arrival
    list choosy_{};    // those who take only a young one, in the order of arrival
    std::size_t total_ = 0;
    std::size_t dialling_ = 0;
    std::uint32_t slots_of_last_ = 1;
    std::uint64_t serials_ = 0;
    std::uint64_t tickets_ = 0;
    bool shutting_down_ = false;
};

}  // namespace jeton::http
