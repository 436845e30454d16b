// SPDX-License-Identifier: BSL-1.0
#include "net/sansio/record_feed.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using jeton::net::record_feed;

namespace {

std::string record(std::size_t length, char fill = 'x')
{
    std::string bytes{'\x17', '\x03', '\x03', static_cast<char>(length >> 8), static_cast<char>(length & 0xff)};
    return bytes + std::string(length, fill);
}

void put(record_feed& feed, std::string_view bytes)
{
    auto const room = feed.room();
    BOOST_REQUIRE(room.size() >= bytes.size());
    std::copy(bytes.begin(), bytes.end(), room.begin());
    feed.commit(bytes.size());
}

std::string take(record_feed& feed, std::size_t size = 20'000)
{
    std::string bytes(size, '\0');
    bytes.resize(feed.take(bytes.data(), size));
    return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_record_feed)

BOOST_AUTO_TEST_CASE(what_came_together_is_handed_on_record_by_record)
{
    record_feed feed;
    BOOST_TEST(take(feed) == "");
    put(feed, record(3, 'a') + record(0) + record(700, 'b'));
    BOOST_TEST(take(feed) == record(3, 'a'));
    BOOST_TEST(take(feed) == record(0));
    BOOST_TEST(!feed.empty());
    BOOST_TEST(take(feed) == record(700, 'b'));
    BOOST_TEST(feed.empty());
    BOOST_TEST(take(feed) == "");
}

BOOST_AUTO_TEST_CASE(however_the_bytes_are_cut_they_arrive_in_order_and_no_piece_spans_two_records)
{
    std::string const all = record(1, 'a') + record(300, 'b') + record(5, 'c') + record(256, 'd');
    std::vector<std::size_t> const ends{6, 311, 321, 582};
    for (std::size_t piece = 1; piece != 40; ++piece) {
        for (std::size_t const room : {1u, 4u, 5u, 7u, 1000u}) {
            record_feed feed;
            std::string got;
            for (std::string_view left = all; !left.empty();) {
                put(feed, left.substr(0, piece));
                left.remove_prefix(std::min(piece, left.size()));
                for (auto bytes = take(feed, room); !bytes.empty(); bytes = take(feed, room)) {
                    for (auto const end : ends)
                        BOOST_TEST((got.size() >= end || got.size() + bytes.size() <= end));
                    got += bytes;
                }
            }
            BOOST_TEST(got == all);
        }
    }
}

BOOST_AUTO_TEST_CASE(less_than_a_header_is_kept)
{
    record_feed feed;
    auto const one = record(10);
    put(feed, one.substr(0, 4));
    BOOST_TEST(take(feed) == "");
    BOOST_TEST(!feed.empty());
    feed.release();
    put(feed, one.substr(4));
    BOOST_TEST(take(feed) == one);
}

BOOST_AUTO_TEST_CASE(the_rest_of_a_record_may_bypass_it)
{
    record_feed feed;
    auto const large = record(16'000, 'a');
    put(feed, large.substr(0, 8'000));
    BOOST_TEST(take(feed) == large.substr(0, 8'000));
    BOOST_TEST(feed.rest() == 8'005u);
    feed.passed(8'000);
    BOOST_TEST(feed.rest() == 5u);
    put(feed, large.substr(16'000) + record(2, 'b'));
    BOOST_TEST(take(feed) == large.substr(16'000));
    BOOST_TEST(take(feed) == record(2, 'b'));
}

BOOST_AUTO_TEST_CASE(memory_is_given_back_and_taken_again)
{
    record_feed feed;
    put(feed, record(1));
    (void)take(feed);
    feed.release();
    BOOST_TEST(feed.empty());
    put(feed, record(2));
    BOOST_TEST(take(feed) == record(2));
}

BOOST_AUTO_TEST_SUITE_END()
