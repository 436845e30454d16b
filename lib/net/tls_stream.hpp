// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "net/peer_identity.hpp"
#include "net/sansio/record_feed.hpp"
#include "net/tls_context.hpp"

#include <jeton/net/stream.hpp>

#include <memory>
#include <string>
#include <string_view>

struct ssl_session_st;  // OpenSSL's SSL_SESSION

namespace jeton::net {

/// TLS over another stream, by OpenSSL, which reads and writes the lower stream itself: no bytes are copied in between.
///
/// Any number of waits may be outstanding if the lower stream allows it.
///
/// A failed write ends writing only: what the peer said before can still be read, so that an answer which cut an upload
/// short is not lost (RFC 9112 §9.5). That holds for what had arrived by then; a reset discards what is still on its way,
/// and some systems (not Linux) also what has been received and not yet read.
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

    /// Before the handshake: lets it resume a session that was made under `key`, and keeps there what the server offers
    /// for the next time (RFC 8446 §2.2). Early data is never sent (§8).
    void resume_sessions_of(std::string key, wall_time now);
    bool resumed() const noexcept;

    /// Before the handshake: of what the context offers, offers only this application protocol (RFC 7301).
    /// \throws std::bad_alloc
    void offer_only(std::string protocol);

    moved read_some(std::span<char> into) noexcept override;
    moved write_some(std::string_view from) noexcept override;
    awaitable<std::error_code> ready(direction d) override;
    void when_readable(std::shared_ptr<watcher> who, asio::any_io_executor const& home) override;
    void cancel() noexcept override { lower_->cancel(); }
    std::uint64_t bytes_sent() const noexcept override { return lower_->bytes_sent(); }
    silence check_silence() noexcept override;
    void release_buffers() noexcept override;
    std::string_view protocol() const noexcept override { return protocol_; }
    void close() noexcept override;

    SSL* native() const noexcept { return ssl_; }

private:
    friend class tls_context;

    /// Which direction of the lower stream a direction of this one waits for.
    bool ready_at_once(direction d) const noexcept;
    enum class need : unsigned char { nothing, read, write };

    friend struct tls_bio;

    tls_stream(std::unique_ptr<stream> lower, std::shared_ptr<tls_context const> context, int);
    std::error_code outcome(int returned, need& waits) noexcept;
    std::error_code fatal() noexcept;
    failure why(std::error_code code) const;
    bool offered(std::string_view protocol) const noexcept;
    bool holds_bytes() const noexcept;
    static void on_info(SSL const* ssl, int where, int) noexcept;
    static int on_session(SSL* ssl, ssl_session_st* offered) noexcept;

    std::unique_ptr<stream> lower_;
    std::shared_ptr<tls_context const> context_;
    SSL* ssl_;
    record_feed feed_{};
    peer_identity peer_{};
    std::string session_key_{};     ///< empty: nothing is resumed or kept
    std::string offered_{};         ///< empty: what the context offers
    std::string_view protocol_{};   ///< lives in `ssl_`
    std::error_code read_error_{};  ///< of the lower stream
    std::error_code
        write_error_{};         ///< of the lower stream; OpenSSL takes it for "would block", so that it goes on reading
    std::error_code broken_{};  ///< after it, OpenSSL must not be called any more
    need reading_ = need::nothing;
    need writing_ = need::nothing;
    bool established_ = false;
    bool identity_set_ = false;
    unsigned chatter_ = 0;  ///< handshake messages since the last application data
    int alert_ = -1;        ///< the fatal alert that the peer sent
};

}  // namespace jeton::net
