// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/net/connector.hpp>
#include <jeton/testing/memory_stream.hpp>

#include "support/run.hpp"

#include <charconv>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton::testing {

/// What is at the other end of every connection of a client under test: HTTP/1.1 in memory, one answer after another.
class memory_server final : public net::connector {
public:
    struct asked {
        std::string host{};
        std::string method{};
        std::string target{};
        std::string head{};
        std::string body{};

        std::string header(std::string_view name) const
        {
            auto const at = head.find("\r\n" + std::string(name) + ": ");
            if (at == std::string::npos)
                return {};
            auto const begin = at + name.size() + 4;
            return head.substr(begin, head.find("\r\n", begin) - begin);
        }
    };

    /// The answer's status line, fields and body; empty: none comes.
    using handler = std::function<std::string(asked const&)>;

    explicit memory_server(asio::io_context& io) : io_(io) {}

    static std::string answer(int status, std::string_view body, std::string_view fields = {})
    {
        return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(fields)
               + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    }

    void answers(handler how) { answer_ = std::move(how); }

    asio::awaitable<result<net::connection>> connect(net::destination to) override
    {
        auto pair = memory_stream::make_pair(io_.get_executor());
        net::connection made;
        made.stream = std::move(pair.first);
        peers_.push_back({to.host(), std::move(pair.second), {}});
        co_return result<net::connection>(std::move(made));
    }

    /// Lets client and server go on until nothing moves any more.
    void settle()
    {
        do {
            testing::settle(io_);
        } while (serve());
    }

    std::vector<asked> const& requests() const noexcept { return requests_; }
    std::size_t connections() const noexcept { return peers_.size(); }
    std::size_t open() const noexcept
    {
        std::size_t n = 0;
        for (auto const& p : peers_)
            n += !p.end->peer_closed();
        return n;
    }

    /// Answers what was left without an answer.
    void answer_late(std::string const& text)
    {
        for (auto& p : peers_)
            if (std::exchange(p.owes, false))
                p.end->put(text);
    }

private:
    struct peer {
        std::string host{};
        std::unique_ptr<memory_stream> end{};
        std::string text{};
        bool owes = false;
    };

    bool serve()
    {
        bool moved = false;
        for (std::size_t i = 0; i != peers_.size(); ++i) {
            auto& p = peers_[i];
            p.text += p.end->take();
            auto const head_size = p.text.find("\r\n\r\n");
            if (head_size == std::string::npos)
                continue;
            asked what;
            what.host = p.host;
            what.head = p.text.substr(0, head_size + 2);
            std::size_t size = 0;
            auto const length = what.header("Content-Length");
            std::from_chars(length.data(), length.data() + length.size(), size);
            if (p.text.size() < head_size + 4 + size)
                continue;
            what.body = p.text.substr(head_size + 4, size);
            what.method = what.head.substr(0, what.head.find(' '));
            auto const target_at = what.method.size() + 1;
            what.target = what.head.substr(target_at, what.head.find(' ', target_at) - target_at);
            p.text.erase(0, head_size + 4 + size);
            requests_.push_back(what);
            auto const text = answer_(what);
            p.owes = text.empty();
            if (!p.owes)
                p.end->put(text);
            moved = true;
        }
        return moved;
    }

    asio::io_context& io_;
    handler answer_{};
    std::vector<peer> peers_{};
    std::vector<asked> requests_{};
};

}  // namespace jeton::testing
