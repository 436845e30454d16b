// SPDX-License-Identifier: BSL-1.0
#include "client/identity_memory.hpp"

#include <utility>

namespace jeton {

result<oauth2::client_identity> identity_memory::read()
{
    std::shared_ptr<credentials const> who;
    {
        std::lock_guard const lock(mutex_);
        who = who_;
    }
    if (!who)
        return failure(make_error_code(errc::shut_down), phase::token, delivery::not_sent,
                       "the client has been shut down");
    // Not under the lock: it may be a slow disk, or a function of the user's.
    auto got = who->read();
    if (got) {
        std::lock_guard const lock(mutex_);
        id_ = got->id;
    }
    return got;
}

result<std::string> identity_memory::id()
{
    {
        std::lock_guard const lock(mutex_);
        if (!id_.empty())
            return id_;
    }
    auto const got = read();
    if (!got)
        return got.error();
    return got->id;
}

void identity_memory::forget()
{
    std::shared_ptr<credentials const> who;
    std::lock_guard const lock(mutex_);
    who.swap(who_);
}

}  // namespace jeton
