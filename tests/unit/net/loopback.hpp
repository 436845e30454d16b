// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/timekeeper.hpp"
#include "support/run.hpp"

#include <jeton/base/serial.hpp>
#include <jeton/testing/manual_clock.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace jeton::testing {

/// A listener on the loopback interface, and a clock that stands still. The kernel's part takes real time, so there is
/// something to wait for here: `until` does, and gives up after ten seconds.
struct loopback {
    using tcp = asio::ip::tcp;

    template <class Done>
    bool until(Done done)
    {
        auto const give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!done()) {
            if (std::chrono::steady_clock::now() > give_up)
                return false;
            io.restart();
            io.run_one_for(std::chrono::milliseconds(10));
        }
        return true;
    }

    std::uint16_t port() const { return listener.local_endpoint().port(); }

    /// The connection that a client has made, or is about to.
    tcp::socket accept()
    {
        tcp::socket made(io);
        listener.accept(made);
        return made;
    }

    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    asio::io_context io{1};
    std::shared_ptr<timekeeper> timers = std::make_shared<timekeeper>(serial(io), clock);
    tcp::acceptor listener{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

}  // namespace jeton::testing
