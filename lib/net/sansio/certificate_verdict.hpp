// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/net/error.hpp>

namespace jeton::net {

/// What a verdict of OpenSSL's chain verification (an X509_V_ERR_*, not X509_V_OK) is called here.
errc certificate_verdict(int verify_error) noexcept;

}  // namespace jeton::net
