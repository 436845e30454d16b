// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/memory_stream.hpp>

#include "base/parking.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace jeton::testing {

namespace {

/// What goes one way.
struct pipe {
    std::string bytes{};
    std::size_t read = 0;   ///< how many of them have been
    std::error_code end{};  ///< read after the bytes; empty: the writer may still write
    bool held = false;
    std::size_t window = std::numeric_limits<std::size_t>::max();
    std::uint64_t written = 0;
    parking readers{};
    parking writers{};

    std::string_view unread() const noexcept { return std::string_view(bytes).substr(read); }
    bool readable() const noexcept { return !held && (!unread().empty() || end); }
    std::size_t room() const noexcept { return window > unread().size() ? window - unread().size() : 0; }

    void consume(std::size_t n) noexcept
    {
        read += n;
        if (read == bytes.size()) {
            bytes.clear();
            read = 0;
        }
        writers.wake_all();
    }
};

}  // namespace

struct memory_stream::wire {
    pipe from[2]{};  ///< from[side]: what that side writes
    bool closed[2]{};
    bool cut = false;
    std::size_t at_most = std::numeric_limits<std::size_t>::max();
    std::string protocol{};

    bool writable(int side) const noexcept
    {
        return cut || closed[side] || closed[1 - side] || from[side].end || from[side].room() != 0;
    }

    void tell_everybody()
    {
        for (auto& p : from) {
            p.readers.wake_all();
            p.writers.wake_all();
        }
    }
};

memory_stream::memory_stream(std::shared_ptr<wire> joined, int side) noexcept : wire_(std::move(joined)), side_(side) {}

memory_stream::~memory_stream() { close(); }

memory_stream::pair memory_stream::make_pair(asio::any_io_executor, std::string protocol)
{
    auto joined = std::make_shared<wire>();
    joined->protocol = std::move(protocol);
    pair both;
    both.first.reset(new memory_stream(joined, 0));
    both.second.reset(new memory_stream(joined, 1));
    return both;
}

std::string memory_stream::take()
{
    auto& in = wire_->from[1 - side_];
    std::string all(in.unread());
    in.consume(all.size());
    return all;
}

void memory_stream::put(std::string_view bytes)
{
    auto& out = wire_->from[side_];
    out.bytes.append(bytes);
    out.written += bytes.size();
    out.readers.wake_all();
}

void memory_stream::hold() { wire_->from[side_].held = true; }

void memory_stream::release()
{
    wire_->from[side_].held = false;
    wire_->from[side_].readers.wake_all();
}

void memory_stream::split(std::size_t at_most)
{
    wire_->at_most = at_most == 0 ? std::numeric_limits<std::size_t>::max() : at_most;
}

void memory_stream::window(std::size_t bytes)
{
    wire_->from[1 - side_].window = bytes;
    wire_->from[1 - side_].writers.wake_all();
}

void memory_stream::end(std::error_code how)
{
    if (!wire_->from[side_].end)
        wire_->from[side_].end = how;
    wire_->tell_everybody();
}

void memory_stream::reset()
{
    wire_->cut = true;
    for (auto& p : wire_->from)
        p.consume(p.unread().size());
    wire_->tell_everybody();
}

bool memory_stream::peer_closed() const noexcept { return wire_->closed[1 - side_]; }

net::stream::moved memory_stream::read_some(std::span<char> into) noexcept
{
    auto& in = wire_->from[1 - side_];
    if (wire_->closed[side_])
        return {.error = net::errc::closed};
    if (wire_->cut)
        return {.error = net::errc::reset};
    if (!in.readable())
        return {};
    auto const unread = in.unread();
    if (unread.empty())
        return {.error = in.end};
    auto const n = std::min({into.size(), unread.size(), wire_->at_most});
    std::memcpy(into.data(), unread.data(), n);
    in.consume(n);
    return {.bytes = n};
}

net::stream::moved memory_stream::write_some(std::string_view from) noexcept
{
    auto& out = wire_->from[side_];
    if (wire_->closed[side_] || out.end)
        return {.error = net::errc::closed};
    if (wire_->cut || wire_->closed[1 - side_])
        return {.error = net::errc::reset};
    auto const n = std::min({from.size(), out.room(), wire_->at_most});
    if (n == 0)
        return {};
    out.bytes.append(from.data(), n);
    out.written += n;
    out.readers.wake_all();
    return {.bytes = n};
}

net::awaitable<std::error_code> memory_stream::ready(direction d)
{
    // Kept here: the waiters' place must outlive both ends.
    auto const joined = wire_;
    auto const side = side_;
    auto& in = joined->from[1 - side];
    auto const possible =
        d == direction::read ? joined->cut || joined->closed[side] || in.readable() : joined->writable(side);
    if (possible)
        co_return std::error_code{};
    auto& place = d == direction::read ? in.readers : joined->from[side].writers;
    auto const why = co_await place.wait();
    if (why == woken::cancelled)
        co_return make_error_code(errc::cancelled);
    co_return std::error_code{};
}

void memory_stream::cancel() noexcept
{
    wire_->from[1 - side_].readers.wake_all(woken::cancelled);
    wire_->from[side_].writers.wake_all(woken::cancelled);
}

std::uint64_t memory_stream::bytes_sent() const noexcept { return wire_->from[side_].written; }

net::stream::silence memory_stream::check_silence() noexcept
{
    auto const& in = wire_->from[1 - side_];
    if (wire_->closed[side_] || wire_->cut)
        return silence::over;
    if (!in.readable())
        return silence::kept;
    return in.unread().empty() ? silence::over : silence::broken;
}

std::string_view memory_stream::protocol() const noexcept { return wire_->protocol; }

void memory_stream::close() noexcept
{
    if (std::exchange(wire_->closed[side_], true))
        return;
    if (!wire_->from[side_].end)
        wire_->from[side_].end = net::errc::closed;
    cancel();
    wire_->tell_everybody();
}

}  // namespace jeton::testing
