// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>
#include <jeton/http/request.hpp>
#include <jeton/http/response.hpp>

#include <asio/awaitable.hpp>

namespace jeton::http {

using asio::awaitable;

/// Anything that can carry a request to a server and bring back the answer: connections, or
/// a decorator (retries, authorization) in front of another transport.
class transport {
public:
    virtual ~transport() = default;

    /// Sends `what` and gives the whole answer. Any status is an answer, not a failure.
    ///
    /// Callable from any executor, any number of times at once; the answer comes back on the
    /// caller's. The transport must outlive the awaitable. Completes exactly once, within the request's deadline.
    ///
    /// \returns a failure whose `delivery()` tells whether the server may have acted, and whose code equals
    ///   - `cond::cancelled`    the caller was cancelled (terminal);
    ///   - `cond::timeout`      a limit passed; `phase()` says in which step;
    ///   - `cond::transient`    network trouble;
    ///   - `cond::overloaded`   too many requests wait already; nothing was sent;
    ///   - `cond::malformed`    the answer broke HTTP;
    ///   - or is a code of `http::errc`, `net::errc` or `jeton::errc`.
    /// \throws nothing but `std::bad_alloc`.
    virtual awaitable<result<response>> send(request what) = 0;
};

}  // namespace jeton::http
