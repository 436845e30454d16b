// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/client/provider.hpp>

namespace jeton {

/// DataCrunch, GPU cloud; since renamed Verda.
///
/// - Token request: JSON body, client id and secret in it. The answer holds an access token for an hour and a refresh
///   token, which gets the next one: `grant_type=refresh_token` without client id and secret. When that is answered 400
///   or 401, the client credentials are used again.
/// - API: https://api.datacrunch.io/v1, e.g. `GET /balance`. The same under its new name: https://api.verda.com/v1; set
///   `base_url` and `tokens.url` ("<base>/oauth2/token").
/// - Errors are `{"code", "message"}`; lists are arrays without pages; `POST /instances` answers a bare text.
/// - Credentials: DATACRUNCH_CLIENT_ID, DATACRUNCH_CLIENT_SECRET.
///
/// \throws std::invalid_argument  for staging: its URL is not published. Whoever knows it takes production's data and
///   sets `base_url` and `tokens.url`; a staging server of theirs is known to want `tokens.body` to be a form.
provider datacrunch(environment where = environment::production);

}  // namespace jeton
