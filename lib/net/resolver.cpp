// SPDX-License-Identifier: BSL-1.0
#include "net/resolver.hpp"

#include "base/duration_text.hpp"
#include "base/parking.hpp"
#include "net/sansio/address.hpp"
#include "net/system_error.hpp"

#include <jeton/net/error.hpp>

#include <asio/ip/address.hpp>

#include <utility>

namespace jeton::net {

namespace {

/// Outlives whoever asked, if the answer is late.
struct lookup {
    explicit lookup(asio::any_io_executor executor) : resolver(std::move(executor)) {}

    asio::ip::tcp::resolver resolver;
    parking asker{};
    bool done = false;
    std::error_code error{};
    endpoints found{};
};

void start(std::shared_ptr<lookup> const& it, std::string const& host, std::uint16_t port)
{
    it->resolver.async_resolve(host, std::to_string(port), asio::ip::resolver_base::numeric_service,
                               [it](std::error_code error, asio::ip::tcp::resolver::results_type const& answers) {
                                   it->done = true;
                                   it->error = error;
                                   for (auto const& each : answers)
                                       it->found.push_back(each.endpoint());
                                   it->asker.wake_all();
                               });
}

failure failed(std::error_code code, std::string const& host, std::string const& why)
{
    return failure(code, phase::resolve, delivery::not_sent, "looking up " + host + ": " + why);
}

}  // namespace

asio::awaitable<result<endpoints>> resolve(asio::any_io_executor executor, std::shared_ptr<timekeeper> timers,
                                           std::string host, std::uint16_t port, duration limit)
{
    auto const kind = kind_of(host);
    if (kind == host_kind::invalid)
        co_return failed(errc::host_not_found, "the host", "it is neither a name nor an address");
    if (kind != host_kind::name) {
        std::error_code error;
        auto const address = asio::ip::make_address(host, error);
        // Asio takes an interface that does not exist for "any".
        if (error || (host.find('%') != host.npos && address.to_v6().scope_id() == 0))
            co_return failed(errc::host_not_found, host, "there is no such zone");
        co_return endpoints(1, asio::ip::tcp::endpoint(address, port));
    }

    auto const it = std::make_shared<lookup>(std::move(executor));
    start(it, host, port);
    auto const deadline = saturating_add(timers->now(), limit);
    auto const why = co_await it->asker.wait(timers.get(), deadline);
    if (why == woken::cancelled || why == woken::timed_out) {
        // Takes it out of the queue if the thread has not begun with it.
        it->resolver.cancel();
        if (why == woken::cancelled)
            co_return failed(jeton::errc::cancelled, host, "cancelled");
        co_return failed(jeton::errc::timed_out, host, "no answer within " + duration_text(limit));
    }
    if (it->error)
        co_return failed(errc_of(it->error, errc::resolver_failed), host, it->error.message());
    if (it->found.empty())
        co_return failed(errc::host_not_found, host, "it has no address");
    co_return std::move(it->found);
}

}  // namespace jeton::net
