// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/heap_meter.hpp"
#include "support/rogue_server.hpp"

#include <jeton/http/client.hpp>
#include <jeton/http/error.hpp>
#include <jeton/net/error.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <time.h>

namespace jeton::testing {

/// An http::client on the test's thread that talks to servers of which not all are good. All the while it also asks one that is, over
/// a connection of its own, which nothing may disturb.
struct besieged {
    using steady = std::chrono::steady_clock;
    using answer = result<http::response>;

    /// What must not be in any answer: hostile servers put it wherever they can.
    static constexpr std::string_view poison = "poison";

    struct call {
        std::optional<answer> outcome{};
        steady::time_point ended{};
        bool over() const noexcept { return outcome.has_value(); }
    };

    static rogue_server::options speaking(http::protocol_choice p)
    {
        rogue_server::options how;
        how.alpn = p == http::protocol_choice::http_2 ? "h2" : "http/1.1";
        return how;
    }

    explicit besieged(http::client_options o = {}, http::protocol_choice p = http::protocol_choice::http_2)
        : good(certificate(), rogue_server::good, rogue_server::good, speaking(p))
    {
        o.tls.ca_pem = authority().pem();
        o.protocol = p;
        api.emplace(serial(io), std::move(o));
        asio::co_spawn(io, keep_asking(), asio::detached);
        until([&] { return asked_in_vain || asked_well >= 2; });
        BOOST_REQUIRE_MESSAGE(!asked_in_vain, why());
    }

    ~besieged()
    {
        enough = true;
        until([&] { return asked_in_vain || !asking; });
        api.reset();
        io.restart();
        io.run_for(std::chrono::seconds(5));
        BOOST_TEST(io.stopped(), "something keeps the context from ending");
        BOOST_TEST(!asked_in_vain, why());
        BOOST_TEST(good.connections() == 1, "the good server's connection was disturbed");
    }

    /// Made once: keys cost time.
    static certificate_authority const& authority()
    {
        static auto const root = certificate_authority::make("besieged");
        return root;
    }
    static issued_certificate const& certificate()
    {
        static auto const leaf = [] {
            certificate_request wanted;
            wanted.names = {"localhost"};
            return authority().issue(wanted);
        }();
        return leaf;
    }

    static bool has_poison(http::response const& r)
    {
        if (r.text().find(poison) != std::string_view::npos)
            return true;
        for (auto const& fields : {r.headers(), r.trailers()})
            for (auto const& f : fields)
                if (f.name.find(poison) != std::string_view::npos || f.value.find(poison) != std::string_view::npos)
                    return true;
        return false;
    }

    std::shared_ptr<call> start(http::request what)
    {
        auto const one = std::make_shared<call>();
        asio::co_spawn(io, api->send(std::move(what)), [one](std::exception_ptr e, answer r) {
            BOOST_TEST(!e, "the coroutine threw");
            BOOST_TEST((!r || !has_poison(*r)), "hostile bytes were delivered");
            one->outcome.emplace(std::move(r));
            one->ended = steady::now();
        });
        return one;
    }
    std::shared_ptr<call> get(std::string url) { return start(http::request::get(std::move(url))); }

    template <class Predicate>
    void until(Predicate reached)
    {
        auto const limit = steady::now() + std::chrono::seconds(30);
        io.restart();
        while (!reached()) {
            BOOST_REQUIRE_MESSAGE(steady::now() < limit, "waited in vain");
            io.run_one_for(std::chrono::milliseconds(20));
            if (io.stopped())
                io.restart();
        }
    }

    /// The good server answers as before: one request that was begun after now.
    void all_is_well()
    {
        auto const before = asked_well;
        until([&] { return asked_in_vain || asked_well >= before + 2; });
        BOOST_TEST(!asked_in_vain);
    }

    static std::chrono::nanoseconds cpu_of_this_thread()
    {
        timespec t{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
    }

    rogue_server good;
    asio::io_context io{1};
    std::optional<http::client> api{};
    int asked_well = 0;
    std::optional<failure> asked_in_vain{};

private:
    std::string why() const
    {
        return asked_in_vain ? "a request to the good server failed: " + asked_in_vain->to_string() : "";
    }

    asio::awaitable<void> keep_asking()
    {
        // Paced, so that what it costs is next to nothing beside what is measured.
        asio::steady_timer pause(io);
        asking = true;
        while (!enough) {
            auto const r = co_await api->send(http::request::get(good.url("/")));
            if (!r) {
                asked_in_vain = r.error();
                break;
            }
            BOOST_TEST(r->text() == "fine");
            ++asked_well;
            pause.expires_after(std::chrono::milliseconds(2));
            co_await pause.async_wait(asio::use_awaitable);
        }
        asking = false;
    }

    bool enough = false;
    bool asking = false;
};

}  // namespace jeton::testing
