// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/headers.hpp>
#include <jeton/http/response.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace jeton::http {

/// Puts a response together in its one block: the only allocation if the size of the body is known, which the reader of
/// the connection fills directly.
///
///     start(...); { body_room(n) ... commit(k) | append(piece) }*; [trailers(...)]; finish()
class response_builder {
public:
    response_builder() = default;
    response_builder(response_builder&& other) noexcept;
    response_builder& operator=(response_builder&& other) noexcept;
    ~response_builder();

    /// \param head      the text that `fields` have their offsets in; copied
    /// \param expected  size of the body, if known; a limit must have been held against it already
    /// \param secret    the block is wiped before its memory is given back
    /// \throws std::bad_alloc, like everything that makes room
    void start(int status, std::string_view head, std::span<field_position const> fields,
               std::optional<std::uint64_t> expected, bool secret = false);
    bool started() const noexcept { return block_ != nullptr; }

    /// Room behind the body so far, at least `n` bytes large: all there is. Whoever expected the size right gets exactly what is left of it.
    std::span<char> body_room(std::size_t n);
    void commit(std::size_t n) noexcept;
    void append(std::string_view piece);
    std::size_t body_size() const noexcept;

    /// After the body.
    void trailers(std::string_view text, std::span<field_position const> fields);

    /// The response; the builder may start another one.
    response finish() noexcept;

    /// Drops what was begun.
    void reset() noexcept;

private:
    void reserve(std::size_t size);

    response::block* block_ = nullptr;
    std::size_t capacity_ = 0;  // of the block, its header included
};

/// What transports tell about how a response came about.
struct response_access {
    static exchange_info& info(response& r) noexcept { return r.info_; }

    /// It holds a secret: its block is overwritten when it dies.
    static void wipe_on_destroy(response& r) noexcept;
};

}  // namespace jeton::http
