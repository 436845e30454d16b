// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace jeton::http {

/// Who of several origins may have another connection, when all of them together may have only so many.
///
/// As long as there is room, whoever wants a connection takes it. When there is none, origins queue up, and room that
/// appears goes to the one that has the fewest connections, then to the one that has waited longest. If nobody makes
/// room by himself, an idle connection of another origin is closed; and if there is none, an origin that has more than
/// its share ends one that is in use, as soon as it is not used any more.
class origin_share {
public:
    using ticket = std::uint64_t;  ///< order of queueing up; 0: does not queue

    /// How one origin stands.
    struct standing {
        std::size_t connections = 0;  ///< of all kinds, those being dialled and those about to go included
        std::size_t idle = 0;
        std::size_t open = 0;     ///< may be used; idle or in use
        std::size_t leaving = 0;  ///< go as soon as nobody uses them
        ticket queued = 0;
    };

    struct step {
        enum class kind {
            nothing,
            grant,    ///< let origin `whom` have a connection
            squeeze,  ///< let origin `whom` give up one
        };
        kind what = kind::nothing;
        std::size_t whom = 0;  ///< index
    };

    /// \param connections  at least 1
    explicit origin_share(std::size_t connections) : limit_(connections) {}

    /// Takes room for one connection, if there is any.
    /// \param granted  it was said to be this origin's turn; otherwise, those who queue come first
    bool take(bool granted) noexcept;
    void put_back() noexcept;

    ticket queue_up() noexcept;
    void leave_queue() noexcept;
    bool contended() const noexcept { return queueing_ != 0; }

    /// A connection that is in use became one that can be ended.
    void on_change() noexcept { changed_ = true; }

    /// What to do next; ask until there is nothing.
    step next(std::span<standing const> origins) noexcept;

    /// Whether it is worth asking.
    bool unsettled() const noexcept { return changed_ && contended(); }

private:
    std::size_t limit_;
    std::size_t taken_ = 0;
    std::size_t queueing_ = 0;
    ticket tickets_ = 0;
    bool changed_ = false;
};

}  // namespace jeton::http
