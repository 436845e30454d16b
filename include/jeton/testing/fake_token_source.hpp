// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/serial.hpp>
#include <jeton/oauth2/token_source.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace jeton::testing {

/// A token_source that answers from a script, in order, and can be made to hang. Callable from any thread.
class fake_token_source final : public oauth2::token_source {
public:
    /// Callers who are made to wait do so on `home`.
    explicit fake_token_source(serial home);
    ~fake_token_source() override;

    /// A token as a server would have granted it.
    static oauth2::token_ptr token(std::string_view access, moment sent, duration lifetime);

    /// Queues the answer to the next unanswered `get`.
    void will_give(result<oauth2::token_ptr> answer);

    /// Asked when the queue is empty; without it, an unscripted `get` fails with `errc::misuse`. May throw, to play a
    /// source that breaks its contract.
    void otherwise(std::function<result<oauth2::token_ptr>(oauth2::token_demand const&)> answer);

    /// From now on `get` does not complete until `release`. Both are called on `home`, or while nothing runs.
    void hold();
    void release();

    /// A `get` that is held does not react to cancellation.
    void ignore_cancellation(bool yes = true);

    std::size_t calls() const;

    asio::awaitable<result<oauth2::token_ptr>> get(oauth2::token_demand demand) override;

private:
    struct script;
    std::shared_ptr<script> script_;
};

}  // namespace jeton::testing
