// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What an application needs.

#include <jeton/client/async.hpp>
#include <jeton/client/client.hpp>
#include <jeton/providers/alluvial.hpp>
#include <jeton/providers/datacrunch.hpp>
#include <jeton/providers/restoration.hpp>
