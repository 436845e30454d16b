// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "net/tls_context.hpp"

#include <jeton/net/connector.hpp>
#include <jeton/testing/manual_clock.hpp>
#include <jeton/testing/memory_stream.hpp>

#include <asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::testing {

/// What a network does to one step of somebody's I/O, or to the connection at that moment.
enum class mishap : std::uint8_t {
    none,
    split,         ///< half of the bytes
    trickle,       ///< from now on one byte at a time, both ways
    pause,         ///< not in this turn
    stall,         ///< not for half a second
    choke,         ///< the client's kernel takes nothing any more
    lost,          ///< nothing arrives any more, either way, and nobody is told
    reset,         ///< both ends see a reset, and what was under way is lost
    reset_behind,  ///< as `reset`, when the step has been carried out
    cut,           ///< the client sees a reset at once, the server reads what had been sent first
    half_close,    ///< FIN from the server, which goes on reading
    close,  ///< the server's socket is closed: FIN, and whatever it has not read and what comes later calls for RST
    close_behind,  ///< as `close`, when the step has been carried out
};

std::string_view to_string(mishap m) noexcept;

/// A call that one side makes of its stream, or a connection attempt.
struct network_step {
    enum class kind : std::uint8_t { connect, silence, read, write, wait_read, wait_write };
    kind what = kind::connect;
    bool at_server = false;
    unsigned connection = 0;  ///< from 0
};

std::string_view to_string(network_step::kind k) noexcept;

/// A network in memory: `memory_stream` pairs, and one who decides at each step of either side what becomes of it. It
/// behaves as TCP does where that matters: what a kernel has taken need not arrive, the first write after the peer has
/// closed succeeds, and what is under way when a connection is reset is lost.
///
/// All on one thread. Time is the clock's; what takes time happens when `go_on()` finds that it is due.
class simulated_network final : public net::connector {
public:
    class end;
    struct link;

    struct options {
        std::string protocol{};                    ///< what the streams say was agreed upon, without TLS
        std::size_t window = 0;                    ///< how many bytes may be under way to the server; 0: any number
        bool trickle = false;                      ///< every connection moves one byte at a time
        duration limit = std::chrono::seconds(5);  ///< of a connection attempt
        std::shared_ptr<net::tls_context const> tls{};
    };

    simulated_network(asio::io_context& io, std::shared_ptr<manual_clock> time, options how);
    ~simulated_network() override;

    /// Asked at every step. Anything may be done in there but ask the network.
    void decides(std::function<mishap(network_step const&)> who) { decides_ = std::move(who); }

    /// Is given the server's end of each connection.
    void accepts(std::function<void(std::unique_ptr<net::stream>, unsigned connection)> who)
    {
        accepts_ = std::move(who);
    }

    net::awaitable<result<net::connection>> connect(net::destination to) override;

    /// To the latest connection, between two steps.
    void strike(mishap m);
    void strike(unsigned connection, mishap m);

    /// The client's kernels take so many bytes more, all connections together, and then `then` happens, once.
    void take_most(std::size_t bytes, std::function<void()> then);

    /// Has something done after a while.
    void later(duration after, std::function<void()> what);

    /// Does one thing that is due. \returns whether there was any
    bool go_on();

    /// No more mishaps: what is held back goes through.
    void calm();

    std::size_t connections() const noexcept { return links_.size(); }  ///< since the beginning
    std::size_t held_by_client() const noexcept;                        ///< streams that it has not destroyed

    /// Everything that the client's kernel has taken, whether it arrived or not.
    std::string const& taken(unsigned connection) const;

private:
    mishap step(network_step const& what);
    void strike(link& at, mishap m);
    void hold_back(link& at, int side, duration how_long);
    void refuse_writes(link& at, int side, duration how_long);

    asio::io_context& io_;
    std::shared_ptr<manual_clock> time_;
    options how_;
    std::function<mishap(network_step const&)> decides_{};
    std::function<void(std::unique_ptr<net::stream>, unsigned)> accepts_{};
    std::vector<std::shared_ptr<link>> links_{};
    std::size_t quota_ = SIZE_MAX;
    std::function<void()> when_used_up_{};
    std::multimap<time_point, std::function<void()>> agenda_{};
};

}  // namespace jeton::testing
