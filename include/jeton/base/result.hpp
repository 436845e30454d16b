// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How jeton reports failure: one value type, `result<T>`, on every call that can fail.

#include <jeton/base/condition.hpp>
#include <jeton/base/error.hpp>
#include <jeton/base/time.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace jeton {

/// What an operation was doing when it failed, in the order in which a request goes through them.
enum class phase : std::uint8_t {
    none,        ///< belongs to no phase
    configure,   ///< looking at what the caller asked for
    token,       ///< waiting for an access token
    queue,       ///< waiting for a connection
    resolve,     ///< looking up the host's addresses
    connect,     ///< TCP handshake
    tls,         ///< TLS handshake
    write,       ///< sending the request
    first_byte,  ///< waiting for the answer to begin
    body,        ///< reading the answer
};

/// What is known about the server's having seen the request.
enum class delivery : std::uint8_t {
    not_sent,         ///< not one byte of it left, or the server said that it did not look at it
    maybe_processed,  ///< some of it left and no answer came: the server may have acted
    answered,         ///< an answer began to arrive: the server has acted, or refused
};

std::string_view to_string(phase p) noexcept;
std::string_view to_string(delivery d) noexcept;

/// What is known about a failure besides its code, split by who said it.
///
/// `ours` is written by jeton, holds no secret and is safe to log. The `peer_*` members came
/// off the wire: clipped, control characters escaped, untrusted.
struct diagnostics {
    std::string ours{};
    std::string peer_code{};  ///< e.g. `invalid_client` (RFC 6749 §5.2); at most 256 bytes
    std::string peer_text{};  ///< at most 1 KiB
    std::optional<std::uint16_t> http_status{};
    std::optional<std::chrono::seconds> retry_after{};  ///< as the server asked, RFC 9110 §10.2.3
    std::optional<time_point> retry_at{};               ///< when jeton itself will try again
};

/// Why an operation has no value to give. A small value: copies share the diagnostics.
/// Compare `code()` with a condition (`cond::transient`, `cond::cancelled`, ...) rather than with one exact code.
class [[nodiscard]] failure {
public:
    failure(std::error_code code, phase where, delivery state, diagnostics diag = {});
    failure(std::error_code code, phase where, delivery state, std::string ours);

    std::error_code code() const noexcept { return code_; }
    jeton::phase phase() const noexcept { return phase_; }
    jeton::delivery delivery() const noexcept { return delivery_; }
    diagnostics const& diag() const noexcept { return *diag_; }

    /// Whether sending the same request again cannot make the server act twice. The one
    /// question for whoever places orders: that an error is transient does not answer it.
    bool safe_to_resend() const noexcept { return delivery_ == jeton::delivery::not_sent; }

    /// The same failure, seen from where it did something else.
    failure with(jeton::phase where) const;
    failure with(jeton::delivery state) const;
    failure with(diagnostics diag) const;

    /// One line, safe to log: code, phase, delivery, and what jeton has to say. Nothing of the peer's text.
    std::string to_string() const;

private:
    std::error_code code_;
    jeton::phase phase_;
    jeton::delivery delivery_;
    std::shared_ptr<diagnostics const> diag_;
};

/// What `result<T>::value()` throws; carries the whole failure.
class error : public std::system_error {
public:
    explicit error(failure why);
    failure const& why() const noexcept { return why_; }

private:
    failure why_;
};

/// "No outcome": what a default-constructed result holds, since `asio::co_spawn` makes one
/// before it rethrows an exception.
failure no_outcome();

/// A value, or the reason there is none. The subset of `std::expected` (C++23) that jeton
/// needs, under the same names. Ignoring one is a warning (GCC 12 misses `co_await f();`).
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    result() : outcome_(no_outcome()) {}
    template <std::convertible_to<T> U = T>
    result(U&& value) : outcome_(std::in_place_index<0>, std::forward<U>(value))
    {}
    result(failure why) : outcome_(std::in_place_index<1>, std::move(why)) {}

    bool has_value() const noexcept { return outcome_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /// \throws jeton::error  there is no value.
    T& value() & { return check(), **this; }
    T const& value() const& { return check(), **this; }
    T value() && { return check(), std::move(**this); }

    /// \pre `has_value()`
    T& operator*() noexcept { return *std::get_if<0>(&outcome_); }
    T const& operator*() const noexcept { return *std::get_if<0>(&outcome_); }
    T* operator->() noexcept { return std::get_if<0>(&outcome_); }
    T const* operator->() const noexcept { return std::get_if<0>(&outcome_); }

    /// \pre `!has_value()`
    failure const& error() const noexcept { return *std::get_if<1>(&outcome_); }

private:
    void check() const
    {
        if (!has_value())
            throw jeton::error(error());
    }
    std::variant<T, failure> outcome_;
};

/// Success, or the reason there is none.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() = default;  ///< success
    result(failure why) : why_(std::move(why)) {}

    bool has_value() const noexcept { return !why_; }
    explicit operator bool() const noexcept { return has_value(); }

    /// \throws jeton::error  it failed.
    void value() const
    {
        if (why_)
            throw jeton::error(*why_);
    }

    /// \pre `!has_value()`
    failure const& error() const noexcept { return *why_; }

private:
    std::optional<failure> why_{};
};

}  // namespace jeton
