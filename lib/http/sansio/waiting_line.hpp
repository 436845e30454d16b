// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/id_list.hpp"

#include <jeton/base/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace jeton::http {

/// Those who wait for a connection to one origin, in the order in which they came; some are content with young
/// connections only. Ids are small numbers that are used again.
class waiting_line {
public:
    using id = id_list::id;
    static constexpr id none = id_list::none;

    /// What those who are choosy ask about a connection.
    struct age {
        std::uint64_t serial = 0;  ///< order in which dials ended, from 1
        time_point dialled{};
    };

    struct wish {
        std::optional<time_point> dialled_after{};  ///< or after it asked, even in the same instant
        std::uint64_t after_serial = 0;             ///< serial of the last dial that had ended when it asked
        time_point until = time_point::max();       ///< how long it will wait
        bool first = false;                         ///< overtakes everybody
    };

    id join(wish const& what);
    void leave(id who);

    id oldest() const noexcept;

    /// Who has waited longest among those whom a connection of that age suits.
    id next_for(age const& connection) const noexcept;
    bool suits(id who, age const& connection) const noexcept;

    /// Somebody who will not wait until after `moment`. Looks at all of them.
    id impatient(time_point moment) const noexcept;

    std::size_t size() const noexcept { return ordinary_.size() + choosy_.size(); }
    bool empty() const noexcept { return size() == 0; }
    std::size_t choosy() const noexcept { return choosy_.size(); }

private:
    struct waiter : id_list::links {
        bool choosy = false;
        std::uint64_t ticket = 0;  // order of arrival, from 1; 0 for one that goes first
        std::uint64_t after_serial = 0;
        time_point younger_than{};
        time_point until{};
    };

    std::vector<waiter> waiters_{};
    id_list unused_{};
    id_list ordinary_{};  // those who take any connection, in the order of arrival
    id_list choosy_{};    // those who take only a young one, in the order of arrival
    std::uint64_t tickets_ = 0;
};

}  // namespace jeton::http
