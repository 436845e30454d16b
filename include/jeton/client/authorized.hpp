// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/clock.hpp>
#include <jeton/base/observer.hpp>
#include <jeton/http/transport.hpp>
#include <jeton/oauth2/token_source.hpp>

#include <memory>
#include <vector>

namespace jeton {

/// Puts a Bearer token of `tokens` on every request (RFC 6750 §2.1) that goes to one of `origins`; a request to any
/// other origin fails with `oauth2::errc::foreign_origin` and is not sent, unless it is `anonymous()`.
///
/// After a 401 that does not say otherwise, the token is replaced and the request sent once more, whatever its method,
/// since the server refused it unprocessed; a second 401 is the answer's end: `oauth2::errc::token_refused`, phase
/// `token`, `answered`. After any other 4xx but 408, 425 and 429 whose token has expired meanwhile, the same, if the
/// request is repeatable. What the server calls `invalid_request` (RFC 6750 §3.1) is an answer like any other, and
/// `insufficient_scope` becomes `oauth2::errc::insufficient_scope`; neither costs a token. A request that carries its
/// own Authorization field fails (`own_authorization`) unless it is `anonymous()`.
///
/// Callable from any executor; runs, and tells `watcher` of refused tokens (`happenings::token_refused`), on the
/// caller's. Calls in flight hold what they need of it.
///
/// Adds to the failures of the transport those of the source, with phase `token`: `not_sent` before the request was
/// sent, `answered` if the server had refused the first token and a new one could not be had. Waiting for tokens counts
/// against the request's deadline, and is told by the response's `phases().token`, together with an exchange that was
/// for nothing.
///
/// \throws jeton::error  one of `origins` is plain http and not this machine (`http::errc::plain_http`; RFC 6750 §5.3).
std::shared_ptr<http::transport> authorized(std::shared_ptr<http::transport> over,
                                            std::shared_ptr<oauth2::token_source> tokens,
                                            std::vector<http::origin> origins, std::shared_ptr<clock> time,
                                            std::shared_ptr<observer> watcher = {});

}  // namespace jeton
