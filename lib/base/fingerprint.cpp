// SPDX-License-Identifier: BSL-1.0
#include "base/fingerprint.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>

namespace jeton {

std::string fingerprint_of(std::string_view secret_text)
{
    static auto const key = [] {
        std::array<unsigned char, 32> k{};
        RAND_bytes(k.data(), static_cast<int>(k.size()));
        return k;
    }();
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<unsigned char const*>(secret_text.data()), secret_text.size(), hash.data(), &size);
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i != 8; ++i) {
        text += digits[hash[i] >> 4];
        text += digits[hash[i] & 15];
    }
    return text;
}

}  // namespace jeton
