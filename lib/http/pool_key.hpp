// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/client.hpp>
#include <jeton/http/url.hpp>
#include <jeton/net/tls.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace jeton::http {

/// Those options of a client that make two connections to one origin unequal.
struct connection_traits {
    net::tls_options tls{};

    friend bool operator==(connection_traits const&, connection_traits const&) = default;
};

/// Looks at every option; one that was added since does not compile.
connection_traits traits_of(client_options const& options);

/// All that makes two connections unequal.
struct pool_key {
    origin to{};
    std::shared_ptr<connection_traits const> how{};  ///< compared by what it holds; not null

    friend bool operator==(pool_key const& a, pool_key const& b)
    {
        return a.to == b.to && (a.how == b.how || *a.how == *b.how);
    }
};

struct pool_key_hash {
    std::size_t operator()(pool_key const& key) const noexcept;
};

namespace detail {

struct any_option {
    template <class T>
    operator T() const;
};

template <class Options, std::size_t... Is>
constexpr bool made_of(std::index_sequence<Is...>)
{
    return requires { Options{(static_cast<void>(Is), any_option{})...}; };
}

// The number of members of an aggregate: as many as it can be made of.
template <class Options, std::size_t N = 0>
constexpr std::size_t count_options()
{
    if constexpr (made_of<Options>(std::make_index_sequence<N + 1>()))
        return count_options<Options, N + 1>();
    else
        return N;
}

}  // namespace detail

/// Whether `traits_of` and `pool_key_hash` were written for that many options.
template <class Options, std::size_t LookedAt>
concept all_options_in_key = detail::count_options<Options>()
== LookedAt;

}  // namespace jeton::http
