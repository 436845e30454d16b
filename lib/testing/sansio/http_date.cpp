// SPDX-License-Identifier: BSL-1.0
#include "testing/sansio/http_date.hpp"

#include <cstdio>

namespace jeton::testing {

std::string http_date(std::chrono::sys_seconds at)
{
    // strftime would speak the language of the locale.
    static constexpr char const* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr char const* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    auto const day = std::chrono::floor<std::chrono::days>(at);
    std::chrono::year_month_day const date(day);
    std::chrono::hh_mm_ss const time(at - day);
    char text[64];
    auto const size = std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                                    days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                                    months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                                    static_cast<int>(time.seconds().count()));
    return {text, static_cast<std::size_t>(size)};
}

}  // namespace jeton::testing
