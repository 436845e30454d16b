// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/error.hpp>

#include "base/error_table.hpp"

namespace jeton {

namespace {

using row = error_row;

constexpr row rows[] = {
    row(errc::cancelled, "cancelled", "cancelled by the caller", cond::cancelled),
    row(errc::timed_out, "timed_out", "timed out", cond::timeout, cond::transient),
    row(errc::shut_down, "shut_down", "the client has been shut down"),
    row(errc::misuse, "misuse", "the call was wrong"),
    row(errc::unexpected, "unexpected", "an exception came out of code that must not throw"),
};

}  // namespace

std::error_code make_error_code(errc e) noexcept
{
    static error_table const category("jeton", rows);
    return {static_cast<int>(e), category};
}

std::string error_name(std::error_code code)
{
    if (auto const* const table = dynamic_cast<error_table const*>(&code.category()))
        if (auto const name = table->name_of(code.value()); !name.empty())
            return std::string(table->name()) + '.' + std::string(name);
    return std::string(code.category().name()) + '.' + std::to_string(code.value());
}

}  // namespace jeton
