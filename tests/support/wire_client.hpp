// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace jeton::testing {

/// A client that says what it is told to, byte for byte, and shows what comes back: blocking, on OpenSSL alone, so that
/// a server is judged by something else than our own client. Trusts one CA; gives up after 5 s.
class wire_client {
public:
    wire_client(std::uint16_t port, std::string const& ca_pem, std::string const& host = "localhost");
    ~wire_client();
    wire_client(wire_client const&) = delete;
    wire_client& operator=(wire_client const&) = delete;

    bool connected() const noexcept { return connected_; }  ///< TCP, and TLS with the certificate verified

    bool send(std::string_view bytes);

    /// One answer, head and body by its Content-Length; what has come until the end if that is earlier.
    std::string answer();

    std::string ask(std::string_view bytes) { return send(bytes), answer(); }

    /// How the server ended the connection. Waits for it.
    enum class end { open, notified, truncated, reset };
    end how_it_ends();

private:
    bool more();

    int socket_ = -1;
    SSL_CTX* context_ = nullptr;
    SSL* ssl_ = nullptr;
    bool connected_ = false;
    std::string received_{};
    end end_ = end::open;
};

}  // namespace jeton::testing
