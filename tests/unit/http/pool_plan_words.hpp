// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/sansio/pool_plan.hpp"

#include <chrono>
#include <cstdint>
#include <string>

// What a pool_plan says, in words.
namespace jeton::http::words {

using placing = pool_plan::placing::kind;
using doing = pool_plan::action::kind;

inline time_point at(jeton::duration t) { return time_point(std::chrono::hours(24)) + t; }

// "hand 0>2, dial 1, close 3, refuse 4"
inline std::string told(pool_plan::actions todo)
{
    std::string out;
    for (auto const& a : todo) {
        if (!out.empty())
            out += ", ";
        switch (a.what) {
        case doing::hand: out += "hand " + std::to_string(a.connection) + ">" + std::to_string(a.waiter); break;
        case doing::dial: out += "dial " + std::to_string(a.connection); break;
        case doing::close: out += "close " + std::to_string(a.connection); break;
        case doing::refuse: out += "refuse " + std::to_string(a.waiter); break;
        }
    }
    return out;
}

inline std::string told(pool_plan::placing const& p)
{
    switch (p.what) {
    case placing::use: return "use " + std::to_string(p.id);
    case placing::wait: return "wait " + std::to_string(p.id);
    case placing::full: return "full";
    case placing::refused: return "refused";
    case placing::closed: return "closed";
    }
    return "";
}

// A plan with connections 0 to n-1, idle; n-1 was used last.
inline pool_plan with_idle(std::uint32_t n, pool_plan::limits limits = {})
{
    pool_plan plan(limits);
    for (std::uint32_t i = 0; i < n; ++i)
        (void)plan.on_demand(at({}));
    for (std::uint32_t i = 0; i < n; ++i)
        (void)plan.on_dialled(i, at({}));
    for (std::uint32_t i = 0; i < n; ++i)
        (void)plan.on_released(i, at({}), true);
    return plan;
}

}  // namespace jeton::http::words
