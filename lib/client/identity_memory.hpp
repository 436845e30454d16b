// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/client/credentials.hpp>

#include <memory>
#include <mutex>
#include <string>

namespace jeton {

/// The credentials of one client, and the id that was last read from them: `{CLIENT_ID}` is wanted for every path, but
/// a file should not be read for every request. The id is no secret; the key is not kept.
///
/// Callable from any thread.
class identity_memory {
public:
    explicit identity_memory(credentials who) : who_(std::make_shared<credentials const>(std::move(who))) {}

    /// Reads both anew: once for each token request.
    result<oauth2::client_identity> read();

    /// The id as it was read last; reads it if that has not happened.
    result<std::string> id();

    /// Reads both, and compares with what was read last for a token request. Nothing readable is no change.
    bool changed();

    /// Lets go of the credentials, which wipes what `credentials::from_value` holds unless there are other copies.
    void forget();

private:
    std::shared_ptr<credentials const> source();

    std::mutex mutex_{};
    std::shared_ptr<credentials const> who_;
    std::string id_{};
    std::string fingerprint_{};  // of the key; empty: it could not be read
};

}  // namespace jeton
