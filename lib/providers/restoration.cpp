// SPDX-License-Identifier: BSL-1.0
#include <jeton/providers/restoration.hpp>

#include <utility>

namespace jeton {

provider restoration(std::string base_url)
{
    while (base_url.ends_with('/'))
        base_url.pop_back();
    provider p;
    p.name = "restoration";
    p.base_url = std::move(base_url);
    if (!p.base_url.empty())
        p.tokens.url = p.base_url + "/authenticate";
    p.tokens.body = oauth2::body_kind::form;
    p.tokens.auth = oauth2::client_auth::client_secret_post;
    p.tokens.refresh = oauth2::refresh_use::never;
    p.variables = "RESTORATION";
    return p;
}

}  // namespace jeton
