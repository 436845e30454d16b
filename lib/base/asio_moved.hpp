// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The completion tokens that Asio keeps in different places: in `asio::experimental` up to 1.22, in `asio` from 1.23 on,
/// and from 1.33 on nowhere else. Nothing outside this file names what newer versions have moved or removed, which
/// `tests/style/asio.cmake` checks.

#include <asio/version.hpp>

#if ASIO_VERSION >= 102300
#include <asio/append.hpp>
#include <asio/as_tuple.hpp>
#include <asio/deferred.hpp>
#else
#include <asio/experimental/append.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/deferred.hpp>
#endif

namespace jeton {

#if ASIO_VERSION >= 102300
using asio::append;
using asio::as_tuple;
using asio::deferred;
#else
using asio::experimental::append;
using asio::experimental::as_tuple;
using asio::experimental::deferred;
#endif

}  // namespace jeton
