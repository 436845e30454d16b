// SPDX-License-Identifier: BSL-1.0
#include "session.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <csignal>
#include <exception>

namespace jeton::tool {

namespace {

asio::awaitable<exit_code> run(client& api, std::function<asio::awaitable<exit_code>(client&)> const& work)
{
    auto const code = co_await work(api);
    co_await api.shut_down();
    co_return code;
}

}  // namespace

exit_code with_client(provider const& api, credentials const& who, client_options const& options,
                      std::function<asio::awaitable<exit_code>(client&)> const& work)
{
    asio::io_context io(1);
    auto code = exit_code::interrupted;
    std::exception_ptr failed;
    {
        client c(serial(io), api, who, options);
        asio::signal_set stop(io, SIGINT, SIGTERM);
        stop.async_wait([&](std::error_code e, int) {
            if (!e)
                io.stop();
        });
        asio::co_spawn(io, run(c, work), [&](std::exception_ptr e, exit_code done) {
            failed = e;
            code = done;
            stop.cancel();
            if (e)
                io.stop();
        });
        io.run();
    }
    if (failed)
        std::rethrow_exception(failed);
    return code;
}

}  // namespace jeton::tool
