// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/parking.hpp"
#include "support/counted_stream.hpp"
#include "support/run.hpp"

#include <jeton/http/client.hpp>
#include <jeton/net/error.hpp>
#include <jeton/testing/manual_clock.hpp>
#include <jeton/testing/memory_stream.hpp>

#include <boost/test/unit_test.hpp>

#include <asio/io_context.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A client whose servers are played by the test.
namespace jeton::testing {

using http::request;
using http::response;
using namespace std::chrono_literals;

// Dials end when the test says so. Keeps the servers' ends of the connections.
struct switchboard final : net::connector {
    explicit switchboard(asio::io_context& c) : io(c) {}

    net::awaitable<result<net::connection>> connect(net::destination to) override
    {
        hosts.push_back(to.host());
        if (throws)
            throw std::runtime_error("out of order");
        ++dialling;
        auto why = woken::signalled;
        if (hold)
            why = co_await place.wait();
        --dialling;
        if (why == woken::cancelled)
            co_return failure(jeton::errc::cancelled, phase::connect, delivery::not_sent, "");
        if (fail)
            co_return failure(net::errc::refused, phase::connect, delivery::not_sent, "nobody listens at a.example");
        auto ends = memory_stream::make_pair(io.get_executor());
        peers.push_back(std::move(ends.second));
        net::connection made;
        made.stream = std::make_unique<counted_stream>(std::move(ends.first), calls);
        made.connect = 3ms;
        made.tls = 4ms;
        co_return made;
    }

    asio::io_context& io;
    parking place{};
    bool hold = false;
    bool fail = false;
    bool throws = false;
    int dialling = 0;
    std::shared_ptr<stream_calls> calls = std::make_shared<stream_calls>();
    std::vector<std::string> hosts{};
    std::deque<std::unique_ptr<memory_stream>> peers{};
};

struct log final : observer {
    void on(happening const& what) override
    {
        if (auto const* gone = std::get_if<happenings::disconnected>(&what))
            said += "disconnected " + gone->reason + ";";
        else if (std::get_if<happenings::connected>(&what))
            said += "connected;";
        else if (std::get_if<happenings::connect_failed>(&what))
            said += "failed;";
        throw std::runtime_error("an observer's mistake stays its own");
    }
    std::string said{};
};

inline constexpr std::string_view hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

struct scene {
    scene()
    {
        options.time = clock;
        options.connector = board;
        options.watcher = seen;
    }
    ~scene()
    {
        client.reset();
        settle(io);
    }

    http::client& api()
    {
        if (!client)
            client.emplace(serial(io), options);
        return *client;
    }
    using sent = started<result<response>>;
    sent* send(request r = request::get("https://a.example/x?secret=1"))
    {
        all.push_back(std::make_unique<sent>(io, api().send(std::move(r))));
        settle(io);
        return all.back().get();
    }
    void answer(std::size_t peer, std::string_view what = hello)
    {
        board->peers.at(peer)->put(what);
        settle(io);
    }
    // Leaves a connection idle.
    void warm()
    {
        auto one = send();
        answer(board->peers.size() - 1);
        BOOST_REQUIRE(one->done());
    }
    void pass(duration by)
    {
        clock->advance(by);
        settle(io);
    }

    asio::io_context io{1};
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    std::shared_ptr<switchboard> board = std::make_shared<switchboard>(io);
    std::shared_ptr<log> seen = std::make_shared<log>();
    http::client_options options{};
    std::vector<std::unique_ptr<sent>> all{};  // outlive what they wait for
    std::optional<http::client> client{};
};

}  // namespace jeton::testing
