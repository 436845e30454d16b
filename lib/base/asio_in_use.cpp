// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/asio_in_use.hpp>

static_assert(ASIO_VERSION >= 102201, "jeton needs Asio 1.22.1 or newer");

namespace jeton {

template <int version, class Frames>
void built_with_asio() noexcept
{}

template void built_with_asio<ASIO_VERSION, frames_in_use>() noexcept;

}  // namespace jeton
