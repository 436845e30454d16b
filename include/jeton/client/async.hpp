// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Requests and tokens for any completion token, so for callers that are no coroutine on the client's executor: callbacks,
/// futures, `deferred`, coroutines elsewhere.
///
/// The signature is `void(result<T>)`, so that nothing of a failure is lost; a token that looks for an error code or an
/// exception as the first argument (`redirect_error`) finds none. The handler may be movable only. Its associated
/// executor (default: the client's), allocator and cancellation slot are honoured. It is called once, and not from within the
/// initiating function; never, if the client's context is destroyed first.
///
/// Cancellation that is `terminal` ends the operation with a failure that equals `cond::cancelled`, whose `delivery()`
/// tells whether the server may have acted; the other kinds promise more than can be kept, and do nothing. A signal is to be
/// emitted where the handler is going to run, as with every operation of Asio's.
///
/// Callable from any thread. The client may be destroyed, and the request let go of, as soon as the function has returned.

#include <jeton/base/completion.hpp>
#include <jeton/client/client.hpp>

#include <asio/async_result.hpp>

#include <memory>
#include <utility>

namespace jeton {

/// Begins operations of a client for handlers of any type: what `async_send` and `async_token` are made of.
class client_calls {
public:
    explicit client_calls(client const& of) : state_(of.state_) {}

    void send(http::request what, completion<http::response> done) const;
    void token(oauth2::token_demand demand, completion<oauth2::token_ptr> done) const;

private:
    std::shared_ptr<client::state> state_;
};

/// `client::send` for any completion token.
template <ASIO_COMPLETION_TOKEN_FOR(void(result<http::response>)) CompletionToken>
auto async_send(client& api, http::request what, CompletionToken&& token)
{
    return asio::async_initiate<CompletionToken, void(result<http::response>)>(
        [calls = client_calls(api), home = api.get_executor()](auto&& handler, http::request r) {
            calls.send(std::move(r), completion<http::response>(std::forward<decltype(handler)>(handler), home));
        },
        token, std::move(what));
}

/// `client::token` for any completion token.
template <ASIO_COMPLETION_TOKEN_FOR(void(result<oauth2::token_ptr>)) CompletionToken>
auto async_token(client& api, oauth2::token_demand demand, CompletionToken&& token)
{
    return asio::async_initiate<CompletionToken, void(result<oauth2::token_ptr>)>(
        [calls = client_calls(api), home = api.get_executor()](auto&& handler, oauth2::token_demand d) {
            calls.token(std::move(d), completion<oauth2::token_ptr>(std::forward<decltype(handler)>(handler), home));
        },
        token, std::move(demand));
}

}  // namespace jeton
