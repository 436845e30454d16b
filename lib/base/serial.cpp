// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/serial.hpp>

#include <asio/io_context.hpp>
#include <asio/strand.hpp>

#include <utility>

namespace jeton {

serial::serial(asio::io_context& io) : executor_(io.get_executor()) {}

serial::serial(asio::any_io_executor any) : executor_(asio::make_strand(std::move(any))) {}

}  // namespace jeton
