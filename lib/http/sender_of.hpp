// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/stage.hpp"

#include <jeton/http/client.hpp>

namespace jeton::http {

/// What sends the requests of that client. Once the client is gone it refuses them.
std::shared_ptr<sender> sender_of(client const& of);

}  // namespace jeton::http
