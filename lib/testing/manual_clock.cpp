// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/manual_clock.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace jeton::testing {

/// What the clock and its alarms share, under one lock.
class manual_clock::face : public std::enable_shared_from_this<face> {
public:
    /// One alarm. A ring that was posted before the alarm was set again, cleared or destroyed does not count any more.
    struct entry {
        asio::any_io_executor executor;
        std::function<void()> ring;
        std::optional<time_point> at{};
        std::uint64_t current = 0;
    };

    moment both() const
    {
        std::scoped_lock const lock(mutex_);
        return moment_;
    }

    void advance(duration by)
    {
        assert(by >= duration::zero());
        std::vector<std::shared_ptr<entry>> due;
        {
            std::scoped_lock const lock(mutex_);
            moment_.boot = saturating_add(moment_.boot, by);
            moment_.wall = saturating_add(moment_.wall, by);
            auto const earlier = [](auto const& a, auto const& b) { return *a->at < *b->at; };
            for (auto const& one : entries_)
                if (one->at && *one->at <= moment_.boot)
                    due.insert(std::upper_bound(due.begin(), due.end(), one, earlier), one);
        }
        for (auto const& one : due)
            post(one);
    }

    void jump_wall(duration by)
    {
        std::scoped_lock const lock(mutex_);
        moment_.wall = saturating_add(moment_.wall, by);
    }

    std::size_t alarms_set() const
    {
        std::scoped_lock const lock(mutex_);
        auto const is_set = [](auto const& one) { return one->at.has_value(); };
        return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is_set));
    }

    void add(std::shared_ptr<entry> one)
    {
        std::scoped_lock const lock(mutex_);
        entries_.push_back(std::move(one));
    }

    void remove(std::shared_ptr<entry> const& one)
    {
        std::scoped_lock const lock(mutex_);
        disarm(*one);
        std::erase(entries_, one);
    }

    void set(std::shared_ptr<entry> const& one, time_point at)
    {
        {
            std::scoped_lock const lock(mutex_);
            disarm(*one);
            one->at = at;
            if (at > moment_.boot)
                return;
        }
        post(one);
    }

    void clear(entry& one)
    {
        std::scoped_lock const lock(mutex_);
        disarm(one);
    }

private:
    static void disarm(entry& one)
    {
        one.at.reset();
        ++one.current;
    }

    void post(std::shared_ptr<entry> const& one)
    {
        asio::post(one->executor, [weak = std::weak_ptr(one), face = shared_from_this()] {
            if (auto const alive = weak.lock(); alive && face->may_ring(*alive))
                alive->ring();
        });
    }

    bool may_ring(entry& one)
    {
        std::scoped_lock const lock(mutex_);
        if (!one.at || *one.at > moment_.boot)
            return false;
        disarm(one);
        return true;
    }

    mutable std::mutex mutex_{};
    moment moment_{.boot = time_point(std::chrono::hours(24)),
                   .wall = wall_time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1))};
    std::vector<std::shared_ptr<entry>> entries_{};
};

class manual_clock::manual_alarm final : public alarm {
public:
    manual_alarm(std::shared_ptr<face> face, std::shared_ptr<face::entry> entry)
        : face_(std::move(face)), entry_(std::move(entry))
    {
        face_->add(entry_);
    }
    manual_alarm(manual_alarm const&) = delete;
    manual_alarm& operator=(manual_alarm const&) = delete;
    ~manual_alarm() override { face_->remove(entry_); }

    void set(time_point at) override { face_->set(entry_, at); }
    void clear() noexcept override { face_->clear(*entry_); }

private:
    std::shared_ptr<face> face_;
    std::shared_ptr<face::entry> entry_;
};

manual_clock::manual_clock() : face_(std::make_shared<face>()) {}

manual_clock::~manual_clock() = default;

time_point manual_clock::now() const noexcept { return face_->both().boot; }

wall_time manual_clock::wall() const noexcept { return face_->both().wall; }

std::unique_ptr<alarm> manual_clock::make_alarm(asio::any_io_executor executor, std::function<void()> ring)
{
    auto entry = std::make_shared<face::entry>();
    entry->executor = std::move(executor);
    entry->ring = std::move(ring);
    return std::make_unique<manual_alarm>(face_, std::move(entry));
}

void manual_clock::advance(duration by) { face_->advance(by); }

void manual_clock::jump_wall(duration by) { face_->jump_wall(by); }

std::size_t manual_clock::alarms_set() const { return face_->alarms_set(); }

}  // namespace jeton::testing
