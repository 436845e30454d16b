// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A program and the library that it is linked with must have been compiled against the same Asio: both contain Asio's
/// inline functions, and the linker keeps either one's. Where they differ, it complains that a function
/// `jeton::built_with_asio<...>` is undefined, which names what the program was compiled against.

#include <asio/detail/config.hpp>
#include <asio/version.hpp>

namespace jeton {

// Where the frames of asio::awaitable come from. Asio 1.22 decides it by which standard headers happen to come first, unless
// ASIO_HAS_STD_ALIGNED_ALLOC is defined to 1 for every file, as the packages of jeton do.
struct frames_from_aligned_alloc;
struct frames_from_operator_new;

#if defined(ASIO_HAS_STD_ALIGNED_ALLOC)
using frames_in_use = frames_from_aligned_alloc;
#else
using frames_in_use = frames_from_operator_new;
#endif

/// In the library there is the one with the number (ASIO_VERSION) and the frames that it was built with. Does nothing.
template <int version, class Frames>
void built_with_asio() noexcept;

// Kept in every object file, called by none: the linker is the only one to look at it.
[[maybe_unused, gnu::used, gnu::retain]] constexpr auto* asio_in_use = &built_with_asio<ASIO_VERSION, frames_in_use>;

}  // namespace jeton
