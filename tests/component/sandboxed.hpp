// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/jeton.hpp>
#include <jeton/testing/sandbox.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int slack = 100;  // instrumented code is slower, and machines that test do something else besides
#else
inline constexpr int slack = 4;
#endif

/// The machine's clock, which can be told to skip some time: tokens expire at once, latencies and deadlines are real.
class skipping_clock final : public clock {
public:
    time_point now() const noexcept override { return under_->now() + skipped(); }
    wall_time wall() const noexcept override { return under_->wall() + skipped(); }

    std::unique_ptr<alarm> make_alarm(asio::any_io_executor executor, std::function<void()> ring) override
    {
        return std::make_unique<skipping_alarm>(*this, under_->make_alarm(std::move(executor), std::move(ring)));
    }

    void skip(duration d) { skipped_ += d.count(); }

private:
    class skipping_alarm final : public alarm {
    public:
        skipping_alarm(skipping_clock const& of, std::unique_ptr<alarm> under) : of_(of), under_(std::move(under)) {}
        void set(time_point at) override { under_->set(saturating_add(at, -of_.skipped())); }
        void clear() noexcept override { under_->clear(); }

    private:
        skipping_clock const& of_;
        std::unique_ptr<alarm> under_;
    };

    duration skipped() const noexcept { return duration(skipped_.load()); }

    std::shared_ptr<clock> under_ = machine_clock();
    std::atomic<duration::rep> skipped_ = 0;
};

/// Remembers what happened.
class diary final : public observer {
public:
    void on(happening const& what) override { entries_.push_back(what); }

    template <class T>
    std::vector<T> all() const
    {
        std::vector<T> found;
        for (auto const& e : entries_)
            if (auto const* one = std::get_if<T>(&e))
                found.push_back(*one);
        return found;
    }

private:
    std::vector<happening> entries_{};
};

/// A client of a provider of the sandbox, on the thread of the test.
struct sandboxed {
    using answer = result<http::response>;

    std::shared_ptr<skipping_clock> time = std::make_shared<skipping_clock>();
    std::shared_ptr<diary> happened = std::make_shared<diary>();
    sandbox world{with_clock(time)};
    asio::io_context io{1};
    std::optional<client> api{};

    ~sandboxed()
    {
        if (!api)
            return;
        run(api->shut_down());
        api.reset();
        // What is left now would be a leak: io.run() must return.
        io.restart();
        io.run_for(std::chrono::seconds(10));
        BOOST_TEST(io.stopped(), "something keeps the context from ending after shut_down()");
    }

    static sandbox_options with_clock(std::shared_ptr<clock> c)
    {
        sandbox_options o;
        o.time = std::move(c);
        return o;
    }

    client_options options()
    {
        auto o = world.options();
        o.http.time = time;
        o.http.watcher = happened;
        o.http.queue = o.http.total = std::chrono::minutes(2);
        return o;
    }

    client& use(std::string_view name) { return use(name, options()); }
    client& use(std::string_view name, client_options o)
    {
        return api.emplace(serial(io), world.provider_named(name), world.credentials_for(name), std::move(o));
    }

    /// Runs the context until that has completed.
    template <class T>
    T run(asio::awaitable<T> op)
    {
        // Shared: a test that has waited in vain leaves the coroutine behind.
        auto const outcome = std::make_shared<std::optional<T>>();
        asio::co_spawn(io, std::move(op), [outcome](std::exception_ptr e, T value) {
            BOOST_TEST(!e, "the coroutine threw");
            outcome->emplace(std::move(value));
        });
        until([&] { return outcome->has_value(); });
        return std::move(**outcome);
    }
    void run(asio::awaitable<void> op)
    {
        auto const done = std::make_shared<bool>(false);
        asio::co_spawn(io, std::move(op), [done](std::exception_ptr e) {
            BOOST_TEST(!e, "the coroutine threw");
            *done = true;
        });
        until([&] { return *done; });
    }

    template <class Predicate>
    void until(Predicate reached)
    {
        auto const limit = std::chrono::steady_clock::now() + std::chrono::minutes(2);
        io.restart();
        while (!reached()) {
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < limit, "waited in vain");
            io.run_one_for(std::chrono::milliseconds(100));
            if (io.stopped())
                io.restart();
        }
    }

    answer get(std::string_view path) { return run(api->get(path)); }
    answer post(std::string_view path, std::string body) { return run(api->post(path, std::move(body))); }
    result<oauth2::token_ptr> token() { return run(api->token()); }
    std::uint64_t token_requests() const { return world.counters().token_requests; }
};

inline double in_ms(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

}  // namespace jeton::testing
