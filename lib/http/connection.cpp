// SPDX-License-Identifier: BSL-1.0
#include "http/connection.hpp"

#include "http/h1_connection.hpp"
#include "http/h2_connection.hpp"

#include <utility>

namespace jeton::http {

std::shared_ptr<connection> make_connection(std::unique_ptr<net::stream> bytes, timekeeper& timers,
                                            answer_limits const& limits, std::uint32_t at_first)
{
    if (bytes->protocol() != "h2")
        return std::make_shared<h1_connection>(std::move(bytes), timers, limits);
    h2_limits how;
    how.answers = limits;
    how.before_settings = at_first;
    return std::make_shared<h2_connection>(std::move(bytes), timers, how);
}

}  // namespace jeton::http
