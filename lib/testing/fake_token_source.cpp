// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/fake_token_source.hpp>

#include "base/hop.hpp"
#include "base/parking.hpp"

#include <asio/this_coro.hpp>

#include <deque>
#include <mutex>
#include <utility>

namespace jeton::testing {

using oauth2::token_demand;
using oauth2::token_ptr;

struct fake_token_source::script {
    explicit script(serial where) : home(std::move(where)) {}

    serial home;
    parking held{};  // on home only

    std::mutex mutex{};
    std::deque<result<token_ptr>> answers{};
    std::function<result<token_ptr>(token_demand const&)> otherwise{};
    bool holds = false;
    bool deaf = false;
    std::size_t calls = 0;

    template <class T>
    T locked(T script::*member)
    {
        std::lock_guard const lock(mutex);
        return this->*member;
    }

    result<token_ptr> next(token_demand const& demand)
    {
        std::unique_lock lock(mutex);
        if (!answers.empty()) {
            auto answer = std::move(answers.front());
            answers.pop_front();
            return answer;
        }
        auto const ask = otherwise;
        lock.unlock();
        if (ask)
            return ask(demand);
        return failure(errc::misuse, phase::token, delivery::not_sent, "fake_token_source: nothing is scripted");
    }

    // False: cancelled meanwhile.
    static asio::awaitable<bool> wait_for_release(std::shared_ptr<script> self)
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        while (self->locked(&script::holds)) {
            auto const why = co_await self->held.wait();
            if (why == woken::cancelled) {
                if (!self->locked(&script::deaf))
                    co_return false;
                // Cancelled once, a coroutine cannot wait any more; a fresh one can.
                auto again = wait_for_release(self);
                co_return co_await hop(self->home.executor(), std::move(again));
            }
        }
        co_return true;
    }
};

fake_token_source::fake_token_source(serial home) : script_(std::make_shared<script>(std::move(home))) {}

fake_token_source::~fake_token_source() = default;

token_ptr fake_token_source::token(std::string_view access, moment sent, duration lifetime)
{
    return std::make_shared<oauth2::token const>(secret(access), sent, lifetime);
}

void fake_token_source::will_give(result<token_ptr> answer)
{
    std::lock_guard const lock(script_->mutex);
    script_->answers.push_back(std::move(answer));
}

void fake_token_source::otherwise(std::function<result<token_ptr>(token_demand const&)> answer)
{
    std::lock_guard const lock(script_->mutex);
    script_->otherwise = std::move(answer);
}

void fake_token_source::hold()
{
    std::lock_guard const lock(script_->mutex);
    script_->holds = true;
}

void fake_token_source::release()
{
    {
        std::lock_guard const lock(script_->mutex);
        script_->holds = false;
    }
    script_->held.wake_all();
}

void fake_token_source::ignore_cancellation(bool yes)
{
    std::lock_guard const lock(script_->mutex);
    script_->deaf = yes;
}

std::size_t fake_token_source::calls() const { return script_->locked(&script::calls); }

asio::awaitable<result<token_ptr>> fake_token_source::get(token_demand demand)
{
    auto const self = script_;
    {
        std::lock_guard const lock(self->mutex);
        ++self->calls;
    }
    if (self->locked(&script::holds)) {
        bool const throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        auto waiting = script::wait_for_release(self);
        bool const released = co_await hop(self->home.executor(), std::move(waiting));
        co_await asio::this_coro::throw_if_cancelled(throws);
        if (!released)
            co_return failure(errc::cancelled, phase::token, delivery::not_sent,
                              "fake_token_source: cancelled while held");
    }
    co_return self->next(demand);
}

}  // namespace jeton::testing
