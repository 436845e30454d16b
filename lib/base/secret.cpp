// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/secret.hpp>

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace jeton {

void wipe(void* bytes, std::size_t size) noexcept
{
    if (size != 0)
        OPENSSL_cleanse(bytes, size);
}

void wipe(std::string& text) noexcept
{
    // What was once behind the end may be a longer secret's tail. Growing to the capacity does not reallocate.
    text.resize(text.capacity());
    wipe(text.data(), text.size());
    text.clear();
}

namespace {

void wipe_all(std::vector<char>& bytes) noexcept
{
    bytes.resize(bytes.capacity());
    wipe(bytes.data(), bytes.size());
    bytes.clear();
}

}  // namespace

secret::secret(std::string&& text) : bytes_(text.begin(), text.end()) { wipe(text); }

secret::secret(std::string_view text) : bytes_(text.begin(), text.end()) {}

secret& secret::operator=(secret&& other) noexcept
{
    if (this != &other) {
        wipe_all(bytes_);
        bytes_ = std::move(other.bytes_);
    }
    return *this;
}

secret::~secret() { wipe_all(bytes_); }

void secret::append(std::string_view text)
{
    if (text.empty())
        return;
    auto const before = bytes_.size();
    if (bytes_.capacity() - before >= text.size()) {
        bytes_.resize(before + text.size());
        std::memcpy(bytes_.data() + before, text.data(), text.size());
        return;
    }
    // `text` may lie in the old memory, which is therefore the last to go.
    std::vector<char> grown;
    grown.reserve(std::max(before + text.size(), 2 * before));
    grown.insert(grown.end(), bytes_.begin(), bytes_.end());
    grown.insert(grown.end(), text.begin(), text.end());
    bytes_.swap(grown);
    wipe_all(grown);
}

bool operator==(secret const& a, secret const& b) noexcept
{
    return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.bytes_.data(), b.bytes_.data(), a.size()) == 0);
}

}  // namespace jeton
