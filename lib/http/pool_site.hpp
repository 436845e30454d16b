// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "base/timekeeper.hpp"
#include "http/pool.hpp"
#include "http/sansio/pool_plan.hpp"

#include <asio/cancellation_signal.hpp>
#include <asio/post.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace jeton::http {

/// One who waits for `warm`; lives in its coroutine's frame.
struct pool::warmer {
    parking::spot spot{};
    bool over = false;
    std::optional<failure> why{};
};

/// What belongs to one origin.
class pool::site {
public:
    /// A place for a connection, under one id of the plan.
    struct place final : http::connection::keeper {
        place(pool& p, site& s, pool_plan::connection_id i) : owner(p), at(s), id(i) {}
        void on_spent(http::connection&) override { owner.on_spent(at, id); }
        void on_capacity(http::connection&) override { owner.on_capacity(at, id); }

        pool& owner;
        site& at;
        pool_plan::connection_id id;
        std::shared_ptr<http::connection> connection{};
        net::connection times{};  ///< its stream has moved on
        bool being_dialled = false;
        bool starved = false;  ///< there was no memory to dial
        asio::cancellation_signal stop_dialling{};
    };

    class alarm_of final : public timer {
    public:
        alarm_of(pool& p, site& s, void (pool::*ring)(site&)) : pool_(p), site_(s), ring_(ring) {}
        void on_due() override
        {
            auto keep = pool_.shared_from_this();
            auto const home = pool_.home_.executor();
            (pool_.*ring_)(site_);
            // An observer may have let go of the client: the wheel that calls us must not go with it.
            if (keep.use_count() == 1)
                asio::post(home, [last = std::move(keep)] {});
        }

    private:
        pool& pool_;
        site& site_;
        void (pool::*ring_)(site&);
    };

    site(pool& p, std::shared_ptr<origin const> to, pool_plan::limits const& limits);

    std::shared_ptr<origin const> where;
    std::string name;
    std::string head;
    pool_plan plan;
    std::vector<std::unique_ptr<place>> places{};
    std::vector<waiter*> waiters{};
    std::vector<warmer*> warmers{};
    parking queue{};
    std::optional<failure> last_failure{};
    failure const no_memory{std::make_error_code(std::errc::not_enough_memory), phase::connect, delivery::not_sent,
                            "there is no memory for a connection"};
    bool starved = false;  ///< some place is
    std::uint64_t connections_made = 0;
    std::uint64_t connects_failed = 0;
    std::uint64_t requests = 0;
    alarm_of plan_alarm;
    alarm_of tidy_alarm;
};

}  // namespace jeton::http
