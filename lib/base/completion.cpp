// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/completion.hpp>

#include "base/cancellable.hpp"

namespace jeton {

void stop_request::operator()(asio::cancellation_type type) const
{
    if (auto const one = whom_.lock())
        asio::dispatch(one->home(), [one, type] { one->stop(type); });
}

}  // namespace jeton
