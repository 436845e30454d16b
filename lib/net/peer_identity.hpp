// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

struct ssl_st;   // OpenSSL's SSL
struct x509_st;  // OpenSSL's X509

namespace jeton::net {

/// Whom a certificate has to be made out to, by the rules of RFC 9525 §6: only the names and addresses among the subject's
/// alternatives count, a wildcard is a whole left-most label.
class peer_identity {
public:
    /// Nobody: no certificate is made out to that.
    peer_identity() = default;

    /// \param host  a name, or an address without brackets; one that is neither is nobody
    explicit peer_identity(std::string_view host);

    /// Has the handshake hold the peer's certificate against it, and ask for it by name (RFC 6066 §3: names only).
    /// \returns false if it is nobody: verification must not be attempted then
    bool expect_from(ssl_st* handshake) const;

    /// Whether a certificate is made out to it.
    bool shown_by(x509_st* leaf) const;

private:
    std::string who_{};
    bool name_ = false;
};

}  // namespace jeton::net
