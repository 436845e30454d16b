// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/condition.hpp>
#include <jeton/base/error.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace jeton {

/// What a layer says of one of its codes: its name, a message, and the conditions that it answers to.
class error_row {
public:
    template <class Errc, class... Conditions>
    constexpr error_row(Errc code, char const* name, char const* message, Conditions... answered)
        : value_(static_cast<int>(code)), name_(name), message_(message), conditions_((0u | ... | bit(answered)))
    {}

    int value() const noexcept { return value_; }
    char const* name() const noexcept { return name_; }
    char const* message() const noexcept { return message_; }
    bool answers_to(cond c) const noexcept { return (conditions_ & bit(c)) != 0; }

private:
    static constexpr std::uint32_t bit(cond c) noexcept
    {
        return c < cond::cancelled || c > cond::overloaded ? 0U : std::uint32_t(1) << static_cast<unsigned>(c);
    }

    int value_;
    char const* name_;
    char const* message_;
    std::uint32_t conditions_;
};

/// The category of a layer's codes.
class error_table final : public std::error_category {
public:
    error_table(char const* layer, std::span<error_row const> rows) : layer_(layer), rows_(rows) {}

    char const* name() const noexcept override { return layer_; }
    std::string message(int value) const override;
    bool equivalent(int value, std::error_condition const& asked) const noexcept override;

    /// As it stands in the enum; empty if there is none with that value.
    std::string_view name_of(int value) const noexcept;

private:
    error_row const* find(int value) const noexcept;

    char const* layer_;
    std::span<error_row const> rows_;
};

}  // namespace jeton
