// SPDX-License-Identifier: BSL-1.0
#include "bench_load.hpp"

#include "crew.hpp"
#include "report.hpp"

#include <jeton/base/io_threads.hpp>

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <sys/resource.h>

namespace jeton::tool {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto step = 200ms;              // of the live line
constexpr auto grace = 2s;                // for what is in flight when the user interrupts
constexpr auto after_a_failure = 100ms;   // what is down need not be asked a million times a second
constexpr int rotations_in_a_window = 2;  // of the budget, for each that was asked for

double cpu_seconds()
{
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
           + static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

double seconds_since(steady::time_point begun) { return std::chrono::duration<double>(steady::now() - begun).count(); }

// Called on all threads at once.
class happenings_counter final : public observer {
public:
    void on(happening const& what) override
    {
        if (auto const* const made = std::get_if<happenings::connected>(&what)) {
            ++connections;
            http2 += made->protocol == "h2";
            handshakes += made->origin.starts_with("https:");
            resumed += made->resumed;
        } else if (std::holds_alternative<happenings::resent>(what)) {
            ++resent;
        } else if (std::holds_alternative<happenings::token_granted>(what)) {
            ++tokens;
        } else if (std::holds_alternative<happenings::token_failed>(what)) {
            ++token_failures;
        }
    }

    std::atomic<std::uint64_t> connections = 0, http2 = 0, handshakes = 0, resumed = 0, resent = 0, tokens = 0,
                               token_failures = 0;
};

// What all threads look at: whether there is one more request to send.
class supply {
public:
    explicit supply(std::uint64_t requests)
        : left_(
            static_cast<std::int64_t>(std::min<std::uint64_t>(requests, std::numeric_limits<std::int64_t>::max() / 2))),
          counted_(requests != std::numeric_limits<std::uint64_t>::max())
    {}

    bool next() noexcept
    {
        return !closed_.load(std::memory_order_relaxed)
               && (!counted_ || left_.fetch_sub(1, std::memory_order_relaxed) > 0);
    }
    bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
    void close() noexcept { closed_.store(true, std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> left_;
    std::atomic<bool> closed_ = false;
    bool counted_;
};

// What one thread does. Written by that thread alone, and read when it has ended, but for the two that the live line shows.
struct alignas(64) lane {
    int workers = 0;
    latencies took{};
    std::map<std::string, std::uint64_t> failures{};
    std::string first_failure{};
    exit_code code = exit_code::ok;
    steady::time_point first_failed = steady::time_point::max();
    std::atomic<std::uint64_t> begun = 0;
    std::atomic<std::uint64_t> done = 0;
    std::exception_ptr broken{};

    static void one_more(std::atomic<std::uint64_t>& of) noexcept
    {
        of.store(of.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    void failed(std::string const& what, std::string const& in_words, exit_code as, steady::time_point now)
    {
        ++failures[what];
        if (now < first_failed) {
            first_failed = now;
            first_failure = in_words;
            code = as;
        }
    }

    void count(result<http::response> const& answer, steady::time_point begun_at, steady::time_point now)
    {
        took.add(now - begun_at);
        one_more(done);
        if (!answer) {
            auto const condition = condition_of(answer.error().code());
            failed(condition.empty() ? error_name(answer.error().code()) : std::string(condition),
                   explain(answer.error()), exit_code_of(answer.error()), now);
        } else if (auto const as = exit_code_of(answer->status()); as != exit_code::ok) {
            auto const status = "status " + std::to_string(answer->status());
            failed(status, status, as, now);
        }
    }
};

asio::awaitable<void> keep_asking(client& api, http::request what, supply& work, lane& at)
{
    asio::steady_timer pause(co_await asio::this_coro::executor);
    auto begun = steady::now();
    while (work.next()) {
        lane::one_more(at.begun);
        auto const answer = co_await api.send(what);
        auto const now = steady::now();
        if (!answer && work.closed() && answer.error().code() == cond::cancelled)
            co_return;  // given up: the client is gone
        at.count(answer, begun, now);
        begun = now;
        if (!answer && !work.closed()) {
            pause.expires_after(after_a_failure);
            co_await pause.async_wait(asio::use_awaitable);
            begun = steady::now();
        }
    }
}

asio::awaitable<void> run_lane(client& api, http::request what, supply& work, lane& at)
{
    co_await run_crew(static_cast<std::size_t>(at.workers),
                      [&](std::size_t) { return keep_asking(api, what, work, at); });
}

class load {
public:
    load(provider const& api, credentials const& who, client_options options, http::request what,
         load_order const& order, live_line& live)
        : what_(std::move(what)),
          order_(order),
          live_(live),
          work_(order.requests),
          lanes_(static_cast<std::size_t>(order.threads)),
          threads_(lanes_.size()),
          api_(std::in_place, *threads_, api, who, watched(std::move(options)))
    {
        for (int i = 0; i != order.in_flight; ++i)
            ++lanes_[static_cast<std::size_t>(i % order.threads)].workers;
    }

    load_report run()
    {
        stop_.async_wait([this](std::error_code e, int) {
            if (!e)
                interrupt();
        });
        asio::co_spawn(io_, conduct(), [this](std::exception_ptr e) {
            broken_ = e;
            io_.stop();
        });
        io_.run();
        api_.reset();
        threads_.reset();  // from here on, the lanes are nobody's but ours
        if (broken_ && !report_.interrupted)
            std::rethrow_exception(broken_);
        return report();
    }

private:
    client_options watched(client_options options) const
    {
        options.http.watcher = seen_;
        if (order_.rotate > 0) {
            // What is asked to last almost as long as a new token is answered with one: that takes a margin which leaves room.
            auto const half = std::chrono::duration_cast<duration>(std::chrono::duration<double>(order_.rotate / 2));
            options.refresh.margin = std::min(options.refresh.margin, half / 2);
            auto const window = std::chrono::duration<double>(options.refresh.budget_window).count();
            options.refresh.budget += static_cast<int>(std::ceil(rotations_in_a_window * window / order_.rotate));
        }
        return options;
    }

    void interrupt()
    {
        stop_.clear();  // the next one ends the process
        report_.interrupted = true;
        if (!begun_)
            api_.reset();  // which ends the wait for a token or for connections
        work_.close();
        give_up_at_ = steady::now() + grace;
        tick_.cancel();
    }

    std::uint64_t sum(std::atomic<std::uint64_t> lane::*of) const
    {
        std::uint64_t n = 0;
        for (auto const& one : lanes_)
            n += (one.*of).load(std::memory_order_relaxed);
        return n;
    }

    asio::awaitable<void> conduct()
    {
        live_.begin("load");
        if (order_.with_token)
            (co_await api_->token()).value();
        auto const ready = co_await api_->warm(static_cast<std::size_t>(order_.in_flight));
        ready.value();
        auto const waited_at_first = (co_await api_->look()).token.waited;

        auto const used = cpu_seconds();
        auto const begun = steady::now();
        begun_ = true;
        running_ = lanes_.size();
        for (std::size_t i = 0; i != lanes_.size(); ++i)
            asio::co_spawn(threads_->executor(i), run_lane(*api_, what_, work_, lanes_[i]),
                           asio::bind_executor(io_.get_executor(), [this, i](std::exception_ptr e) {
                               lanes_[i].broken = e;
                               if (--running_ == 0)
                                   tick_.cancel();
                           }));
        if (order_.with_token && order_.rotate > 0) {
            rotating_ = true;
            asio::co_spawn(io_, rotate(), [this](std::exception_ptr e) {
                rotation_broken_ = e;
                rotating_ = false;
                tick_.cancel();
            });
        }
        co_await watch(begun);
        report_.seconds = seconds_since(begun);
        report_.cpu_seconds = cpu_seconds() - used;

        if (running_ == 0) {
            auto const waited = (co_await api_->look()).token.waited - waited_at_first;
            report_.callers_who_waited = waited - std::min(waited, rotations_);
            work_.close();
            co_await api_->shut_down();
        } else {
            api_.reset();  // cancels what is in flight
        }
        rotation_.cancel();
        while (rotating_)
            co_await tick(steady::time_point::max());
        if (rotation_broken_)
            std::rethrow_exception(rotation_broken_);
    }

    // False: not so long, for there is something to look at.
    asio::awaitable<bool> tick(steady::time_point until)
    {
        tick_.expires_at(until);
        std::error_code cancelled;
        co_await tick_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        co_return !cancelled;
    }

    // Until all has been sent and answered, the time is up, or nobody wants to wait any longer.
    asio::awaitable<void> watch(steady::time_point begun)
    {
        std::uint64_t seen = 0;
        auto looked = begun;
        while (running_ != 0 && steady::now() < give_up_at_) {
            auto const left = order_.seconds - seconds_since(begun);
            if (left <= 0)
                work_.close();
            auto wait = std::chrono::duration<double>(step);
            if (left > 0)
                wait = std::min(wait, std::chrono::duration<double>(left));
            auto const whole = co_await tick(steady::now() + std::chrono::duration_cast<steady::duration>(wait));
            if (!whole)
                continue;
            auto const done = sum(&lane::done);
            auto const rate = static_cast<double>(done - seen) / seconds_since(looked);
            auto const by_number = static_cast<double>(done) / static_cast<double>(order_.requests);
            live_.show(std::min(1.0, std::max(seconds_since(begun) / order_.seconds, by_number)),
                       std::to_string(static_cast<long long>(rate)) + " requests/s, "
                           + std::to_string(seen_->tokens.load()) + " tokens");
            seen = done;
            looked = steady::now();
        }
    }

    // Ahead of time: while the new token is on its way, requests go on with the old one.
    asio::awaitable<void> rotate()
    {
        auto const each = std::chrono::duration_cast<duration>(std::chrono::duration<double>(order_.rotate));
        while (!work_.closed()) {
            rotation_.expires_after(each);
            std::error_code cancelled;
            co_await rotation_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
            if (work_.closed())
                break;
            auto const now = co_await api_->token();
            if (!now || work_.closed())
                continue;
            auto const lasting = oauth2::token_demand::lasting(std::max(duration(0), (*now)->lifetime() - each / 2));
            auto const next = co_await api_->token(lasting);
            rotations_ += next && (*next)->generation != (*now)->generation;
        }
    }

    load_report report()
    {
        auto& r = report_;
        auto first = steady::time_point::max();
        for (auto& one : lanes_) {
            if (one.broken)
                std::rethrow_exception(one.broken);
            r.took.add(one.took);
            r.requests += one.done;
            for (auto const& [what, count] : one.failures) {
                r.failures[what] += count;
                r.failed += count;
            }
            if (one.first_failed < first) {
                first = one.first_failed;
                r.first_failure = one.first_failure;
                r.code = one.code;
            }
        }
        r.given_up = sum(&lane::begun) - r.requests;
        r.resent = seen_->resent;
        r.tokens = seen_->tokens;
        r.token_failures = seen_->token_failures;
        r.connections = seen_->connections;
        r.http2_connections = seen_->http2;
        r.handshakes = seen_->handshakes;
        r.resumed = seen_->resumed;
        live_.end(std::to_string(static_cast<long long>(r.requests_per_second())) + " requests/s");
        return std::move(r);
    }

    http::request what_;
    load_order order_;
    live_line& live_;
    load_report report_{};
    std::shared_ptr<happenings_counter> seen_ = std::make_shared<happenings_counter>();
    supply work_;
    std::vector<lane> lanes_;
    std::optional<io_threads> threads_;
    std::optional<client> api_;

    // The user's side of it, on the calling thread.
    asio::io_context io_{1};
    asio::signal_set stop_{io_, SIGINT, SIGTERM};
    asio::steady_timer tick_{io_};
    asio::steady_timer rotation_{io_};
    steady::time_point give_up_at_ = steady::time_point::max();
    bool begun_ = false;
    std::size_t running_ = 0;
    bool rotating_ = false;
    std::exception_ptr rotation_broken_{};
    std::uint64_t rotations_ = 0;
    std::exception_ptr broken_{};
};

}  // namespace

load_report drive(provider const& api, credentials const& who, client_options options, http::request const& what,
                  load_order const& order, live_line& live)
{
    return load(api, who, std::move(options), what, order, live).run();
}

}  // namespace jeton::tool
