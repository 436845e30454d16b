// SPDX-License-Identifier: BSL-1.0
#include <jeton/providers/by_name.hpp>

#include <jeton/providers/alluvial.hpp>
#include <jeton/providers/datacrunch.hpp>
#include <jeton/providers/restoration.hpp>

#include <utility>

namespace jeton {

std::optional<provider> provider_named(std::string_view name, environment where, std::string base_url)
{
    while (base_url.ends_with('/'))
        base_url.pop_back();
    if (name == "alluvial") {
        auto p = alluvial(where);
        if (!base_url.empty())
            p.base_url = std::move(base_url);
        return p;
    }
    if (name == "datacrunch") {
        auto p = datacrunch();
        if (!base_url.empty() || where == environment::staging) {
            p.tokens.url = base_url.empty() ? std::string() : base_url + "/oauth2/token";
            p.base_url = std::move(base_url);
        }
        return p;
    }
    if (name == "restoration")
        return restoration(std::move(base_url));
    return {};
}

std::vector<std::string_view> provider_names() { return {"alluvial", "datacrunch", "restoration"}; }

}  // namespace jeton
