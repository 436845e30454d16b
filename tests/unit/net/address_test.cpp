// SPDX-License-Identifier: BSL-1.0
#include "net/sansio/address.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>

using namespace jeton::net;

namespace jeton::net {

std::ostream& operator<<(std::ostream& to, host_kind k) { return to << static_cast<int>(k); }

}  // namespace jeton::net

BOOST_AUTO_TEST_SUITE(net_address)

// L2
BOOST_AUTO_TEST_CASE(addresses_are_told_from_names)
{
    struct {
        char const* host;
        host_kind kind;
    } const table[] = {
        {"127.0.0.1", host_kind::ipv4},
        {"0.0.0.0", host_kind::ipv4},
        {"255.255.255.255", host_kind::ipv4},
        {"::", host_kind::ipv6},
        {"::1", host_kind::ipv6},
        {"1::", host_kind::ipv6},
        {"fe80::1%eth0", host_kind::ipv6},
        {"fe80::1%2", host_kind::ipv6},
        {"2001:db8:0:0:0:0:0:1", host_kind::ipv6},
        {"2001:DB8::a:b", host_kind::ipv6},
        {"::ffff:192.0.2.1", host_kind::ipv6},
        {"1:2:3:4:5:6:192.0.2.1", host_kind::ipv6},
        {"1:2:3:4:5:6:7::", host_kind::ipv6},
        {"localhost", host_kind::name},
        {"api.example", host_kind::name},
        {"api.example.", host_kind::name},
        {"xn--bcher-kva.example", host_kind::name},
        {"a_b.example", host_kind::name},
        {"1.2.3.4.example", host_kind::name},
        {"1e100.net", host_kind::name},
        {"0xg.a0", host_kind::name},
    };
    for (auto const& row : table)
        BOOST_TEST(kind_of(row.host) == row.kind, row.host);
}

// L2
BOOST_AUTO_TEST_CASE(what_only_looks_like_an_address_never_reaches_the_resolver)
{
    for (auto const* host : {"127.1",
                             "0x7f.1",
                             "0x7f000001",
                             "2130706433",
                             "127.0.0.01",
                             "0177.0.0.1",
                             "256.0.0.1",
                             "1.2.3",
                             "1.2.3.4.5",
                             "1.2.3.4.",
                             "a.0x",
                             "1..2",
                             ":",
                             ":::",
                             "1:2",
                             "1:2:3:4:5:6:7:8:9",
                             "1::2::3",
                             "::12345",
                             "1:2:3:4:5:6:7:8::",
                             "::1%",
                             "::1%a/b",
                             "::1%a%b",
                             ":1::",
                             "1:",
                             "::1.2.3.256",
                             "1:2:3:4:5:6:7:192.0.2.1",
                             "[::1]"})
        BOOST_TEST(kind_of(host) == host_kind::invalid, host);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_name_is_invalid)
{
    for (auto const* host : {"", ".", "..", ".example", "a..b", "a.b..", "a b", "a/b",
                             "b\xc3\xbc"
                             "cher.example",
                             "a\n", "*.example", "a:b"})
        BOOST_TEST(kind_of(host) == host_kind::invalid, host);
    BOOST_TEST(kind_of(std::string_view("a\0b.example", 11)) == host_kind::invalid);
    BOOST_TEST(kind_of(std::string(63, 'a') + ".example") == host_kind::name);
    BOOST_TEST(kind_of(std::string(64, 'a') + ".example") == host_kind::invalid);
    std::string long_name;
    while (long_name.size() < 250)
        long_name += "abcdefghi.";
    BOOST_TEST(kind_of(long_name + "abc") == host_kind::name);
    BOOST_TEST(kind_of(long_name + "abcd") == host_kind::invalid);
}

// M1
BOOST_AUTO_TEST_CASE(the_identity_is_the_host_without_one_final_dot_and_without_a_zone)
{
    BOOST_TEST(reference_identity("api.example") == "api.example");
    BOOST_TEST(reference_identity("api.example.") == "api.example");
    BOOST_TEST(reference_identity("192.0.2.1") == "192.0.2.1");
    BOOST_TEST(reference_identity("::1") == "::1");
    BOOST_TEST(reference_identity("fe80::1%eth0") == "fe80::1");
}

// M1
BOOST_AUTO_TEST_CASE(what_is_no_host_has_no_identity)
{
    for (auto const* host : {"", ".", "api.example..", ".api.example", "192.0.2.1."})
        BOOST_TEST(reference_identity(host).empty(), host);
}

BOOST_AUTO_TEST_SUITE_END()
