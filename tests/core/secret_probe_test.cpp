// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/sandbox.hpp>

#include "support/peer.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

using namespace jeton;
using namespace jeton::testing;

namespace {

std::string masked_hex(std::string_view text)
{
    static char const digits[] = "0123456789abcdef";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(static_cast<unsigned char>(c) ^ 0x5a);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_secret_probe)

BOOST_AUTO_TEST_CASE(no_secret_is_left_in_memory_after_shut_down)
{
    sandbox world;
    scratch_folder folder;
    auto const identity = world.identity_of("datacrunch");
    auto const server = world.datacrunch();
    world.write_ca_file(folder / "ca.pem");
    write_file(folder / "secret", identity.key.reveal());
    std::filesystem::permissions(folder / "secret",
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

    BOOST_CHECK_NO_THROW(
        run_program({JETON_SECRET_PROBE, server.base_url, server.tokens.url, (folder / "ca.pem").string(), identity.id,
                     (folder / "secret").string(), masked_hex(identity.key.reveal())},
                    folder / "output"));
    BOOST_TEST_MESSAGE(read_file(folder / "output"));
}

BOOST_AUTO_TEST_SUITE_END()
