// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/response.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace jeton::http {

/// The one allocation of a response:
///
///     block | positions of the fields | text of the head | body | [padding | positions of the trailers | their text]
///
/// Plain memory, so that it can grow in place.
struct response::block {
    std::uint32_t fields = 0;
    std::uint32_t head_size = 0;
    std::uint32_t trailers = 0;
    int status = 0;
    std::size_t body_size = 0;
    std::size_t trailers_at = 0;  ///< from the start of the block
    std::size_t used = 0;         ///< bytes in all
    bool secret = false;          ///< wiped before it is freed

    char* bytes() noexcept { return reinterpret_cast<char*>(this); }
    char const* bytes() const noexcept { return reinterpret_cast<char const*>(this); }
    char* positions() noexcept { return bytes() + sizeof(block); }
    char* head() noexcept { return positions() + fields * sizeof(field_position); }

    http::headers head_fields() const noexcept { return section(sizeof(block), fields); }
    http::headers trailer_fields() const noexcept { return section(trailers_at, trailers); }
    std::string_view body() const noexcept
    {
        return {bytes() + sizeof(block) + fields * sizeof(field_position) + head_size, body_size};
    }

    static constexpr std::size_t aligned(std::size_t offset) noexcept
    {
        return (offset + alignof(field_position) - 1) / alignof(field_position) * alignof(field_position);
    }
    static void destroy(block* b) noexcept;

private:
    http::headers section(std::size_t at, std::uint32_t count) const noexcept
    {
        auto const* const first = reinterpret_cast<field_position const*>(bytes() + at);
        return {reinterpret_cast<char const*>(first + count), {first, count}};
    }
};

static_assert(std::is_trivially_copyable_v<field_position>);

}  // namespace jeton::http
