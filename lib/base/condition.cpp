// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/condition.hpp>

#include <asio/error.hpp>

#include <string>

namespace jeton {

namespace {

/// Whether it is one of these numbers of the operating system, in whichever of three categories: standalone Asio has one
/// of its own, which is neither `std::system_category()` nor maps most of its numbers to `std::errc`.
template <class... Numbers>
bool is(std::error_code code, Numbers... numbers)
{
    auto const& category = code.category();
    return (category == asio::system_category() || category == std::system_category()
            || category == std::generic_category())
           && ((code.value() == static_cast<int>(numbers)) || ...);
}

class condition_category final : public std::error_category {
public:
    char const* name() const noexcept override { return "jeton.condition"; }

    std::string message(int value) const override
    {
        switch (static_cast<cond>(value)) {
        case cond::cancelled: return "cancelled";
        case cond::timeout: return "timed out";
        case cond::transient: return "failed, may work later";
        case cond::credentials: return "credentials not accepted";
        case cond::malformed: return "peer broke the protocol";
        case cond::overloaded: return "too much is waiting";
        }
        return "unknown condition";
    }

    bool equivalent(std::error_code const& code, int value) const noexcept override
    {
        using enum std::errc;
        switch (static_cast<cond>(value)) {
        case cond::cancelled: return is(code, operation_canceled);
        case cond::timeout: return is(code, timed_out);
        case cond::overloaded:
            return is(code, too_many_files_open, too_many_files_open_in_system, no_buffer_space, not_enough_memory);
        case cond::transient:
            return equivalent(code, static_cast<int>(cond::timeout))
                   || equivalent(code, static_cast<int>(cond::overloaded))
                   || is(code, connection_refused, connection_reset, connection_aborted, broken_pipe, host_unreachable,
                         network_down, network_unreachable, network_reset)
                   || code == asio::error::eof || code == asio::error::host_not_found_try_again;
        case cond::credentials:
        case cond::malformed: return false;  // only the layers above have such codes
        }
        return false;
    }
};

}  // namespace

std::error_condition make_error_condition(cond c) noexcept
{
    static condition_category const category;
    return {static_cast<int>(c), category};
}

}  // namespace jeton
