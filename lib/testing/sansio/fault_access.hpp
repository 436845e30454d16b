// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testing/sansio/server_message.hpp"

#include <jeton/testing/fault.hpp>

#include <string_view>

namespace jeton::testing {

/// What the sandbox may know of a fault.
struct fault_access {
    static constexpr std::uint64_t forever = fault::forever;

    static std::uint64_t& count(fault& f) { return f.count_; }
    static std::uint64_t& spared(fault& f) { return f.spared_; }
    static bool matches(fault const& f, std::string_view provider, std::string_view method, std::string_view path,
                        std::string_view protocol);
    static bool is_for(fault const& f, std::string_view protocol)
    {
        return f.protocol_.empty() || f.protocol_ == protocol;
    }

    /// Whether the request is answered without being carried out.
    static bool replaces(fault const& f) { return f.status_ || f.raw_; }

    /// Whether it is not even answered: the client is told that nobody looked at it.
    static bool refuses(fault const& f, std::uint32_t stream);

    /// Spoils `r`, which is what would have been answered.
    static void apply(fault const& f, server_reply& r);
};

}  // namespace jeton::testing
