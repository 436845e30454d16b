// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <system_error>

namespace jeton::net {

/// What can go wrong between two machines. Not one byte of a request has left when one of the
/// first group or of the certificate group is reported.
enum class errc {
    // Reaching the host.
    host_not_found = 1,  ///< the name does not exist, or has no address
    resolver_failed,     ///< the name could not be looked up just now
    refused,             ///< nobody listens there
    unreachable,         ///< no route to the host or its network
    no_descriptors,      ///< this process or machine is out of descriptors or ports
    connect_failed,      ///< TCP failed in another way

    // An established connection.
    reset,      ///< the peer, or something between, cut the connection
    closed,     ///< the peer closed in an orderly way
    truncated,  ///< the peer closed without a TLS close_notify: what was read may not be all (RFC 9112 §9.8)

    // Certificates (RFC 5280, RFC 9525, RFC 9325 §4.5). Verified before a byte of a request is written.
    certificate_expired,
    certificate_not_yet_valid,
    certificate_self_signed,
    certificate_issuer_unknown,  ///< the CA is not trusted, or the server did not send an intermediate certificate
    certificate_name,            ///< made out to another host (RFC 9525 §6); the common name never counts
    certificate_purpose,         ///< not for server authentication
    certificate_weak,            ///< signed with SHA-1 or MD5, or a key that is too short
    certificate_constraint,      ///< a name constraint of a CA is breached
    certificate_revoked,
    certificate_rejected,  ///< anything else that verification found

    // TLS itself.
    tls_protocol,  ///< the peer does not speak TLS, or no version and cipher in common (RFC 9325 §3, §4)
    tls_alert,     ///< the peer sent a fatal alert; `diag().peer_code` names it
    tls_alpn,      ///< the peer selected a protocol that was not offered (RFC 7301)
};

std::error_code make_error_code(errc e) noexcept;

}  // namespace jeton::net

template <>
struct std::is_error_code_enum<jeton::net::errc> : std::true_type {};
