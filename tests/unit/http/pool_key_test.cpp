// SPDX-License-Identifier: BSL-1.0
#include "http/pool_key.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <vector>

using namespace jeton;
using http::client_options;
using http::pool_key;

namespace {

pool_key key_of(http::origin to, client_options const& options)
{
    return {std::move(to), std::make_shared<http::connection_traits const>(http::traits_of(options))};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_pool_key)

BOOST_AUTO_TEST_CASE(whatever_makes_two_connections_unequal_makes_two_keys)
{
    // T7
    std::vector<pool_key> keys;
    keys.push_back(key_of({true, "a.example", 443}, {}));
    keys.push_back(key_of({false, "a.example", 443}, {}));
    keys.push_back(key_of({true, "b.example", 443}, {}));
    keys.push_back(key_of({true, "a.example", 444}, {}));
    for (auto const& change : std::vector<std::function<void(net::tls_options&)>>{
             [](auto& o) { o.ca_file = "x"; },
             [](auto& o) { o.ca_pem = "x"; },
             [](auto& o) { o.ca_pem = "y"; },
             [](auto& o) { o.alpn = {"h2"}; },
             [](auto& o) {
                 o.alpn = {"h2", "http/1.1"};
             },
             [](auto& o) {
                 o.alpn = {"http/1.1", "h2"};
             },
         }) {
        client_options options;
        change(options.tls);
        keys.push_back(key_of({true, "a.example", 443}, options));
    }
    for (std::size_t i = 0; i < keys.size(); ++i)
        for (std::size_t j = 0; j < keys.size(); ++j)
            BOOST_TEST((keys[i] == keys[j]) == (i == j));
}

BOOST_AUTO_TEST_CASE(equal_keys_have_equal_hashes_though_they_were_made_apart)
{
    client_options a;
    a.tls.ca_pem = "x";
    client_options b = a;
    b.queue *= 2;
    auto const one = key_of({true, "a.example", 443}, a);
    auto const other = key_of({true, "a.example", 443}, b);
    BOOST_TEST((one == other));
    BOOST_TEST(http::pool_key_hash()(one) == http::pool_key_hash()(other));
}

BOOST_AUTO_TEST_SUITE_END()
