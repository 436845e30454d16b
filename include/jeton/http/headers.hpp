// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

namespace jeton::http {

/// One field of a message. Views into the message that it came from.
struct field {
    std::string_view name{};
    std::string_view value{};  ///< without surrounding blanks
};

/// Where a field lies in the text of a head. What the parser makes, and `headers` reads.
struct field_position {
    std::uint32_t name = 0;   ///< offset
    std::uint32_t value = 0;  ///< offset
    std::uint32_t value_size = 0;
    std::uint16_t name_size = 0;
};

/// Names compare without regard to case (RFC 9110 §5.1).
bool same_field_name(std::string_view a, std::string_view b) noexcept;

/// tchar+ (RFC 9110 §5.6.2): what a field name or a method may consist of.
bool is_token(std::string_view text) noexcept;

/// VCHAR, obs-text, SP and HTAB, not blank at either end (RFC 9110 §5.5).
bool is_field_value(std::string_view text) noexcept;

/// The fields of a message in the order in which they came. A view: valid as long as the message.
class headers {
public:
    headers() = default;
    headers(char const* text, std::span<field_position const> fields) : text_(text), fields_(fields) {}

    std::size_t size() const noexcept { return fields_.size(); }
    field operator[](std::size_t i) const noexcept;

    /// The first one with that name.
    std::optional<std::string_view> find(std::string_view name) const noexcept;
    std::size_t count(std::string_view name) const noexcept;

    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = field;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = field;

        iterator() = default;
        iterator(headers const* of, std::size_t at) : of_(of), at_(at) {}
        field operator*() const noexcept { return (*of_)[at_]; }
        iterator& operator++() noexcept { return ++at_, *this; }
        iterator operator++(int) noexcept { return {of_, at_++}; }
        friend bool operator==(iterator const& a, iterator const& b) noexcept { return a.at_ == b.at_; }

    private:
        headers const* of_ = nullptr;
        std::size_t at_ = 0;
    };
    iterator begin() const noexcept { return {this, 0}; }
    iterator end() const noexcept { return {this, size()}; }

private:
    char const* text_ = nullptr;
    std::span<field_position const> fields_{};
};

}  // namespace jeton::http
