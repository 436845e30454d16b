// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/testing/fault.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <string_view>

namespace jeton::testing {

/// The faults that have been ordered for one kind of request, in their order.
class fault_orders {
public:
    void add(std::uint64_t id, fault what);
    void remove(std::uint64_t id);
    void clear();

    /// The one that this request meets, counted; null: none. Valid until the next change.
    fault const* next(std::string_view provider, std::string_view method, std::string_view path,
                      std::string_view protocol = "http/1.1");

    std::uint64_t struck(std::uint64_t id) const;
    bool empty() const noexcept { return orders_.empty(); }

private:
    struct order {
        std::uint64_t id;
        fault what;
    };
    std::list<order> orders_{};  // used up ones are taken out at the next call
    std::map<std::uint64_t, std::uint64_t> struck_{};
};

}  // namespace jeton::testing
