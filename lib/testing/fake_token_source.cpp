// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/fake_token_source.hpp>

#include "testing/gate.hpp"

#include <deque>
#include <mutex>
#include <utility>

namespace jeton::testing {

using oauth2::token_demand;
using oauth2::token_ptr;

struct fake_token_source::script {
    explicit script(serial home) : hold(std::make_shared<gate>(std::move(home))) {}

    std::shared_ptr<gate> const hold;

    std::mutex mutex{};
    std::deque<result<token_ptr>> answers{};
    std::function<result<token_ptr>(token_demand const&)> otherwise{};
    std::size_t calls = 0;

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

void fake_token_source::hold() { script_->hold->hold(); }

void fake_token_source::release() { script_->hold->release(); }

void fake_token_source::ignore_cancellation(bool yes) { script_->hold->ignore_cancellation(yes); }

std::size_t fake_token_source::calls() const
{
    std::lock_guard const lock(script_->mutex);
    return script_->calls;
}

asio::awaitable<result<token_ptr>> fake_token_source::get(token_demand demand)
{
    auto const self = script_;
    {
        std::lock_guard const lock(self->mutex);
        ++self->calls;
    }
    if (self->hold->shut()) {
        bool const released = co_await gate::pass(self->hold);
        if (!released)
            co_return failure(errc::cancelled, phase::token, delivery::not_sent,
                              "fake_token_source: cancelled while held");
    }
    co_return self->next(demand);
}

}  // namespace jeton::testing
