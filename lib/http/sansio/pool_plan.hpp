// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/dial_pace.hpp"
#include "http/sansio/id_list.hpp"
#include "http/sansio/idle_lesson.hpp"
#include "http/sansio/origin_share.hpp"
#include "http/sansio/waiting_line.hpp"

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
///   dialling ------------> idle <---------------------> busy -----------------------.
///      |                    |      on_released(keep)     | going away, last request, |
///      | on_dial_failed     | on_died, idle time-out,    | on_released(not kept),    | replaced
///      v                    v age                        v on_squeeze                v
///    (gone)               (gone)                      retired: nobody new; gone when nobody uses it
///
/// A request takes the first of: an idle connection (last in, first out, so that surplus ones grow old and go), one
/// that is released, or one whose dial ends. Who waits is not tied to the dial that it caused.
///
/// A connection has slots: one with HTTP/1.1, as many as the server lets it have streams with HTTP/2, reserved when it is
/// handed out. It is busy while one is in use; one is filled before the next is begun. Where HTTP/2 is possible, a first
/// dial has to tell what the origin speaks before there is a second one. Where it is worth its while only for many
/// requests (`many_from`), their number decides what is dialled, and which connection is taken first.
///
/// Whatever is needed and has to go for its age, its number of requests or the server's wish is replaced: its successor
/// is dialled first, and until that is there it goes on (if the server lets it). At the limit, there may be one
/// connection more meanwhile.
///
/// Ids are small numbers that are used again: a connection's after `close` or `on_dial_failed`, a waiter's after `hand`
/// or `refuse` or `on_gave_up`. Nothing is allocated once the tables have grown.
class pool_plan {
public:
    using connection_id = id_list::id;
    using waiter_id = waiting_line::id;
    static constexpr std::uint32_t none = id_list::none;

    struct limits {
        std::size_t connections = 64;  ///< dials in progress included; at least 1
        std::size_t waiters = 16384;   ///< more are turned away; 0: nobody waits
        duration idle = std::chrono::seconds(60);
        duration age = duration::zero();  ///< or up to a fifth less; 0: no limit
        std::uint64_t requests = 0;       ///< over one connection; 0: no limit
        std::size_t ready = 0;            ///< requests for which there is always a free slot, or one on its way
        dial_pace::limits dialling{};
        /// With `multiplexing`: connections with one slot are preferred, and made, while fewer requests than that are in
        /// progress or waiting. 0: never.
        std::size_t many_from = 0;
        bool multiplexing = false;  ///< a connection may turn out to have many slots
        std::uint32_t seed = 1;     ///< for the jitter; not 0
    };

    /// What becomes of a request that wants a connection.
    struct placing {
        enum class kind {
            use,      ///< connection `id`, now
            wait,     ///< as waiter `id`
            full,     ///< too many wait
            refused,  ///< the last dial failed, and it will not wait until the next one begins
            closed,   ///< shutting down
        };
        kind what = kind::closed;
        std::uint32_t id = none;
    };

    /// Why a connection is closed, unless it has a reason of its own.
    enum class reason : std::uint8_t { not_kept, idle, age, requests, going_away, one_at_a_time, room, shut_down };

    /// What the shell has to do.
    struct action {
        enum class kind {
            hand,    ///< `connection` to `waiter`
            dial,    ///< `connection`, with `many` slots if the server likes; answer with on_dialled or on_dial_failed
            close,   ///< `connection`
            refuse,  ///< tell `waiter` that the dial failed
        };
        kind what = kind::close;
        connection_id connection = none;
        waiter_id waiter = none;
        reason why = reason::not_kept;
        bool many = false;
    };
    using actions = std::span<action const>;

    /// `among` outlives it; null: it is the only origin.
    explicit pool_plan(limits how_much, origin_share* among = nullptr);

    /// A request wants a connection; with `dialled_after`, only one whose dial ended after that moment, which must not
    /// lie in the future. Others overtake it. Ask `todo()` for what follows.
    /// One that goes `first` overtakes everybody and is not turned away for their number: the others wait for what it
    /// brings. It will not wait any longer than `until`.
    placing on_demand(time_point now, std::optional<time_point> dialled_after = {}, bool first = false,
                      time_point until = time_point::max());

    /// There is to be room for `requests` at once, on top of what is in use; one time.
    actions on_warm(std::size_t requests, time_point now);

    /// `known`: the server has said how many slots there are. Where it may be many, nobody dials another connection
    /// beside the first one of all until `on_slots` comes for that.
    actions on_dialled(connection_id c, time_point now, std::uint32_t slots = 1, bool known = true);
    actions on_dial_failed(connection_id c, time_point now);

    /// A slot is not used any more; `keep` unless the connection must not carry another request.
    actions on_released(connection_id c, time_point now, bool keep);

    /// The server says how many requests it takes at once, or changed its mind; may be fewer than are under way, and 0.
    actions on_slots(connection_id c, std::uint32_t slots, time_point now);

    /// The server announced that it will end the connection, and takes no new request (GOAWAY).
    actions on_draining(connection_id c, time_point now);

    /// The server takes requests on connections with one slot only (HTTP_1_1_REQUIRED, RFC 9113 §7): those with more are
    /// retired, and for `memory` none is made. Only with `many_from`.
    actions on_one_at_a_time(time_point now, duration memory);

    /// A connection turned out to be dead. An idle one is closed; one that is busy is not used again.
    actions on_died(connection_id c, time_point now);

    /// What the server said about the life of a connection that carries a request (`Keep-Alive`): how long it keeps idle
    /// ones, how many more requests it takes on this one.
    void on_hint(connection_id c, std::optional<duration> kept, std::optional<std::uint64_t> more_requests);

    /// A waiter does not wait any more: cancelled, or out of time.
    void on_gave_up(waiter_id w);

    actions on_time(time_point now);

    /// Nobody new is let in; who waits is still served; a connection goes when nobody needs it.
    actions on_shut_down(time_point now);

    /// `among` says that it may have, or has to give up, a connection.
    actions on_granted(time_point now);
    actions on_squeeze(time_point now);

    /// What followed from the last fact. Valid until the next one.
    actions todo() const noexcept { return todo_; }

    /// Whether a dial is wanted that has to wait for its time; `next_wakeup` may have become earlier by that.
    bool paced() const noexcept { return paced_; }

    /// When to call `on_time` at the latest.
    std::optional<time_point> next_wakeup() const noexcept;

    /// Shut down, and nothing is left.
    bool done() const noexcept { return shutting_down_ && total_ == 0 && line_.empty(); }

    std::size_t idle() const noexcept { return idle_.size(); }
    std::size_t dialling() const noexcept { return dialling_; }
    std::size_t busy() const noexcept { return total_ - dialling_ - idle_.size(); }  ///< retired ones included
    std::size_t retired() const noexcept { return retired_; }
    std::size_t waiting() const noexcept { return line_.size(); }
    /// How many slots a new connection may be taken to have until the server has said so: as many as the last one, or one.
    std::uint32_t slots_at_first() const noexcept { return slots_of_last_ == 0 ? 1 : slots_of_last_; }
    bool in_use(connection_id c) const noexcept { return connections_[c].used != 0; }
    bool warming() const noexcept { return warm_ != 0; }
    duration idle_limit() const noexcept { return idle_limit_; }  ///< the server's, if it is shorter than ours
    std::uint32_t failures() const noexcept { return pace_.failures(); }

    /// Whether a dial that is under way will do for everybody who waits.
    bool all_covered() const noexcept { return line_.size() <= coming(); }

    /// When the next dial may begin, if failures forbid it now.
    std::optional<time_point> next_dial(time_point now) const noexcept;

    origin_share::standing standing() const noexcept;

private:
    struct connection : id_list::links {
        enum class state : std::uint8_t { unused, dialling, open, retired };
        state is = state::unused;
        bool listed = false;            // in one of the two lists of those that have a free slot
        bool owed = false;              // a successor is
        bool many = false;              // may have more than one slot
        reason why = reason::not_kept;  // it will go
        std::uint32_t slots = 0;
        std::uint32_t used = 0;
        std::uint64_t taken = 0;       // requests, so far
        std::uint64_t last = 0;        // it takes that many
        std::uint64_t replace_at = 0;  // a successor is due once it has taken that many
        time_point idle_since{};       // for the time-out
        time_point rested_since{};     // since it has really been idle
        time_point retire_at{};
        waiting_line::age age{};  // while dialling: since when
    };

    void make_room_for_one_more();
    connection_id find_free(time_point now, std::optional<time_point> dialled_after);
    void use_slot(connection_id c);
    void enlist(connection_id c, time_point since);
    void delist(connection_id c);
    void serve(connection_id c, time_point now, time_point idle_since);
    bool must_make_room(connection_id c) const noexcept;
    void retire(connection_id c, reason why);
    void begin_replacing(connection_id c, reason why);
    time_point finish_replacing(time_point now);
    void lapse(connection_id c);
    void forget(connection_id c);
    void close(connection_id c, reason why);
    void close_oldest(reason why);
    void expire(time_point now);
    void retire_aged(time_point now);
    void dial_if_wanted(time_point now)
    {
        if (!line_.empty() || !owed_.empty() || warm_ != 0 || limits_.ready != 0 || paced_ || queued_ != 0)
            dial(now);
    }
    void dial(time_point now);
    void end_dial(connection_id c);
    std::size_t dials_wanted();
    bool take_room(bool waited_for);
    void stop_queueing();
    void learn_idle_limit();
    void learn_slots(std::uint32_t slots) noexcept;
    std::size_t coming() const noexcept;
    bool many_wanted() const noexcept;
    bool prefers_one() const noexcept { return limits_.many_from != 0 && in_progress_ < limits_.many_from; }
    std::size_t open() const noexcept { return total_ - dialling_ - retired_; }
    std::size_t free() const noexcept { return idle_.size() + partial_.size(); }
    std::size_t ready_wanted() const noexcept;
    std::size_t slots_each() const noexcept { return many_wanted() && slots_of_last_ != 0 ? slots_of_last_ : 1; }
    double chance() noexcept;

    limits limits_;
    origin_share* among_;
    dial_pace pace_;
    idle_lesson lesson_{};
    waiting_line line_{};
    duration idle_limit_;
    std::vector<connection> connections_{};
    std::vector<action> todo_{};
    std::vector<connection_id> owed_{};  // those that a successor is owed, in the order in which it became due
    id_list unused_{};
    id_list idle_{};     // no slot in use; the one used last is first
    id_list partial_{};  // some slots in use, some free
    std::size_t total_ = 0;
    std::size_t dialling_ = 0;
    std::size_t dialling_many_ = 0;  // of these, those that may bring many slots
    std::size_t retired_ = 0;
    std::size_t in_progress_ = 0;  // requests
    std::size_t warm_ = 0;
    std::uint32_t slots_of_last_ = 1;           // that might have brought many
    time_point one_until_ = time_point::min();  // no connection with many slots is made before
    std::uint32_t dice_;
    std::uint64_t serials_ = 0;
    time_point next_aged_ = time_point::max();  // no connection reaches its age before
    origin_share::ticket queued_ = 0;
    bool granted_ = false;
    bool paced_ = false;     // a dial is wanted, and has to wait for its time
    bool one_only_ = false;  // at the time of the last look, `one_until_` had not passed
    bool spoken_ = false;    // a connection that might have brought many has told what the origin speaks
    bool shutting_down_ = false;
    connection_id greeting_ = none;  // the first of all, of which it is not known how many slots it has
};

}  // namespace jeton::http
