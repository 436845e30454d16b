// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace jeton::net {

/// What stands in the host part of a URL.
enum class host_kind {
    invalid,  ///< can be neither looked up nor verified
    name,     ///< a DNS name
    ipv4,     ///< four decimal numbers (RFC 3986 §3.2.2)
    ipv6,     ///< without brackets, with a zone perhaps (RFC 4007 §11)
};

/// \param host  without brackets
///
/// A name that ends in a number is invalid: it would reach getaddrinfo(), which takes `127.1`, `0x7f.1` and `2130706433`
/// for addresses that nobody who looked at the URL saw.
host_kind kind_of(std::string_view host) noexcept;

/// Whom the certificate has to be made out to: the host, a name without the dot that may end it (RFC 9525 §6.3: once),
/// an address without its zone. Empty if the host is invalid; verification must not be attempted with that.
std::string reference_identity(std::string_view host);

}  // namespace jeton::net
