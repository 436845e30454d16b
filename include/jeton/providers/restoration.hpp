// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/client/provider.hpp>

#include <string>

namespace jeton {

/// The restoration dashboard, tree-planting orders.
///
/// - Token request: `POST <base_url>/authenticate`, a form with client id and secret, the only body that this endpoint
///   takes; everything else of the API is JSON. Tokens live an hour; the answer names no scope; there is no refresh
///   token.
/// - All resources lie under the account: `GET /accounts/{CLIENT_ID}/orders`, where jeton fills in `{CLIENT_ID}`.
/// - Pages: the answer's `nextPageToken`, if any, goes into the next request, with the query otherwise the same;
///   `pageSize` is 100 unless given, at most 300.
/// - `POST .../orders` is limited to 300 a minute. That a repeated `orderId` is harmless is not promised: such a
///   request is sent again only after a 401, which refused it unprocessed.
/// - Staging and production have credentials of their own, and new ones end the validity of the old.
/// - Credentials: RESTORATION_CLIENT_ID, RESTORATION_CLIENT_SECRET.
///
/// \param base_url  as the provider gave it for the environment; a slash at its end does not matter
provider restoration(std::string base_url);

}  // namespace jeton
