// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace jeton::testing {

/// A client that says what it is told to, byte for byte, and shows what comes back: blocking, on OpenSSL alone, so that
/// a server is judged by something else than our own client. Trusts one CA; gives up after 5 s.
class wire_client {
public:
    /// \param protocol  to ask for by ALPN; empty: none
    /// \param before    whose TLS session is to be resumed, after something has been read from it; null: nobody's
    wire_client(std::uint16_t port, std::string const& ca_pem, std::string const& host = "localhost",
                std::string const& protocol = {}, wire_client const* before = nullptr);
    ~wire_client();
    wire_client(wire_client const&) = delete;
    wire_client& operator=(wire_client const&) = delete;

    bool connected() const noexcept { return connected_; }  ///< TCP, and TLS with the certificate verified

    /// What ALPN agreed upon; empty: nothing.
    std::string protocol() const;

    bool send(std::string_view bytes);

    /// Waits for more bytes. \returns false when none will come
    bool more();

    /// All that has come and was not given out.
    std::string take() { return std::exchange(received_, {}); }

    /// One answer, head and body by its Content-Length; what has come until the end if that is earlier.
    std::string answer();

    std::string ask(std::string_view bytes) { return send(bytes), answer(); }

    /// How the server ended the connection. Waits for it.
    enum class end { open, notified, truncated, reset };
    end how_it_ends();

private:
    int socket_ = -1;
    SSL_CTX* context_ = nullptr;
    SSL* ssl_ = nullptr;
    bool connected_ = false;
    std::string received_{};
    end end_ = end::open;
};

}  // namespace jeton::testing
