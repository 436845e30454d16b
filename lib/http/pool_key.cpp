// SPDX-License-Identifier: BSL-1.0
#include "http/pool_key.hpp"

#include <functional>
#include <string_view>

namespace jeton::http {

static_assert(all_options_in_key<net::tls_options, 3>);

connection_traits traits_of(client_options const& options)
{
    // An option that has no place below belongs into the key if two connections can differ by it, and otherwise among
    // those that do not.
    auto const& [tls, protocol,                                         // in the key, the latter as tls.alpn
                 connecting, dialling, queue, first_byte, total,        // limits of waiting
                 idle, age, requests_per_connection, ready_per_origin,  // how long it is kept
                 connections, connections_per_origin, waiting_requests, answers, plain_http_on_loopback,  // limits
                 user_agent,                                                                              // of requests
                 time, watcher, connector] = options;
    return {.tls = tls};
}

std::size_t pool_key_hash::operator()(pool_key const& key) const noexcept
{
    auto const& [secure, host, port] = key.to;
    auto const& [tls] = *key.how;
    auto const& [ca_file, ca_pem, alpn] = tls;
    std::hash<std::string_view> const hash;
    auto all = hash(host) * 31 + port * 2u + (secure ? 1u : 0u);
    // Certificates are told apart by their size here, and as a whole when compared.
    all = all * 31 + hash(ca_file) + ca_pem.size();
    for (auto const& each : alpn)
        all = all * 31 + hash(each);
    return all;
}

}  // namespace jeton::http
