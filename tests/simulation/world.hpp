// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "simulation/network.hpp"
#include "simulation/server.hpp"
#include "support/run.hpp"

#include <jeton/http/client.hpp>
#include <jeton/http/transport.hpp>
#include <jeton/testing/fake_token_source.hpp>
#include <jeton/testing/manual_clock.hpp>

#include <asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace jeton::testing {

/// What is done at some moment by somebody other than the network.
enum class deed : std::uint8_t {
    cancel,            ///< the caller cancels the latest request
    deadline,          ///< its deadline passes
    shut_down,         ///< of the client
    destroy,           ///< the client
    go_away,           ///< GOAWAY: streams that have begun are carried out
    go_away_refusing,  ///< GOAWAY: only those that have been
    refuse_streams,    ///< RST_STREAM, REFUSED_STREAM
    cancel_streams,    ///< RST_STREAM, CANCEL
    break_streams,     ///< RST_STREAM, INTERNAL_ERROR
};

std::string_view to_string(deed d) noexcept;

/// How a world is set up.
struct setting {
    bool h2 = false;
    bool tls = false;
    bool reused = false;   ///< the connection has carried a request before
    bool trickle = false;  ///< bytes come one by one
    std::size_t window = 0;
    duration think{};      ///< the server's
    int unauthorized = 0;  ///< so many requests are answered with 401

    std::string to_string() const;
};

/// All there is: a client with everything in front of it that users have, a network and a server, on one thread and one
/// clock that stands still while anything can be done. The same decisions give the same course of events, to the byte if
/// there is no TLS.
///
/// A turn is one handler of the executor, or one thing that the network does by itself, or a tick of the clock.
class world {
public:
    static constexpr duration tick = std::chrono::milliseconds(25);
    static constexpr duration patience = std::chrono::seconds(2);  ///< of every request

    explicit world(setting how);
    ~world();

    /// One request on its way, and everything that is known of it.
    struct call {
        std::string id{};
        bool money = false;   ///< a POST that must not be repeated
        bool begun = false;   ///< the client knows of it
        time_point latest{};  ///< when it must have ended
        std::optional<time_point> ended{};
        std::optional<started<result<http::response>>> run{};
    };
    call& get();
    call& post();
    call& send(http::request what, bool money);

    void commit(deed d);
    bool ended() const;  ///< every call

    bool turn();                          ///< \returns whether anything could be done without a tick
    void go_on(std::size_t ticks = 200);  ///< until every call has ended
    void finish();                        ///< calm, and shut down; nobody is left

    /// What is wrong; empty if nothing is. After `finish`.
    std::string judge() const;
    std::string judge(call const& c) const;

    // Points: counted from `arm()` on.
    void arm();
    std::size_t steps() const noexcept { return steps_; }
    std::size_t turns() const noexcept { return turns_; }
    std::function<mishap(network_step const&, std::size_t number)> at_step{};
    std::function<void(std::size_t number)> at_turn{};

    /// Everything that happened, in short: equal for equal courses.
    std::string const& course() const noexcept { return course_; }

    asio::io_context& io() noexcept { return *io_; }
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    std::optional<simulated_network> network{};
    std::optional<simulated_server> server{};
    std::deque<call> calls{};

private:
    class handle;
    static asio::awaitable<result<http::response>> run(world* self, call* c, http::request what);
    void note_ends();
    std::size_t taken_of(call const& c) const;

    setting how_;
    std::unique_ptr<asio::io_context> io_ = std::make_unique<asio::io_context>(1);
    std::shared_ptr<handle> client_{};
    std::shared_ptr<fake_token_source> tokens_{};
    std::shared_ptr<http::transport> api_{};
    std::optional<started<result<void>>> shut_down_{};
    std::string course_{};
    std::size_t steps_ = 0;
    std::size_t turns_ = 0;
    int token_ = 0;
    bool armed_ = false;
    bool out_of_work_ = false;
};

}  // namespace jeton::testing
