// SPDX-License-Identifier: BSL-1.0
#include "base/error_table.hpp"

#include <algorithm>

namespace jeton {

error_row const* error_table::find(int value) const noexcept
{
    auto const found = std::ranges::find(rows_, value, &error_row::value);
    return found == rows_.end() ? nullptr : &*found;
}

std::string error_table::message(int value) const
{
    auto const* const row = find(value);
    return row ? row->message() : "unknown error";
}

std::string_view error_table::name_of(int value) const noexcept
{
    auto const* const row = find(value);
    return row ? row->name() : std::string_view();
}

bool error_table::equivalent(int value, std::error_condition const& asked) const noexcept
{
    auto const* const row = find(value);
    if (row && asked.category() == make_error_condition(cond::cancelled).category())
        return row->answers_to(static_cast<cond>(asked.value()));
    // The standard's own words for the two things that it knows, too.
    if (row && asked == std::errc::operation_canceled)
        return row->answers_to(cond::cancelled);
    if (row && asked == std::errc::timed_out)
        return row->answers_to(cond::timeout);
    return default_error_condition(value) == asked;
}

}  // namespace jeton
