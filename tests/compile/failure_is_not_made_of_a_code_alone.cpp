// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/result.hpp>

// Phase and delivery are not to be forgotten.
jeton::result<int> without_phase_and_delivery() { return make_error_code(jeton::errc::timed_out); }
