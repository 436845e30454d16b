// SPDX-License-Identifier: BSL-1.0
#include <jeton/providers/alluvial.hpp>

namespace jeton {

provider alluvial(environment where)
{
    provider p;
    p.name = "alluvial";
    p.base_url =
        where == environment::staging ? "https://api.staging.alluvial.finance" : "https://api.alluvial.finance";
    p.tokens.url = "https://auth.alluvial.finance/oauth/token";
    p.tokens.body = oauth2::body_kind::json;
    p.tokens.auth = oauth2::client_auth::client_secret_post;
    p.tokens.parameters = {{"audience", p.base_url}};
    p.tokens.refresh = oauth2::refresh_use::never;
    p.variables = "ALLUVIAL";
    return p;
}

}  // namespace jeton
