// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/error.hpp>
#include <jeton/base/result.hpp>

namespace jeton {

/// What becomes of those who still want something of a client that is at its end: nothing of theirs was sent.
inline failure has_been_shut_down(phase where)
{
    return {make_error_code(errc::shut_down), where, delivery::not_sent, "the client has been shut down"};
}

inline failure was_destroyed(phase where)
{
    return {make_error_code(errc::cancelled), where, delivery::not_sent, "the client was destroyed"};
}

}  // namespace jeton
