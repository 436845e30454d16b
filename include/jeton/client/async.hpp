// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Requests and tokens for any completion token, so for callers that are no coroutine on the client's executor: callbacks,
/// futures, `deferred`, coroutines elsewhere.
///
/// The signature is `void(result<T>)`, so that nothing of a failure is lost; a token that looks for an error code or an
/// exception as the first argument (`redirect_error`) finds none. The handler may be movable only. Its associated
/// executor, allocator and cancellation slot are honoured; a handler without an executor is called on the client's. It is called
/// once, and not from within the initiating function; never, if the client's context is destroyed first.
///
/// A client on `io_threads` carries the call on the thread whose executor is the handler's (as `asio::any_io_executor`, which
/// is what `io_threads::executor` and a coroutine's are), else on the one it begins on, else on the least loaded; there, and
/// not on `get_executor()`, a handler without an executor is called.
///
/// Cancellation that is `terminal` ends the operation with a failure that equals `cond::cancelled`, whose `delivery()`
/// tells whether the server may have acted; the other kinds promise more than can be kept, and do nothing. A signal is to be
/// emitted where the handler is going to run, as with every operation of Asio's.
///
/// Callable from any thread. The client may be destroyed, and the request let go of, as soon as the function has returned.

#include <jeton/base/completion.hpp>
#include <jeton/client/client.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace jeton {

class client_shard;

/// Begins operations of a client for handlers of any type: what `async_send` and `async_token` are made of.
class client_calls {
public:
    explicit client_calls(client const& of) : state_(of.state_) {}

    /// What carries a call that begins here, and whose handler that is.
    template <class Handler>
    client_shard& shard_of(Handler const& handler) const
    {
        if constexpr (std::is_same_v<asio::associated_executor_t<Handler>, asio::any_io_executor>) {
            auto const theirs = asio::get_associated_executor(handler);
            return shard_for(&theirs);
        } else {
            return shard_for(nullptr);
        }
    }
    static asio::any_io_executor const& executor(client_shard const& of) noexcept;

    void send(client_shard& at, http::request what, completion<http::response> done) const;
    void token(client_shard& at, oauth2::token_demand demand, completion<oauth2::token_ptr> done) const;

private:
    client_shard& shard_for(asio::any_io_executor const* handler) const;
    asio::awaitable<result<http::response>> request_on(client_shard const& at, http::request what) const;
    static asio::awaitable<result<oauth2::token_ptr>> token_on(client_shard const& at, oauth2::token_demand demand);

    std::shared_ptr<client::state> state_;
};

/// `client::send` for any completion token.
template <ASIO_COMPLETION_TOKEN_FOR(void(result<http::response>)) CompletionToken>
auto async_send(client& api, http::request what, CompletionToken&& token)
{
    return asio::async_initiate<CompletionToken, void(result<http::response>)>(
        [calls = client_calls(api)](auto&& handler, http::request r) {
            auto& at = calls.shard_of(handler);
            calls.send(at, std::move(r),
                       completion<http::response>(std::forward<decltype(handler)>(handler), calls.executor(at)));
        },
        token, std::move(what));
}

/// `client::token` for any completion token.
template <ASIO_COMPLETION_TOKEN_FOR(void(result<oauth2::token_ptr>)) CompletionToken>
auto async_token(client& api, oauth2::token_demand demand, CompletionToken&& token)
{
    return asio::async_initiate<CompletionToken, void(result<oauth2::token_ptr>)>(
        [calls = client_calls(api)](auto&& handler, oauth2::token_demand d) {
            auto& at = calls.shard_of(handler);
            calls.token(at, std::move(d),
                        completion<oauth2::token_ptr>(std::forward<decltype(handler)>(handler), calls.executor(at)));
        },
        token, std::move(demand));
}

}  // namespace jeton
