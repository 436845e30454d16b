// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/io_threads.hpp>
#include <jeton/net/connector.hpp>
#include <jeton/testing/memory_stream.hpp>

#include "unit/client/memory_server.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace jeton::testing {

/// What is at the other end of a sharded client's connections: on each of the threads a server in memory, which answers by
/// itself, with the number of the thread.
class shard_servers final : public net::connector, public std::enable_shared_from_this<shard_servers> {
public:
    explicit shard_servers(io_threads& threads) : threads_(threads), all_(threads.size()) {}

    asio::awaitable<result<net::connection>> connect(net::destination) override
    {
        auto self = shared_from_this();
        auto const where = co_await asio::this_coro::executor;
        auto const i = self->threads_.here();
        // Not checked by Boost.Test, which is not for several threads.
        if (!i || where != self->threads_.executor(*i))
            co_return failure(make_error_code(errc::unexpected), phase::connect, delivery::not_sent,
                              "not a shard's thread");
        auto pair = memory_stream::make_pair(where);
        net::connection made;
        made.stream = std::move(pair.first);
        ++self->all_[*i].connections;
        asio::co_spawn(where, serve(self, *i, std::move(pair.second)), asio::detached);
        co_return result<net::connection>(std::move(made));
    }

    int connections(std::size_t i) const { return all_[i].connections; }
    int open(std::size_t i) const { return all_[i].open; }
    int requests(std::size_t i) const { return all_[i].requests; }
    int held(std::size_t i) const { return all_[i].held; }
    int held() const
    {
        int n = 0;
        for (auto const& one : all_)
            n += one.held;
        return n;
    }
    int tokens() const { return tokens_; }

    void hold_requests(bool yes) { hold_requests_ = yes; }
    void hold_tokens(bool yes) { hold_tokens_ = yes; }

    /// Answers what is held.
    void release()
    {
        hold_requests_ = hold_tokens_ = false;
        for (std::size_t i = 0; i != all_.size(); ++i)
            threads_.execute(i, [self = shared_from_this(), i] {
                for (auto* const one : std::exchange(self->all_[i].owed, {}))
                    one->end->put(self->answer_to(one->target, i));
                self->all_[i].held = 0;
            });
    }

    /// Waits until that is so. What it looks at may change without the servers' noticing.
    template <class Predicate>
    void until(Predicate reached)
    {
        auto const limit = std::chrono::steady_clock::now() + std::chrono::minutes(2);
        while (!reached()) {
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < limit, "waited in vain");
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, std::chrono::milliseconds(2));
        }
    }

private:
    struct peer {
        std::unique_ptr<memory_stream> end{};
        std::string target{};
    };
    struct server {
        std::atomic<int> connections = 0, open = 0, requests = 0, held = 0;
        std::vector<peer*> owed{};  // on the thread
    };

    std::string answer_to(std::string const& target, std::size_t i)
    {
        if (target == "/base/authenticate")
            return memory_server::answer(200,
                                         "{\"access_token\":\"gold" + std::to_string(++tokens_)
                                             + "\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
                                         "Content-Type: application/json\r\nCache-Control: no-store\r\n");
        return memory_server::answer(200, std::to_string(i));
    }

    static asio::awaitable<void> serve(std::shared_ptr<shard_servers> self, std::size_t i,
                                       std::unique_ptr<memory_stream> end)
    {
        peer me;
        me.end = std::move(end);
        auto& mine = self->all_[i];
        ++mine.open;
        std::string text;
        while (!me.end->peer_closed()) {
            text += me.end->take();
            auto const head = text.find("\r\n\r\n");
            std::size_t size = 0;
            if (auto const at = text.find("Content-Length: "); at < head)
                size = std::stoul(text.substr(at + 16));
            if (head == std::string::npos || text.size() < head + 4 + size) {
                (void)co_await me.end->ready(net::stream::direction::read);
                continue;
            }
            auto const begin = text.find(' ') + 1;
            me.target = text.substr(begin, text.find(' ', begin) - begin);
            text.erase(0, head + 4 + size);
            ++mine.requests;
            bool const hold = me.target == "/base/authenticate" ? self->hold_tokens_ : self->hold_requests_;
            if (hold) {
                mine.owed.push_back(&me);
                ++mine.held;
            } else {
                me.end->put(self->answer_to(me.target, i));
            }
            self->changed_.notify_all();
        }
        std::erase(mine.owed, &me);
        --mine.open;
        self->changed_.notify_all();
    }

    io_threads& threads_;
    std::vector<server> all_;
    std::atomic<int> tokens_ = 0;
    std::atomic<bool> hold_requests_ = false, hold_tokens_ = false;
    std::mutex mutex_{};
    std::condition_variable changed_{};
};

}  // namespace jeton::testing
