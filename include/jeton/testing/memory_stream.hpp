// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/net/error.hpp>
#include <jeton/net/stream.hpp>

#include <asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace jeton::testing {

/// One end of a connection that exists in memory only. What one end writes, the other reads.
///
/// The code under test owns one end as a `net::stream`, the test keeps the other and is its peer: it looks at what was
/// sent (`take`), answers (`put`), and makes the network misbehave (`hold`, `split`, `window`, `end`, `reset`). All of
/// these stay possible after the other end is gone.
///
/// Confined to one serial executor. Any number of waits may be outstanding. Nothing here takes time.
class memory_stream final : public net::stream {
public:
    struct pair;

    /// Two ends that are joined, for use on `executor`, a serial one. `protocol` is what both say was agreed upon by ALPN.
    static pair make_pair(asio::any_io_executor executor, std::string protocol = {});

    ~memory_stream() override;  ///< closes

    // The peer's part.

    /// Everything that the other end has sent and nobody has read.
    std::string take();

    /// Sends all of it, whatever the window.
    void put(std::string_view bytes);

    /// What this end sends is kept back from the other, its end included, until `release()`.
    void hold();
    void release();

    /// From now on one call of `read_some` or `write_some`, on either end, moves at most so many bytes. 0: no limit.
    void split(std::size_t at_most);

    /// How many unread bytes of the other end this end takes in before the other's writes would block. 0: it takes none.
    void window(std::size_t bytes);

    /// The other end reads what was sent before, and then `how`: `closed`, `truncated` or `reset`. Nothing more can be
    /// sent from here, but reading goes on.
    void end(std::error_code how = net::errc::closed);

    /// The network cuts the connection: both ends see `reset` at once, what was not read is lost.
    void reset();

    /// Whether the other end has been closed or destroyed.
    bool peer_closed() const noexcept;

    // net::stream
    moved read_some(std::span<char> into) noexcept override;
    moved write_some(std::string_view from) noexcept override;
    net::awaitable<std::error_code> ready(direction d) override;
    void cancel() noexcept override;
    std::uint64_t bytes_sent() const noexcept override;
    silence check_silence() noexcept override;
    void release_buffers() noexcept override {}
    std::string_view protocol() const noexcept override;
    void close() noexcept override;

private:
    struct wire;
    memory_stream(std::shared_ptr<wire> joined, int side) noexcept;

    std::shared_ptr<wire> wire_;
    int side_;
};

struct memory_stream::pair {
    std::unique_ptr<memory_stream> first{};
    std::unique_ptr<memory_stream> second{};
};

}  // namespace jeton::testing
