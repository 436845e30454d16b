// SPDX-License-Identifier: BSL-1.0
#include "demo_acts.hpp"

#include "crew.hpp"
#include "report.hpp"

#include <jeton/client/client.hpp>
#include <jeton/testing/sandbox.hpp>

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>

namespace jeton::tool {

namespace {

using namespace std::chrono_literals;
using testing::sandbox;
using testing::sandbox_options;

constexpr char const* system_played = "alluvial";
constexpr char const* request_path = "/eth/v0/status";

// Remembers when tokens came and how long they took to get.
class token_watch final : public observer {
public:
    explicit token_watch(std::shared_ptr<clock const> time) : time_(std::move(time)) {}

    void on(happening const& what) override
    {
        if (auto const* granted = std::get_if<happenings::token_granted>(&what)) {
            last_grant = time_->now();
            last_round_trip = granted->took;
        } else if (std::holds_alternative<happenings::token_failed>(what)) {
            ++failures;
        }
    }

    std::optional<time_point> last_grant{};
    duration last_round_trip{};
    std::uint64_t failures = 0;

private:
    std::shared_ptr<clock const> time_;
};

// One act's world: server, client, and somebody who watches the tokens.
struct stage {
    stage(serial home, sandbox_options const& played, demo_options const& demo)
        : world(played),
          time(machine_clock()),
          watch(std::make_shared<token_watch>(time)),
          api(std::move(home), world.provider_named(system_played), world.credentials_for(system_played),
              client_options_with(watch, demo))
    {}

    client_options client_options_with(std::shared_ptr<observer> watcher, demo_options const& demo) const
    {
        auto options = world.options();
        options.http.watcher = std::move(watcher);
        options.http.connections_per_origin = demo.connections;
        options.http.protocol = demo.protocol;
        return options;
    }

    sandbox world;
    std::shared_ptr<clock> time;
    std::shared_ptr<token_watch> watch;
    client api;
};

asio::awaitable<void> pause(duration d)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, d);
    co_await timer.async_wait(asio::use_awaitable);
}

// The first token, without which the act cannot begin.
asio::awaitable<void> warm_up(stage& s) { (co_await s.api.token()).value(); }

struct tally {
    std::uint64_t requests = 0;
    std::uint64_t failed = 0;
    std::optional<std::string> first_failure{};
};

// Sends one request after the other until told to stop.
asio::awaitable<void> keep_asking(stage& s, http::request what, tally& t, latencies& took, bool const& go_on)
{
    while (go_on) {
        auto const before = s.time->now();
        auto const answer = co_await s.api.send(what);
        took.add(s.time->now() - before);
        ++t.requests;
        if (!answer || answer->status() != 200) {
            ++t.failed;
            if (!t.first_failure)
                t.first_failure = answer ? "status " + std::to_string(answer->status()) : answer.error().to_string();
        }
    }
}

// Lets the others work for so long, and shows how they are doing.
asio::awaitable<void> stop_after(stage& s, double seconds, live_line& live, tally const& t, bool& go_on)
{
    constexpr auto step = 200ms;
    auto const begun = s.time->now();
    auto const length = std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds));
    std::uint64_t seen = 0;
    for (auto elapsed = duration(0); elapsed < length; elapsed = s.time->now() - begun) {
        co_await pause(std::min<duration>(step, length - elapsed));
        auto const share = std::chrono::duration<double>(s.time->now() - begun).count() / seconds;
        live.show(std::min(share, 1.0), std::to_string((t.requests - seen) * (1s / step)) + " requests/s");
        seen = t.requests;
    }
    go_on = false;
}

// Takes the token endpoint away early in the life of a token, and gives it back before that token has run out.
asio::awaitable<void> cut_off(stage& s, outage_result& r, live_line& live, bool& go_on)
{
    constexpr auto alive_before = 500ms;
    constexpr auto away = 2500ms;
    constexpr auto patience = 10s;

    co_await pause(alive_before);
    auto const tried_before = s.world.counters().token_requests;
    auto const gone = s.time->now();
    s.world.token_endpoint_down();
    for (auto elapsed = duration(0); elapsed < away; elapsed = s.time->now() - gone) {
        live.show(0.8 * static_cast<double>(elapsed.count()) / static_cast<double>(duration(away).count()),
                  "token endpoint is down");
        co_await pause(100ms);
    }
    r.token_requests = s.world.counters().token_requests - tried_before;
    s.world.token_endpoint_up();
    auto const back = s.time->now();
    r.down = back - gone;

    while ((!s.watch->last_grant || *s.watch->last_grant < back) && s.time->now() - back < patience) {
        live.show(0.9, "token endpoint is back");
        co_await pause(2ms);
    }
    r.recovered = (s.watch->last_grant ? std::max(*s.watch->last_grant, back) : s.time->now()) - back;
    co_await pause(200ms);
    go_on = false;
}

asio::awaitable<void> take_a_token(stage& s, int& served)
{
    auto const got = co_await s.api.token();
    if (got)
        ++served;
}

}  // namespace

std::vector<std::string> broken_promises(stampede_result const& r)
{
    std::vector<std::string> broken;
    if (r.token_requests != 1)
        broken.push_back("stampede: " + std::to_string(r.token_requests) + " token requests instead of 1");
    if (r.served != r.callers)
        broken.push_back("stampede: " + std::to_string(r.callers - r.served) + " callers were not served");
    // Ten thousand coroutines have 50 ms to be made and woken in; more of them, as much more.
    duration const allowance = 50ms * std::max(1, r.callers / 10'000);
    if (r.last_served > r.token_round_trip + allowance)
        broken.push_back("stampede: the last caller was served " + readable(r.last_served) + " after the expiry");
    return broken;
}

std::vector<std::string> broken_promises(load_result const& r)
{
    std::vector<std::string> broken;
    if (r.requests == 0)
        broken.push_back("load: no request was made");
    if (r.failed != 0)
        broken.push_back("load: " + std::to_string(r.failed) + " requests failed");
    if (r.callers_who_waited != 0)
        broken.push_back("load: " + std::to_string(r.callers_who_waited) + " callers waited for a token");
    return broken;
}

std::vector<std::string> broken_promises(outage_result const& r)
{
    std::vector<std::string> broken;
    if (r.failed != 0)
        broken.push_back("outage: " + std::to_string(r.failed) + " requests failed");
    if (r.token_requests == 0)
        broken.push_back("outage: no token request was tried while the endpoint was down");
    // Pauses between attempts are half a second at first and grow: more attempts than that would be a storm.
    auto const paced = static_cast<std::uint64_t>(2 + r.down / 250ms);
    if (r.token_requests > paced)
        broken.push_back("outage: " + std::to_string(r.token_requests) + " token requests are not paced");
    return broken;
}

asio::awaitable<stampede_result> stampede(serial home, demo_options options, live_line& live)
{
    live.begin("stampede");
    sandbox_options const played{.token_lifetime = 1s, .token_latency = 50ms};
    stage s(std::move(home), played, options);
    co_await warm_up(s);

    // Nobody asks for the token before it has expired: the caches' margin is part of its life.
    co_await pause(1s);
    auto const before = s.world.counters().token_requests;

    stampede_result r{.callers = options.callers};
    auto const expiry = s.time->now();
    co_await run_crew(static_cast<std::size_t>(options.callers),
                      [&](std::size_t) { return take_a_token(s, r.served); });
    r.last_served = s.time->now() - expiry;
    r.token_requests = s.world.counters().token_requests - before;
    r.token_round_trip = s.watch->last_round_trip;

    co_await s.api.shut_down();
    live.end(std::to_string(r.served) + " callers served by " + std::to_string(r.token_requests) + " token request");
    co_return r;
}

asio::awaitable<load_result> sustained_load(serial home, demo_options options, live_line& live)
{
    live.begin("sustained load");
    sandbox_options const played{.token_lifetime = 2s};
    stage s(std::move(home), played, options);
    co_await warm_up(s);
    auto const waited_at_first = s.api.snapshot().token.waited;

    load_result r{.in_flight = options.in_flight};
    tally total;
    bool go_on = true;
    auto const what = http::request::get(request_path);
    auto const start = s.time->now();

    co_await run_crew(static_cast<std::size_t>(options.in_flight) + 1, [&](std::size_t i) {
        return i == 0 ? stop_after(s, options.seconds, live, total, go_on) : keep_asking(s, what, total, r.took, go_on);
    });

    r.seconds = std::chrono::duration<double>(s.time->now() - start).count();
    r.requests = total.requests;
    r.failed = total.failed;
    auto const counted = s.world.counters();
    r.tokens = counted.tokens_issued;
    r.connections = counted.connections;
    r.handshakes = counted.handshakes;
    r.resumed = counted.resumed;
    r.h2_connections = counted.h2_connections;
    r.callers_who_waited = s.api.snapshot().token.waited - waited_at_first;
    co_await s.api.shut_down();
    live.end(std::to_string(static_cast<long long>(r.requests_per_second())) + " requests/s"
             + (total.first_failure ? ", first failure: " + *total.first_failure : ""));
    co_return r;
}

asio::awaitable<outage_result> outage(serial home, demo_options options, live_line& live)
{
    live.begin("outage");
    sandbox_options const played{.token_lifetime = 4s};
    stage s(std::move(home), played, options);
    co_await warm_up(s);

    outage_result r;
    tally total;
    latencies took;
    bool go_on = true;
    auto const what = http::request::get(request_path);
    auto const askers = static_cast<std::size_t>(std::min(options.in_flight, 16));
    co_await run_crew(askers + 1, [&](std::size_t i) {
        return i == 0 ? cut_off(s, r, live, go_on) : keep_asking(s, what, total, took, go_on);
    });
    r.requests = total.requests;
    r.failed = total.failed;

    co_await s.api.shut_down();
    live.end(std::to_string(r.failed) + " requests failed, back after " + readable(r.recovered)
             + (total.first_failure ? ", first failure: " + *total.first_failure : ""));
    co_return r;
}

}  // namespace jeton::tool
