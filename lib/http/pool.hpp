// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "base/timekeeper.hpp"
#include "http/connection.hpp"
#include "http/pool_key.hpp"
#include "http/sansio/origin_share.hpp"
#include "http/sansio/pool_plan.hpp"

#include <jeton/base/observer.hpp>
#include <jeton/base/serial.hpp>
#include <jeton/http/client.hpp>
#include <jeton/net/connector.hpp>

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jeton::http {

struct pool_options {
    pool_plan::limits limits{};      ///< of each origin; the seed of the jitter is the pool's to choose
    std::size_t connections = 1024;  ///< of all origins
    std::shared_ptr<connection_traits const> traits{};  ///< not null
    answer_limits answers{};
    duration queue{};  ///< how long to wait for a connection
    std::string user_agent{};
};

/// The connections of one client, by origin: the hands of `pool_plan`. Dials belong to the pool: cancelling the request
/// that caused one does not end it.
///
/// Confined to `home`. Whoever waits or has a lease holds the pool.
class pool final : public std::enable_shared_from_this<pool> {
public:
    class site;

    /// A connection that has been handed to one request. Must be given back.
    struct lease {
        site* at = nullptr;
        pool_plan::connection_id id = pool_plan::none;
        http::connection* connection = nullptr;
        bool waited = false;  ///< and the dial was part of it, if it has carried no request
    };

    /// One who wants a connection; lives in its coroutine's frame.
    struct waiter {
        parking::spot* spot = nullptr;  ///< once it waits
        site* at = nullptr;
        pool_plan::waiter_id id = pool_plan::none;
        std::optional<time_point> dialled_after{};  ///< only a connection that is younger
        bool first = false;                         ///< before everybody else
        bool repeatable = false;                    ///< what is to be sent
        std::optional<result<lease>> got{};         ///< or why it got none

        bool has_lease() const noexcept { return got && *got; }
    };

    pool(serial home, std::shared_ptr<timekeeper> timers, std::shared_ptr<net::connector> connector,
         std::shared_ptr<observer> watcher, pool_options options);
    ~pool();

    /// Where connections to an origin are kept.
    site& site_of(std::shared_ptr<origin const> const& to);  ///< faster for the same pointer
    site& site_of(origin const& to);
    static std::string const& head_of(site const& at) noexcept;  ///< of `h1_origin_head`
    static std::string const& name_of(site const& at) noexcept;
    static std::shared_ptr<origin const> const& origin_of(site const& at) noexcept;

    /// `me` gets an idle connection, if there is one that is alive as far as one can tell, or is told why not. Otherwise it
    /// has got nothing yet, and is queued for `wait`.
    void take(site& at, waiter& me, time_point now, time_point deadline);

    /// Waits for what `take` did not have: a connection, or a failure of phase `queue` or of the dial that failed; nothing
    /// was sent.
    awaitable<void> wait(site& at, waiter& me, time_point since, time_point deadline);

    /// Takes the lease away from `me`.
    void give_back(waiter& me, time_point now);

    /// The server wants what went over `l` over HTTP/1.1 (RFC 9113 §7): where the client speaks that as well, the origin's
    /// connections are to do so for some time. `l` has still to be given back.
    void on_http_1_1_required(lease const& l);

    /// For one whom an exception (`std::bad_alloc`) has thrown out of `take`, `wait` or an exchange: it leaves the queue,
    /// and what it has is broken off and given back.
    void recover(waiter& me) noexcept;

    /// Makes room for so many requests at once, on top of those under way.
    awaitable<result<void>> warm(site& at, std::size_t requests, time_point deadline);

    /// What dialling the connection took.
    static net::connection const& times_of(lease const& l) noexcept;

    /// Nobody new; completes when nothing is left.
    awaitable<void> shut_down();

    /// Ends everything now: those who wait and the exchanges that are going on fail as cancelled.
    void abandon();

    std::vector<pool_snapshot> snapshot() const;
    timekeeper& timers() const noexcept { return *timers_; }
    bool shutting_down() const noexcept { return shutting_down_; }

private:
    struct warmer;

    void on_spent(site& at, pool_plan::connection_id c);
    void on_capacity(site& at, pool_plan::connection_id c);
    void heed(site& at, lease const& l);
    void obey(site& at, pool_plan::actions what);
    void let_go(site& at, pool_plan::connection_id c, pool_plan::reason why);
    static bool just_used(connection const& c, waiter const& me, time_point now) noexcept;
    void place(site& at, waiter& me, time_point now, time_point deadline);
    static void wake(site& at, waiter& w);
    void make_places_for_one_more(site& at);
    void make_places(site& at, std::size_t how_many);
    void fail_starved(site& at);
    void start_dial(site& at, pool_plan::connection_id c, bool many);
    static awaitable<void> dial(std::shared_ptr<pool> self, site* at, pool_plan::connection_id c, bool many);
    static awaitable<result<net::connection>> connect(std::shared_ptr<net::connector> by, net::destination to);
    void on_time(site& at);
    void tidy_later(site& at, time_point now);
    void tidy(site& at);
    bool done() const noexcept;
    void after_change(site& at);
    void set_alarm(site& at);
    void share_out();
    void end_warming(site& at, std::optional<failure> const& why);
    void tell();
    failure timed_out(site const& at, duration waited, bool deadline) const;
    failure not_connected(site const& at) const;

    serial home_;
    std::shared_ptr<timekeeper> timers_;
    std::shared_ptr<net::connector> connector_;
    std::shared_ptr<observer> watcher_;
    pool_options options_;
    origin_share share_;
    std::minstd_rand seeds_{std::random_device{}()};
    std::unordered_map<pool_key, std::unique_ptr<site>, pool_key_hash> sites_;
    std::vector<std::pair<std::shared_ptr<origin const>, site*>>
        known_{};                      // short cuts for origins that come again and again
    std::vector<happening> events_{};  // told once the state is whole again
    std::vector<site*> sharers_{};     // of share_out, kept for their memory
    std::vector<origin_share::standing> standings_{};
    parking done_{};
    bool shutting_down_ = false;
    bool abandoned_ = false;
};

}  // namespace jeton::http
