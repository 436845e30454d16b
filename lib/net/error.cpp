// SPDX-License-Identifier: BSL-1.0
#include <jeton/net/error.hpp>

#include "base/error_table.hpp"

namespace jeton::net {

namespace {

using row = error_row;

constexpr row rows[] = {
    row(errc::host_not_found, "host_not_found", "host not found"),
    row(errc::resolver_failed, "resolver_failed", "the name could not be looked up", cond::transient),
    row(errc::refused, "refused", "connection refused", cond::transient),
    row(errc::unreachable, "unreachable", "host unreachable", cond::transient),
    row(errc::no_descriptors, "no_descriptors", "out of descriptors or ports", cond::transient),
    row(errc::connect_failed, "connect_failed", "connection failed", cond::transient),
    row(errc::reset, "reset", "connection reset", cond::transient),
    row(errc::closed, "closed", "connection closed by peer", cond::transient),
    row(errc::truncated, "truncated", "connection cut without TLS close_notify", cond::transient),
    row(errc::certificate_expired, "certificate_expired", "certificate has expired"),
    row(errc::certificate_not_yet_valid, "certificate_not_yet_valid", "certificate is not yet valid"),
    row(errc::certificate_self_signed, "certificate_self_signed", "certificate is self-signed"),
    row(errc::certificate_issuer_unknown, "certificate_issuer_unknown", "issuer of the certificate is unknown"),
    row(errc::certificate_name, "certificate_name", "certificate is for another host"),
    row(errc::certificate_purpose, "certificate_purpose", "certificate is not for server authentication"),
    row(errc::certificate_weak, "certificate_weak", "certificate uses weak cryptography"),
    row(errc::certificate_constraint, "certificate_constraint", "certificate breaches a name constraint"),
    row(errc::certificate_revoked, "certificate_revoked", "certificate has been revoked"),
    row(errc::certificate_rejected, "certificate_rejected", "certificate rejected"),
    row(errc::tls_protocol, "tls_protocol", "no TLS with this peer", cond::malformed),
    row(errc::tls_alert, "tls_alert", "fatal TLS alert from peer"),
    row(errc::tls_alpn, "tls_alpn", "peer selected a protocol that was not offered", cond::malformed),
};

}  // namespace

std::error_code make_error_code(errc e) noexcept
{
    static error_table const category("jeton.net", rows);
    return {static_cast<int>(e), category};
}

}  // namespace jeton::net
