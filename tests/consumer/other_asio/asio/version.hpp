// SPDX-License-Identifier: BSL-1.0
#pragma once

// An Asio that says it is another one than the library was built with.
#include_next <asio/version.hpp>
#undef ASIO_VERSION
#define ASIO_VERSION 999999
