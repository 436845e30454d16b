// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/request_log.hpp"

#include <algorithm>

namespace jeton::testing {

void request_tally::count(std::string_view method, std::string_view path, std::uint64_t body_hash, bool comparable)
{
    auto entry = methods_.find(method);
    if (entry == methods_.end())
        entry = methods_.emplace(std::string(method), of_method()).first;
    auto& of = entry->second;

    if (auto const known = of.paths.find(path); known != of.paths.end())
        ++known->second;
    else if (of.paths.size() < most_kinds)
        of.paths.emplace(std::string(path), 1);

    if (!comparable)
        return;
    auto const same = std::hash<std::string_view>()(path) * 1099511628211U ^ body_hash;
    if (of.bodies.size() < most_kinds || of.bodies.contains(same))
        of.most_repeated = std::max(of.most_repeated, ++of.bodies[same]);
}

std::uint64_t request_tally::seen(std::string_view method, std::string_view path) const
{
    auto const of = methods_.find(method);
    if (of == methods_.end())
        return 0;
    auto const known = of->second.paths.find(path);
    return known == of->second.paths.end() ? 0 : known->second;
}

std::uint64_t request_tally::most_repeated(std::string_view method) const
{
    auto const of = methods_.find(method);
    return of == methods_.end() ? 0 : of->second.most_repeated;
}

void request_tally::clear() { methods_.clear(); }

}  // namespace jeton::testing
