// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/net/stream.hpp>

#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace jeton::testing {

struct stream_calls {
    int writes = 0;
    int looks = 0;  ///< at its silence
};

/// Counts what would be system calls.
class counted_stream final : public net::stream {
public:
    counted_stream(std::unique_ptr<net::stream> of, std::shared_ptr<stream_calls> calls)
        : of_(std::move(of)), calls_(std::move(calls))
    {}
    moved read_some(std::span<char> into) noexcept override { return of_->read_some(into); }
    moved write_some(std::string_view from) noexcept override
    {
        ++calls_->writes;
        return of_->write_some(from);
    }
    net::awaitable<std::error_code> ready(direction d) override { return of_->ready(d); }
    void cancel() noexcept override { of_->cancel(); }
    std::uint64_t bytes_sent() const noexcept override { return of_->bytes_sent(); }
    silence check_silence() noexcept override
    {
        ++calls_->looks;
        return of_->check_silence();
    }
    void release_buffers() noexcept override { of_->release_buffers(); }
    std::string_view protocol() const noexcept override { return of_->protocol(); }
    void close() noexcept override { of_->close(); }

private:
    std::unique_ptr<net::stream> of_;
    std::shared_ptr<stream_calls> calls_;
};

}  // namespace jeton::testing
