// SPDX-License-Identifier: BSL-1.0
#include "http/request_access.hpp"

#include "http/request_parts.hpp"

namespace jeton::http {

void request_access::resolve(request& r, std::shared_ptr<origin const> to, std::string target)
{
    if (r.target() != target)
        r.own().target = std::move(target);
    r.origin_ = std::move(to);
    r.base_path_ = {};
}

}  // namespace jeton::http
