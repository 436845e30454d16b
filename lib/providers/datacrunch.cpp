// SPDX-License-Identifier: BSL-1.0
#include <jeton/providers/datacrunch.hpp>

#include <stdexcept>

namespace jeton {

provider datacrunch(environment where)
{
    if (where == environment::staging)
        throw std::invalid_argument("jeton: datacrunch: the URL of its staging environment is not published; "
                                    "take production's data and set base_url and tokens.url");
    provider p;
    p.name = "datacrunch";
    p.base_url = "https://api.datacrunch.io/v1";
    p.tokens.url = p.base_url + "/oauth2/token";
    p.tokens.body = oauth2::body_kind::json;
    p.tokens.auth = oauth2::client_auth::client_secret_post;
    p.tokens.refresh = oauth2::refresh_use::without_client;
    p.variables = "DATACRUNCH";
    return p;
}

}  // namespace jeton
