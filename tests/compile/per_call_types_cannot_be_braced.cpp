// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/request.hpp>
#include <jeton/net/connector.hpp>
#include <jeton/oauth2/token.hpp>

#include <type_traits>

// GCC 12 destroys a braced aggregate twice when it is made inside a co_await expression. What is passed per call is made
// there, so none of it may be an aggregate.
static_assert(!std::is_aggregate_v<jeton::http::request>);
static_assert(!std::is_aggregate_v<jeton::net::destination>);
static_assert(!std::is_aggregate_v<jeton::oauth2::token_demand>);
