// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace jeton {

/// Text that must not be printed and is wiped when it dies.
///
/// There is no conversion to a string, no `operator<<` and no copy: whoever needs the bytes
/// says `reveal()`, which makes every use greppable. Held in a vector because a moved-from
/// std::string may keep a short text in its own buffer, where nothing would wipe it.
///
/// Not synchronised; a const one may be read from any thread.
class secret {
public:
    secret() = default;
    explicit secret(std::string&& text);  ///< wipes `text`
    explicit secret(std::string_view text);
    explicit secret(char const* text) : secret(std::string_view(text)) {}
    secret(secret&& other) noexcept = default;
    secret& operator=(secret&& other) noexcept;
    secret(secret const&) = delete;
    secret& operator=(secret const&) = delete;
    ~secret();

    bool empty() const noexcept { return bytes_.empty(); }
    std::size_t size() const noexcept { return bytes_.size(); }
    std::string_view reveal() const noexcept { return {bytes_.data(), bytes_.size()}; }

    /// A second one with the same text; named, because every copy is one more to wipe.
    secret duplicate() const { return secret(reveal()); }

    /// Appends, without leaving a copy behind in memory that was outgrown.
    void append(std::string_view text);

    /// Compares in a time that does not depend on the contents.
    friend bool operator==(secret const& a, secret const& b) noexcept;

private:
    std::vector<char> bytes_{};
};

/// Overwrites memory that held a secret; not optimised away.
void wipe(void* bytes, std::size_t size) noexcept;
void wipe(std::string& text) noexcept;  ///< also empties it

}  // namespace jeton
