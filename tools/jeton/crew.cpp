// SPDX-License-Identifier: BSL-1.0
#include "crew.hpp"

#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <system_error>

namespace jeton::tool {

namespace {

struct muster {
    explicit muster(asio::any_io_executor executor, std::size_t count)
        : all_back(std::move(executor), asio::steady_timer::time_point::max()), out(count)
    {}
    asio::steady_timer all_back;  // never fires: cancelled by the last one
    std::size_t out;
    std::exception_ptr failed{};
};

}  // namespace

asio::awaitable<void> run_crew(std::size_t count, std::function<asio::awaitable<void>(std::size_t)> work)
{
    if (count == 0)
        co_return;
    auto const executor = co_await asio::this_coro::executor;
    auto const shared = std::make_shared<muster>(executor, count);
    for (std::size_t i = 0; i != count; ++i)
        asio::co_spawn(executor, work(i), [shared](std::exception_ptr e) {
            if (e && !shared->failed)
                shared->failed = e;
            if (--shared->out == 0)
                shared->all_back.cancel();
        });
    if (shared->out != 0) {
        std::error_code cancelled;
        co_await shared->all_back.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    if (shared->failed)
        std::rethrow_exception(shared->failed);
}

}  // namespace jeton::tool
