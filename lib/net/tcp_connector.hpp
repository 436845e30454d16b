// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/timekeeper.hpp"

#include <jeton/base/serial.hpp>
#include <jeton/net/connector.hpp>
#include <jeton/net/tls.hpp>

#include <memory>

namespace jeton::net {

class tls_context;

/// Resolves, connects by TCP to one address after another, does the TLS handshake; each within its limit.
/// Used on `home` only. May be destroyed before the connections it made.
/// \throws std::invalid_argument  `tls` or `limits` cannot be used.
std::shared_ptr<connector> make_connector(serial home, std::shared_ptr<timekeeper> timers, tls_options tls = {},
                                          connect_limits limits = {});

/// The same over a TLS context that others use as well.
std::shared_ptr<connector> make_connector(serial home, std::shared_ptr<timekeeper> timers,
                                          std::shared_ptr<tls_context const> tls, connect_limits limits);

}  // namespace jeton::net
