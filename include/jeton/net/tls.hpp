// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace jeton::net {

/// How servers are verified and what is offered to them. Peers are always verified; there is
/// no switch that turns it off. Lowest version TLS 1.2, no renegotiation, no compression, no
/// early data, AEAD suites with ephemeral keys only (RFC 9325 §3, §4).
struct tls_options {
    /// File of trusted CA certificates (PEM). Empty: the system's.
    std::string ca_file{};

    /// Trusted CA certificates as PEM text, instead of or in addition to `ca_file`. If either is given, the
    /// system's are not trusted.
    std::string ca_pem{};

    /// Protocols offered by ALPN, preferred first (RFC 7301). Not empty. A server that selects none is taken to speak
    /// HTTP/1.1, if that is among them.
    std::vector<std::string> alpn{"http/1.1"};

    friend bool operator==(tls_options const&, tls_options const&) = default;
};

}  // namespace jeton::net
