// SPDX-License-Identifier: BSL-1.0
#include <jeton/net/stream.hpp>

#include <asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace jeton::net {

namespace {

awaitable<void> call(stream* readable, std::shared_ptr<stream::watcher> who)
{
    bool waited = true;
    try {
        (void)co_await readable->ready(stream::direction::read);
    } catch (...) {
        waited = false;
    }
    if (waited)
        who->on_ready();
    else
        who->on_starved();
}

}  // namespace

void stream::when_readable(std::shared_ptr<watcher> who, asio::any_io_executor const& home)
{
    asio::co_spawn(home, call(this, std::move(who)), [](std::exception_ptr thrown) {
        if (thrown)
            std::rethrow_exception(thrown);
    });
}

}  // namespace jeton::net
