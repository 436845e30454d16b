// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "net/tcp_stream.hpp"
#include "net/tls_stream.hpp"
#include "testing/http_server.hpp"

#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace jeton::testing {

/// TCP that can be cut off without a word: TLS above it says its close_notify into the void.
class http_server::blunt_stream final : public net::stream {
public:
    explicit blunt_stream(asio::ip::tcp::socket connected)
        : descriptor_(connected.native_handle()), tcp_(std::move(connected))
    {}

    void mute() noexcept { muted_ = true; }

    /// The close to come is an RST.
    void make_abortive() noexcept
    {
        mute();
        linger const at_once{.l_onoff = 1, .l_linger = 0};
        // Once closed, the number may be somebody else's.
        if (descriptor_ >= 0)
            ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }

    moved read_some(std::span<char> into) noexcept override { return tcp_.read_some(into); }
    moved write_some(std::string_view from) noexcept override
    {
        return muted_ ? moved{.error = std::make_error_code(std::errc::broken_pipe)} : tcp_.write_some(from);
    }
    net::awaitable<std::error_code> ready(direction d) override { return tcp_.ready(d); }
    void cancel() noexcept override { tcp_.cancel(); }
    std::uint64_t bytes_sent() const noexcept override { return tcp_.bytes_sent(); }
    silence check_silence() noexcept override { return tcp_.check_silence(); }
    void release_buffers() noexcept override {}
    std::string_view protocol() const noexcept override { return {}; }
    void close() noexcept override
    {
        descriptor_ = -1;
        tcp_.close();
    }

private:
    int descriptor_;
    net::tcp_stream tcp_;
    bool muted_ = false;
};

/// One connection: its stream and its buffers, and, as a timer, the end of its patience with an idle client.
class http_server::connection final : public timer {
public:
    connection(asio::ip::tcp::socket accepted, std::shared_ptr<net::tls_context const> context, std::uint64_t n)
        : connection(std::make_unique<blunt_stream>(std::move(accepted)), std::move(context), n)
    {}

    void on_due() override { tls.close(); }

    std::string_view received() const noexcept { return {in.data() + begin, end - begin}; }

    /// Where the next bytes go. What has been received may move.
    std::span<char> room()
    {
        if (begin != 0 && end == in.size()) {
            std::memmove(in.data(), in.data() + begin, end - begin);
            end -= begin;
            begin = 0;
        }
        if (end == in.size())
            in.resize(2 * in.size());
        return {in.data() + end, in.size() - end};
    }

    void consume(std::size_t n) noexcept
    {
        begin += n;
        if (begin == end)
            begin = end = 0;
    }

    void reset() noexcept
    {
        lower.make_abortive();
        tls.close();
    }

    blunt_stream& lower;
    net::tls_stream tls;
    std::uint64_t number;
    std::vector<char> in = std::vector<char>(8192);
    std::size_t begin = 0;
    std::size_t end = 0;
    server_request request{};
    server_reply reply{};
    std::string wire{};
    h2_conversation* h2 = nullptr;  // while there is one

private:
    connection(std::unique_ptr<blunt_stream> below, std::shared_ptr<net::tls_context const> context, std::uint64_t n)
        : lower(*below), tls(std::move(below), std::move(context)), number(n)
    {}
};

}  // namespace jeton::testing
