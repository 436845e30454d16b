// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "net/tls_context.hpp"

#include <jeton/net/stream.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace jeton::net {

/// TLS over another stream, by OpenSSL, which reads and writes the lower stream itself: no bytes are copied in between.
///
/// Any number of waits may be outstanding if the lower stream allows it.
class tls_stream final : public stream {
public:
    /// The client's side. `handshake()` verifies that the peer is `host` (a name, or an address without brackets).
    /// \throws std::bad_alloc
    tls_stream(std::unique_ptr<stream> lower, std::shared_ptr<tls_context const> context, std::string_view host);

    /// The server's side, for tests.
    /// \throws std::bad_alloc
    tls_stream(std::unique_ptr<stream> lower, std::shared_ptr<tls_context const> context);

    ~tls_stream() override;  ///< closes

    /// To be done once, first. Not one byte of application data leaves before it has succeeded.
    /// Fails in phase `tls` with a `net::errc`, or `cond::cancelled`. `close()` ends it with the latter.
    /// The stream must outlive it.
    awaitable<result<void>> handshake();

    moved read_some(std::span<char> into) noexcept override;
    moved write_some(std::string_view from) noexcept override;
    awaitable<std::error_code> ready(direction d) override;
    void cancel() noexcept override { lower_->cancel(); }
    std::uint64_t bytes_sent() const noexcept override { return lower_->bytes_sent(); }
    silence check_silence() noexcept override;
    void release_buffers() noexcept override;
    std::string_view protocol() const noexcept override { return protocol_; }
    void close() noexcept override;

    SSL* native() const noexcept { return ssl_; }

private:
    /// Which direction of the lower stream a direction of this one waits for.
    enum class need : unsigned char { nothing, read, write };

    friend struct tls_bio;

    tls_stream(std::unique_ptr<stream> lower, std::shared_ptr<tls_context const> context, int);
    std::error_code outcome(int returned, need& waits) noexcept;
    std::error_code fatal() noexcept;
    failure why(std::error_code code) const;
    bool expect(std::string_view host);
    static void on_info(SSL const* ssl, int where, int) noexcept;

    std::unique_ptr<stream> lower_;
    std::shared_ptr<tls_context const> context_;
    SSL* ssl_;
    std::string_view protocol_{};    ///< lives in `ssl_`
    std::error_code lower_error_{};  ///< what the lower stream said last, if it was not "would block"
    std::error_code broken_{};       ///< after it, OpenSSL must not be called any more
    need reading_ = need::nothing;
    need writing_ = need::nothing;
    bool established_ = false;
    bool identity_set_ = false;
    unsigned chatter_ = 0;  ///< handshake messages since the last application data
    int alert_ = -1;        ///< the fatal alert that the peer sent
};

}  // namespace jeton::net
