// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace jeton::net {

/// Bytes that were received together, handed on one TLS record at a time (RFC 8446 §5.1). OpenSSL reads ahead, which
/// saves a call for each record's header, but moves whatever lies behind a record to the front of its buffer: with a
/// hundred small records in a row that is most of the work. What ends with the record is never moved.
class record_feed {
public:
    /// Where to put bytes that are received, behind those that are there; empty if there is no memory.
    /// \pre  `take` has just had nothing
    std::span<char> room() noexcept;
    void commit(std::size_t received) noexcept { end_ += received; }

    /// Bytes of the record that is being handed on, at most `size`; 0 if more have to be received first.
    std::size_t take(char* into, std::size_t size) noexcept;

    /// How many bytes of that record have still to come. They may bypass this.
    std::size_t rest() const noexcept { return rest_; }
    void passed(std::size_t received) noexcept { rest_ -= received; }

    bool empty() const noexcept { return begin_ == end_; }

    /// Gives the memory back, if nothing is in it.
    void release() noexcept;

private:
    static constexpr std::size_t capacity = 8 * 1024;

    std::unique_ptr<char[]> bytes_{};
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t rest_ = 0;
};

}  // namespace jeton::net
