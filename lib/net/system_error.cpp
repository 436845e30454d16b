// SPDX-License-Identifier: BSL-1.0
#include "net/system_error.hpp"

#include <jeton/base/error.hpp>
#include <jeton/net/error.hpp>

#include <asio/error.hpp>

#include <cerrno>

namespace jeton::net {

namespace {

std::error_code of_errno(int value, std::error_code otherwise) noexcept
{
    switch (value) {
    case 0: return {};
    case ECANCELED: return jeton::errc::cancelled;
    case ECONNREFUSED: return errc::refused;
    case ETIMEDOUT:  // the kernel gave up on SYNs that nobody answered
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN: return errc::unreachable;
    // EADDRNOTAVAIL is what connect() says when the ephemeral ports are used up.
    case EADDRNOTAVAIL:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return errc::no_descriptors;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED: return errc::reset;
    default: return otherwise;
    }
}

}  // namespace

std::error_code errc_of(std::error_code from, std::error_code otherwise) noexcept
{
    if (!from)
        return {};
    if (from == asio::error::eof)
        return errc::closed;
    if (from == asio::error::host_not_found || from == asio::error::no_data)
        return errc::host_not_found;
    if (from.category() == asio::error::get_netdb_category() || from.category() == asio::error::get_addrinfo_category())
        return errc::resolver_failed;
    // Standalone Asio has a system category of its own, unequal to the standard's.
    if (from.category() == asio::error::get_system_category() || from.category() == std::system_category())
        return of_errno(from.value(), otherwise);
    return otherwise;
}

std::error_code lost_or_cancelled(std::error_code from) noexcept
{
    if (!from)
        return {};
    if (from == asio::error::operation_aborted)
        return jeton::errc::cancelled;
    return errc::reset;
}

}  // namespace jeton::net
