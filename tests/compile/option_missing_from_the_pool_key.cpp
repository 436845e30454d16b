// SPDX-License-Identifier: BSL-1.0
#include "http/pool_key.hpp"

#include <memory>
#include <string>
#include <vector>

// A TLS option was added, and nobody thought of the key: connections that differ by it would be taken for equal.
struct tls_options_with_one_more {
    std::string ca_file{};
    std::string ca_pem{};
    std::vector<std::string> alpn{"http/1.1"};
    std::shared_ptr<int> pin{};
};

static_assert(jeton::http::all_options_in_key<jeton::net::tls_options, 3>);  // right as it is
static_assert(jeton::http::all_options_in_key<tls_options_with_one_more, 3>);
