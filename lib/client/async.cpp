// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/async.hpp>

#include "base/cancellable.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>

#include <exception>
#include <memory>
#include <system_error>
#include <utility>

namespace jeton {

namespace {

// The transport and the source throw nothing but std::bad_alloc, at whatever point.
failure out_of_memory()
{
    return {std::make_error_code(std::errc::not_enough_memory), phase::none, delivery::maybe_processed,
            "there was no memory to go on with"};
}

template <class T>
void begin(asio::any_io_executor const& home, asio::awaitable<result<T>> op, completion<T> done)
{
    auto const it = std::make_shared<cancellable>(home);
    done.cancels(it);
    auto ended = [it, done = std::move(done)](std::exception_ptr thrown, result<T> outcome) mutable {
        if (thrown)
            outcome = out_of_memory();
        std::move(done)(std::move(outcome));
    };
    asio::co_spawn(home, std::move(op), asio::bind_cancellation_slot(it->slot(), std::move(ended)));
}

}  // namespace

void client_calls::send(client_shard& at, http::request what, completion<http::response> done) const
{
    begin(executor(at), request_on(at, std::move(what)), std::move(done));
}

void client_calls::token(client_shard& at, oauth2::token_demand demand, completion<oauth2::token_ptr> done) const
{
    begin(executor(at), token_on(at, std::move(demand)), std::move(done));
}

}  // namespace jeton
