// SPDX-License-Identifier: BSL-1.0
#include "simulation/network.hpp"

#include "base/parking.hpp"
#include "net/tls_stream.hpp"

#include <jeton/net/error.hpp>

#include <algorithm>
#include <utility>

namespace jeton::testing {

using namespace std::chrono_literals;
using step_kind = network_step::kind;

std::string_view to_string(mishap m) noexcept
{
    switch (m) {
    case mishap::none: return "none";
    case mishap::split: return "split";
    case mishap::trickle: return "trickle";
    case mishap::pause: return "pause";
    case mishap::stall: return "stall";
    case mishap::choke: return "choke";
    case mishap::lost: return "lost";
    case mishap::reset: return "reset";
    case mishap::reset_behind: return "reset_behind";
    case mishap::cut: return "cut";
    case mishap::half_close: return "half_close";
    case mishap::close: return "close";
    case mishap::close_behind: return "close_behind";
    }
    return "?";
}

std::string_view to_string(step_kind k) noexcept
{
    switch (k) {
    case step_kind::connect: return "connect";
    case step_kind::silence: return "silence";
    case step_kind::read: return "read";
    case step_kind::write: return "write";
    case step_kind::wait_read: return "wait_read";
    case step_kind::wait_write: return "wait_write";
    }
    return "?";
}

// One connection. Side 0 is the client's, as in a memory_stream's pair.
struct simulated_network::link {
    unsigned number = 0;
    memory_stream::pair ends{};
    parking writers[2]{};
    unsigned held[2]{};      // reasons why what that side sends is kept back
    unsigned refusing[2]{};  // reasons why that side's kernel takes nothing
    std::string taken{};
    bool client_alive = true;
    bool client_cut = false;
    bool server_closed = false;
    bool swallowing = false;  // the RST that answers it is under way

    memory_stream& side(int n) noexcept { return n == 0 ? *ends.first : *ends.second; }

    void hold(int n)
    {
        ++held[n];
        side(n).hold();
    }
    void release(int n)
    {
        if (held[n] != 0 && --held[n] == 0)
            side(n).release();
    }
    void refuse(int n) { ++refusing[n]; }
    void take_again(int n)
    {
        if (refusing[n] != 0 && --refusing[n] == 0)
            writers[n].wake_all();
    }
    void reset()
    {
        for (int n : {0, 1})
            side(n).reset();
        wake();
    }
    void close_server()
    {
        if (std::exchange(server_closed, true))
            return;
        // Linux: bytes that nobody has read turn the FIN into an RST.
        bool const unread = !ends.second->take().empty();
        ends.second->close();
        if (unread)
            reset();
        wake();
    }
    void wake()
    {
        for (auto& w : writers)
            w.wake_all();
    }
};

// One side's stream.
class simulated_network::end final : public net::stream {
public:
    end(simulated_network& of, std::shared_ptr<link> joined, int side) : net_(of), link_(std::move(joined)), side_(side)
    {}
    ~end() override
    {
        close();
        if (side_ == 0)
            link_->client_alive = false;
    }

    moved read_some(std::span<char> into) noexcept override
    {
        auto const fate = begin(step_kind::read);
        if (side_ == 0 && link_->client_cut)
            return {.error = net::errc::reset};
        auto const most = fate == mishap::split ? std::max<std::size_t>(1, into.size() / 2) : into.size();
        auto const m = inner().read_some(into.first(most));
        finish(fate);
        return m;
    }

    moved write_some(std::string_view from) noexcept override
    {
        auto const fate = begin(step_kind::write);
        if (side_ == 0 && link_->client_cut)
            return {.error = net::errc::reset};
        if (link_->refusing[side_] != 0)
            return {};
        if (fate == mishap::split)
            from = from.substr(0, std::max<std::size_t>(1, from.size() / 2));
        if (side_ == 0)
            from = from.substr(0, net_.quota_);
        moved m;
        if (side_ == 0 && link_->server_closed && !closed_ && !link_->swallowing) {
            // The kernel does not know yet.
            link_->swallowing = true;
            net_.later(0s, [at = link_] { at->reset(); });
            m.bytes = from.size();
        } else {
            m = inner().write_some(from);
        }
        sent_ += m.bytes;
        if (side_ == 0) {
            link_->taken.append(from.substr(0, m.bytes));
            if (net_.when_used_up_ && (net_.quota_ -= m.bytes) == 0) {
                net_.quota_ = SIZE_MAX;
                std::exchange(net_.when_used_up_, {})();
            }
        }
        finish(fate);
        return m;
    }

    net::awaitable<std::error_code> ready(direction d) override
    {
        auto const joined = link_;
        int const side = side_;
        bool const writing = d == direction::write;
        finish(begin(writing ? step_kind::wait_write : step_kind::wait_read));
        while (writing && joined->refusing[side] != 0 && !closed_) {
            auto const why = co_await joined->writers[side].wait();
            if (why == woken::cancelled)
                co_return make_error_code(errc::cancelled);
        }
        if (side == 0 && joined->client_cut)
            co_return std::error_code{};
        auto const error = co_await joined->side(side).ready(d);
        co_return error;
    }

    void cancel() noexcept override
    {
        inner().cancel();
        link_->writers[side_].wake_all(woken::cancelled);
    }

    std::uint64_t bytes_sent() const noexcept override { return sent_; }

    silence check_silence() noexcept override
    {
        finish(begin(step_kind::silence));
        return side_ == 0 && link_->client_cut ? silence::over : inner().check_silence();
    }

    void release_buffers() noexcept override {}
    std::string_view protocol() const noexcept override { return inner().protocol(); }

    void close() noexcept override
    {
        if (std::exchange(closed_, true))
            return;
        if (side_ == 1)
            link_->close_server();
        else
            inner().close();
        link_->writers[side_].wake_all(woken::cancelled);
    }

private:
    memory_stream& inner() const noexcept { return link_->side(side_); }

    mishap begin(step_kind what)
    {
        auto const fate = net_.step({.what = what, .at_server = side_ == 1, .connection = link_->number});
        switch (fate) {
        case mishap::reset_behind:
        case mishap::close_behind:
        case mishap::split: break;
        case mishap::pause:
        case mishap::stall: {
            auto const how_long = fate == mishap::pause ? 0s : duration(500ms);
            if (what == step_kind::write || what == step_kind::wait_write)
                net_.refuse_writes(*link_, side_, how_long);
            else
                net_.hold_back(*link_, 1 - side_, how_long);
            break;
        }
        default: net_.strike(*link_, fate); break;
        }
        return fate;
    }

    void finish(mishap fate)
    {
        if (fate == mishap::reset_behind)
            net_.strike(*link_, mishap::reset);
        else if (fate == mishap::close_behind)
            net_.strike(*link_, mishap::close);
    }

    simulated_network& net_;
    std::shared_ptr<link> link_;
    int side_;
    std::uint64_t sent_ = 0;
    bool closed_ = false;
};

simulated_network::simulated_network(asio::io_context& io, std::shared_ptr<manual_clock> time, options how)
    : io_(io), time_(std::move(time)), how_(std::move(how))
{}

simulated_network::~simulated_network() = default;

net::awaitable<result<net::connection>> simulated_network::connect(net::destination to)
{
    failure const cancelled(errc::cancelled, phase::connect, delivery::not_sent, "cancelled while connecting");
    auto const begun = time_->now();
    auto fate = step({.what = step_kind::connect, .connection = static_cast<unsigned>(links_.size())});
    if (fate == mishap::pause || fate == mishap::stall || fate == mishap::lost) {
        auto const arrival = std::make_shared<parking>();
        later(fate == mishap::pause   ? duration(0s)
              : fate == mishap::stall ? duration(500ms)
                                      : how_.limit,
              [arrival] { arrival->wake_all(); });
        auto const why = co_await arrival->wait();
        if (why == woken::cancelled)
            co_return cancelled;
        if (fate == mishap::lost)
            co_return failure(errc::timed_out, phase::connect, delivery::not_sent, "nobody answered");
        fate = mishap::none;
    }
    if (fate == mishap::reset || fate == mishap::reset_behind || fate == mishap::cut)
        co_return failure(net::errc::refused, phase::connect, delivery::not_sent, "nobody listens");

    auto const made = std::make_shared<link>();
    made->number = static_cast<unsigned>(links_.size());
    made->ends = memory_stream::make_pair(io_.get_executor(), how_.tls ? std::string() : how_.protocol);
    if (how_.trickle)
        made->ends.first->split(1);
    if (how_.window != 0)
        made->ends.second->window(how_.window);
    links_.push_back(made);
    std::unique_ptr<net::stream> ours = std::make_unique<end>(*this, made, 0);
    accepts_(std::make_unique<end>(*this, made, 1), made->number);
    if (fate != mishap::split)
        strike(*made, fate);
    net::connection done;
    done.connect = time_->now() - begun;
    if (how_.tls) {
        auto secure = std::make_shared<std::unique_ptr<net::tls_stream>>(
            std::make_unique<net::tls_stream>(std::move(ours), how_.tls, to.host()));
        later(how_.limit, [limited = std::weak_ptr(secure)] {
            if (auto const still = limited.lock(); still && *still)
                (*still)->close();
        });
        auto const shaken = co_await (*secure)->handshake();
        if (!shaken)
            co_return shaken.error();
        ours = std::move(*secure);
    }
    done.stream = std::move(ours);
    co_return result<net::connection>(std::move(done));
}

mishap simulated_network::step(network_step const& what) { return decides_ ? decides_(what) : mishap::none; }

void simulated_network::strike(mishap m)
{
    if (!links_.empty())
        strike(*links_.back(), m);
}

void simulated_network::strike(unsigned connection, mishap m) { strike(*links_.at(connection), m); }

void simulated_network::strike(link& at, mishap m)
{
    switch (m) {
    case mishap::none:
    case mishap::split: break;
    case mishap::trickle: at.ends.first->split(1); break;
    case mishap::pause: hold_back(at, 1, 0s); break;
    case mishap::stall: hold_back(at, 1, 500ms); break;
    case mishap::choke: at.refuse(0); break;
    case mishap::lost:
        at.hold(0);
        at.hold(1);
        break;
    case mishap::reset:
    case mishap::reset_behind: at.reset(); break;
    case mishap::cut:
        at.client_cut = true;
        at.ends.first->end(net::errc::reset);
        // Whoever waits on the client's side is to find out.
        at.ends.second->end(net::errc::reset);
        at.wake();
        break;
    case mishap::half_close: at.ends.second->end(); break;
    case mishap::close:
    case mishap::close_behind: at.close_server(); break;
    }
}

void simulated_network::hold_back(link& at, int side, duration how_long)
{
    at.hold(side);
    later(how_long, [kept = links_[at.number], side] { kept->release(side); });
}

void simulated_network::refuse_writes(link& at, int side, duration how_long)
{
    at.refuse(side);
    later(how_long, [kept = links_[at.number], side] { kept->take_again(side); });
}

void simulated_network::take_most(std::size_t bytes, std::function<void()> then)
{
    if (bytes == 0)
        return then();
    quota_ = bytes;
    when_used_up_ = std::move(then);
}

void simulated_network::later(duration after, std::function<void()> what)
{
    agenda_.emplace(saturating_add(time_->now(), after), std::move(what));
}

bool simulated_network::go_on()
{
    if (agenda_.empty() || agenda_.begin()->first > time_->now())
        return false;
    auto const what = std::move(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
    what();
    return true;
}

void simulated_network::calm()
{
    decides_ = {};
    quota_ = SIZE_MAX;
    when_used_up_ = {};
    for (auto const& at : links_)
        for (int side : {0, 1}) {
            while (at->held[side] != 0)
                at->release(side);
            while (at->refusing[side] != 0)
                at->take_again(side);
        }
}

std::size_t simulated_network::held_by_client() const noexcept
{
    return static_cast<std::size_t>(
        std::count_if(links_.begin(), links_.end(), [](auto const& at) { return at->client_alive; }));
}

std::string const& simulated_network::taken(unsigned connection) const { return links_.at(connection)->taken; }

}  // namespace jeton::testing
