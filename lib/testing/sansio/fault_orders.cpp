// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/fault_orders.hpp"

#include "testing/sansio/fault_access.hpp"

#include <algorithm>

namespace jeton::testing {

bool fault_access::matches(fault const& f, std::string_view provider, std::string_view method, std::string_view path,
                           std::string_view protocol)
{
    return is_for(f, protocol) && (f.provider_.empty() || f.provider_ == provider)
           && (f.method_.empty() || f.method_ == method) && (f.path_.empty() || f.path_ == path);
}

bool fault_access::refuses(fault const& f, std::uint32_t stream)
{
    using enum fault::last_stream;
    // A request is above every last stream before its own; 0 is before all.
    return f.unprocessed_
           || (f.go_away_ && stream != 0 && (f.go_away_->last == the_one_before || f.go_away_->last == none));
}

void fault_access::apply(fault const& f, server_reply& r)
{
    if (f.raw_) {
        r.raw = true;
        r.body = *f.raw_;
    } else if (f.status_) {
        r.status = *f.status_;
        r.body = f.body_;
        r.content_type = f.body_.starts_with('<') ? "text/html" : "application/json";
    }
    r.fields.append(f.fields_);

    if (!r.members.empty())
        for (auto const& [name, json] : f.members_) {
            auto const same =
                std::find_if(r.members.begin(), r.members.end(), [&](auto const& m) { return m.first == name; });
            if (!json)
                std::erase_if(r.members, [&](auto const& m) { return m.first == name; });
            else if (same == r.members.end())
                r.members.emplace_back(name, *json);
            else
                same->second = *json;
        }

    r.delay = saturating_add(time_point(r.delay), f.delay_).time_since_epoch();
    r.part = f.part_;
    r.ending = f.ending_;
    r.surplus = f.surplus_;
    r.reset_stream = f.reset_stream_;
    if (f.go_away_)
        r.go_away = {f.go_away_->code, f.go_away_->last};
    r.max_streams = f.max_streams_;
    r.no_window_updates = f.no_window_updates_;
}

void fault_orders::add(std::uint64_t id, fault what)
{
    orders_.push_back({id, std::move(what)});
    struck_[id] = 0;
}

void fault_orders::remove(std::uint64_t id)
{
    orders_.remove_if([&](order const& o) { return o.id == id; });
}

void fault_orders::clear() { orders_.clear(); }

fault const* fault_orders::next(std::string_view provider, std::string_view method, std::string_view path,
                                std::string_view protocol)
{
    orders_.remove_if([](order& o) { return fault_access::count(o.what) == 0; });
    for (auto& o : orders_) {
        if (!fault_access::matches(o.what, provider, method, path, protocol))
            continue;
        if (auto& spared = fault_access::spared(o.what); spared > 0) {
            --spared;
            continue;
        }
        if (auto& count = fault_access::count(o.what); count != fault_access::forever)
            --count;
        ++struck_[o.id];
        return &o.what;
    }
    return nullptr;
}

std::uint64_t fault_orders::struck(std::uint64_t id) const
{
    auto const found = struck_.find(id);
    return found == struck_.end() ? 0 : found->second;
}

}  // namespace jeton::testing
