// SPDX-License-Identifier: BSL-1.0
#include "client/identity_memory.hpp"

#include "base/ended.hpp"
#include "base/fingerprint.hpp"

#include <utility>

namespace jeton {

std::shared_ptr<credentials const> identity_memory::source()
{
    std::lock_guard const lock(mutex_);
    return who_;
}

// Neither reads under the lock: it may be a slow disk, or a function of the user's.

result<oauth2::client_identity> identity_memory::read()
{
    auto const who = source();
    if (!who)
        return has_been_shut_down(phase::token);
    auto got = who->read();
    auto fingerprint = got ? fingerprint_of(got->key.reveal()) : std::string();
    std::lock_guard const lock(mutex_);
    if (got)
        id_ = got->id;
    fingerprint_ = std::move(fingerprint);
    return got;
}

bool identity_memory::changed()
{
    auto const who = source();
    if (!who)
        return false;
    auto const got = who->read();
    if (!got)
        return false;
    auto const fingerprint = fingerprint_of(got->key.reveal());
    std::lock_guard const lock(mutex_);
    return got->id != id_ || fingerprint != fingerprint_;
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
