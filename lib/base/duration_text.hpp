// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <string>

namespace jeton {

/// "5 s", "1250 ms": for diagnostics.
inline std::string duration_text(duration d)
{
    auto const ms = std::chrono::round<std::chrono::milliseconds>(d).count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace jeton
