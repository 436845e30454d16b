// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/net/tls.hpp>

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::net {

class session_vault;

/// What all TLS connections of one configuration share. Loading the system's CA certificates takes tens of milliseconds: made once
/// per client, never per connection.
///
/// No environment variable and no configuration file of OpenSSL's has a say in it. May be used by any thread.
class tls_context {
public:
    /// \throws std::invalid_argument  `options` cannot be used: no ALPN protocol, a CA file that cannot be read or holds
    ///   no certificate. That the system has no CA certificates is not an error here; see `trusts_nobody()`.
    static std::shared_ptr<tls_context const> client(tls_options const& options);

    /// The other side, for servers that tests run. Takes the first of `alpn` that the client offers; if there is none,
    /// none is agreed upon.
    /// \throws std::invalid_argument  the certificates or the key cannot be used.
    static std::shared_ptr<tls_context> server(std::string_view chain_pem, std::string_view key_pem,
                                               std::vector<std::string> alpn = {});

    ~tls_context();
    tls_context(tls_context const&) = delete;
    tls_context& operator=(tls_context const&) = delete;

    SSL_CTX* native() const noexcept { return context_; }
    bool offers(std::string_view protocol) const noexcept;

    /// What servers have offered to resume; a client's only.
    session_vault& sessions() const noexcept { return *sessions_; }

    /// The system's CA certificates were to be trusted, and no file with any was found: every verification will fail.
    bool trusts_nobody() const noexcept { return trusts_nobody_; }

private:
    tls_context();

    SSL_CTX* context_;
    std::vector<std::string> alpn_{};
    std::string alpn_wire_{};  ///< as RFC 7301 §3.1 writes the list
    bool trusts_nobody_ = false;
    std::unique_ptr<session_vault> sessions_;
};

}  // namespace jeton::net
