// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/client/provider.hpp>

namespace jeton {

/// Alluvial, liquid staking. An authorization server of the Auth0 kind gives a JWT to the platform server.
///
/// - Token request: JSON body, client id and secret in it, and the `audience` of the environment, which is the URL of
///   its API. Tokens live a day; there is no refresh token: one is used until it expires, then the grant is made again.
/// - Token URL: https://auth.alluvial.finance/oauth/token for both environments. Some versions of its documentation
///   give staging a host of its own, https://auth.staging.alluvial.finance/oauth/token: set `tokens.url`.
/// - API: https://api.staging.alluvial.finance or https://api.alluvial.finance, e.g. `GET /eth/v0/status`. "If you
///   receive a 4xx response, check if your access token is expired": see `authorized`.
/// - Amounts are decimal strings beyond 2^64 (wei), other large integers come as strings: never read them through a
///   double.
/// - Credentials: ALLUVIAL_CLIENT_ID, ALLUVIAL_CLIENT_SECRET. No rate limit is documented.
provider alluvial(environment where);

}  // namespace jeton
