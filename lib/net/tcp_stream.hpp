// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/net/stream.hpp>

#include <asio/ip/tcp.hpp>

namespace jeton::net {

/// The bytes of a TCP connection. Any number of waits may be outstanding.
///
/// A peer from which nothing comes any more, not even acknowledgements, is noticed by the kernel within 20 s, and shows itself as
/// `errc::reset`: 15 s after what was sent first and not acknowledged, or 16 s after the last packet if nothing is on its way.
class tcp_stream final : public stream {
public:
    /// \param connected  is made non-blocking and is not to delay small segments (TCP_NODELAY)
    explicit tcp_stream(asio::ip::tcp::socket connected);
    ~tcp_stream() override;

    moved read_some(std::span<char> into) noexcept override;
    moved write_some(std::string_view from) noexcept override;
    awaitable<std::error_code> ready(direction d) override;
    void when_readable(std::shared_ptr<watcher> who, asio::any_io_executor const& home) override;
    void cancel() noexcept override;
    std::uint64_t bytes_sent() const noexcept override { return sent_; }
    silence check_silence() noexcept override;
    void release_buffers() noexcept override {}
    std::string_view protocol() const noexcept override { return {}; }
    void close() noexcept override;

private:
    asio::ip::tcp::socket socket_;
    int descriptor_;  ///< -1: closed
    std::uint64_t sent_ = 0;
};

}  // namespace jeton::net
