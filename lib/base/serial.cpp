// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/serial.hpp>

#include <asio/io_context.hpp>

namespace jeton {

serial::serial(asio::io_context& io) : executor_(io.get_executor()) {}

}  // namespace jeton
