// SPDX-License-Identifier: BSL-1.0
#include "http/connection.hpp"

#include "http/h1_connection.hpp"

#include <utility>

namespace jeton::http {

std::shared_ptr<connection> make_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers,
                                            answer_limits const& limits)
{
    return std::make_shared<h1_connection>(std::move(bytes), timers, limits);
}

}  // namespace jeton::http
