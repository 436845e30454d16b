// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>
#include <jeton/oauth2/token.hpp>

#include <asio/awaitable.hpp>

namespace jeton::oauth2 {

using asio::awaitable;

/// Anything that can give an access token: a grant, a cache in front of a grant, a store,
/// a file, a fake. Decorators stay short because there is one function to forward.
class token_source {
public:
    virtual ~token_source() = default;

    /// Gives a token that meets `demand`.
    ///
    /// May complete without suspending. Callable from any executor, any number of times at
    /// once. The source must outlive the awaitable; `demand` is moved into it. Completes by `demand.deadline()`.
    ///
    /// \returns a token, never null; or a failure (phase `token`, `not_sent` as far as the caller's own request is
    ///   concerned) whose code equals
    ///   - `cond::cancelled`    the caller was cancelled (terminal); other callers are
    ///                          unaffected, and a fetch already under way is not abandoned;
    ///   - `cond::timeout`      the demand's deadline passed; the fetch goes on for others;
    ///   - `cond::credentials`  the server knows us and says no (`invalid_client`,
    ///                          `invalid_grant`, ...: RFC 6749 §5.2); asking again will not help;
    ///   - `cond::transient`    network, 429 or 5xx; `diag().retry_at` says when it will be tried again;
    ///   - `cond::malformed`    the reply was not a token response (RFC 6749 §5.1).
    /// \throws nothing but `std::bad_alloc`.
    virtual awaitable<result<token_ptr>> get(token_demand demand) = 0;
};

}  // namespace jeton::oauth2
