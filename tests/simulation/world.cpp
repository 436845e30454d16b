// SPDX-License-Identifier: BSL-1.0
#include "simulation/world.hpp"

#include "testing/certificates.hpp"

#include <jeton/client/authorized.hpp>
#include <jeton/http/request.hpp>
#include <jeton/http/retry.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace jeton::testing {

using namespace std::chrono_literals;

namespace {

struct keys {
    certificate_authority root = certificate_authority::make("simulated root");
    issued_certificate server{};
    std::shared_ptr<net::tls_context const> client_contexts[2]{};
    std::shared_ptr<net::tls_context const> server_contexts[2]{};

    keys()
    {
        certificate_request what;
        what.names = {"api.example"};
        server = root.issue(what);
        for (int h2 : {0, 1}) {
            std::vector<std::string> const alpn{h2 != 0 ? "h2" : "http/1.1"};
            net::tls_options options;
            options.ca_pem = root.pem();
            options.alpn = alpn;
            client_contexts[h2] = net::tls_context::client(options);
            server_contexts[h2] = net::tls_context::server(server.chain, server.key, alpn);
        }
    }
};

keys const& all_keys()
{
    static keys const made;
    return made;
}

asio::awaitable<result<http::response>> nobody()
{
    co_return failure(errc::shut_down, phase::queue, delivery::not_sent, "there is no client any more");
}

}  // namespace

// The client, which may be destroyed while the decorators hold on to it.
class world::handle final : public http::transport {
public:
    handle(serial home, http::client_options options) { api.emplace(std::move(home), std::move(options)); }
    http::awaitable<result<http::response>> send(http::request what) override
    {
        return api ? api->send(std::move(what)) : nobody();
    }
    static asio::awaitable<result<void>> shut_down(std::shared_ptr<handle> self)
    {
        if (self->api)
            co_await self->api->shut_down();
        co_return result<void>();
    }
    std::optional<http::client> api{};
};

std::string_view to_string(deed d) noexcept
{
    constexpr std::array<std::string_view, 9> names{"cancel",         "deadline",       "shut_down",
                                                    "destroy",        "go_away",        "go_away_refusing",
                                                    "refuse_streams", "cancel_streams", "break_streams"};
    return names[static_cast<std::size_t>(d)];
}

std::string setting::to_string() const
{
    std::string text = h2 ? "h2" : "h1";
    text += tls ? " tls" : "";
    text += reused ? " reused" : " fresh";
    text += trickle ? " trickle" : "";
    text += window != 0 ? " window " + std::to_string(window) : "";
    text += unauthorized != 0 ? " unauthorized " + std::to_string(unauthorized) : "";
    return text + (think != duration::zero() ? " thinking" : "");
}

world::world(setting how) : how_(how)
{
    auto& io = *io_;
    network.emplace(io, clock,
                    simulated_network::options{.protocol = how.h2 ? "h2" : "",
                                               .window = how.window,
                                               .trickle = how.trickle,
                                               .tls = how.tls ? all_keys().client_contexts[how.h2] : nullptr});
    server.emplace(io, *network,
                   simulated_server::options{.h2 = how.h2,
                                             .think = how.think,
                                             .tls = how.tls ? all_keys().server_contexts[how.h2] : nullptr});
    network->decides([this](network_step const& what) {
        if (!armed_)
            return mishap::none;
        auto const number = steps_++;
        auto const fate = at_step ? at_step(what, number) : mishap::none;
        course_ += to_string(what.what)[0];
        course_ += what.at_server ? 'S' : 'C';
        course_ += static_cast<char>('a' + static_cast<int>(fate));
        return fate;
    });

    http::client_options options;
    options.protocol = how.h2 ? http::protocol_choice::http_2 : http::protocol_choice::http_1_1;
    options.time = clock;
    // Shared between the network, which is ours, and the client.
    options.connector = std::shared_ptr<net::connector>(std::shared_ptr<void>(), &*network);
    options.age = 0s;
    // Of so short a pause nothing is left to chance; it lasts until the next tick.
    options.dialling = {.first_pause = 2ns, .longest_pause = 2ns};
    serial const home(io);
    client_ = std::make_shared<handle>(home, options);
    tokens_ = std::make_shared<fake_token_source>(home);
    tokens_->otherwise(
        [this](auto const&) { return fake_token_source::token("gold" + std::to_string(++token_), clock->both(), 1h); });
    auto signing = authorized(client_, tokens_, {{.secure = true, .host = "api.example", .port = 443}}, clock);
    http::retry_policy policy;
    policy.first_pause = policy.longest_pause = 2ns;
    policy.budget = 1;
    api_ = http::with_retries(std::move(signing), home, clock, policy);
    if (how.reused) {
        get();
        go_on();
    }
    server->order({.unauthorized = how.unauthorized});
}

world::~world()
{
    network->calm();
    client_->api.reset();
    server->stop();
    while (turn()) {
    }
    // Frames, if any are left, before what they use.
    api_.reset();
    tokens_.reset();
    client_.reset();
    io_.reset();
}

auto world::send(http::request what, bool money) -> call&
{
    what.deadline(patience);
    auto& c = calls.emplace_back();
    auto const& target = what.target();
    c.id = target.substr(target.rfind('/') + 1);
    c.money = money;
    c.run.emplace(*io_, run(this, &c, std::move(what)));
    return c;
}

asio::awaitable<result<http::response>> world::run(world* self, call* c, http::request what)
{
    c->begun = true;
    c->latest = self->clock->now() + patience + tick;
    auto answer = co_await self->api_->send(std::move(what));
    co_return answer;
}

auto world::get() -> call&
{
    return send(http::request::get("https://api.example/things/g" + std::to_string(calls.size() + 1000)), false);
}

auto world::post() -> call&
{
    auto const id = "p" + std::to_string(calls.size() + 1000);
    return send(http::request::post("https://api.example/orders/" + id, "{\"order\":\"" + id + "\"}"), true);
}

void world::commit(deed d)
{
    switch (d) {
    case deed::cancel:
        // Whoever is cancelled before that has not called the client yet.
        if (!calls.empty() && calls.back().begun)
            calls.back().run->cancel();
        break;
    case deed::deadline:
        clock->advance(patience);
        for (auto& c : calls)
            if (!c.ended)
                c.latest = std::max(c.latest, clock->now() + tick);
        break;
    case deed::shut_down:
        if (!shut_down_)
            shut_down_.emplace(*io_, handle::shut_down(client_));
        break;
    case deed::destroy: client_->api.reset(); break;
    case deed::go_away: server->go_away(false); break;
    case deed::go_away_refusing: server->go_away(true); break;
    case deed::refuse_streams: server->reset_streams(h2_error::refused_stream); break;
    case deed::cancel_streams: server->reset_streams(h2_error::cancel); break;
    case deed::break_streams: server->reset_streams(h2_error::internal_error); break;
    }
}

void world::arm()
{
    armed_ = true;
    steps_ = turns_ = 0;
}

bool world::turn()
{
    if (armed_ && at_turn)
        at_turn(turns_);
    ++turns_;
    io_->restart();
    bool const done = io_->poll_one() != 0 || network->go_on();
    if (done)
        note_ends();
    return done;
}

void world::note_ends()
{
    for (auto& c : calls)
        if (!c.ended && c.run->done()) {
            c.ended = clock->now();
            auto const& outcome = c.run->outcome();
            course_ += ' ' + c.id + '=';
            course_ += outcome ? "200" : outcome.error().to_string();
            course_ += '\n';
        }
}

bool world::ended() const
{
    return std::all_of(calls.begin(), calls.end(), [](auto const& c) { return c.ended.has_value(); });
}

void world::go_on(std::size_t ticks)
{
    for (std::size_t ticked = 0;;) {
        if (turn())
            continue;
        if (ended() || ticked == ticks)
            return;
        clock->advance(tick);
        ++ticked;
    }
}

void world::finish()
{
    at_turn = {};
    at_step = {};
    network->calm();
    while (turn()) {
    }
    if (client_->api) {
        commit(deed::shut_down);
        for (int i = 0; i != 400 && (turn() || !shut_down_->done()); ++i)
            if (!turn())
                clock->advance(tick);
        while (turn()) {
        }
    }
    server->stop();
    while (turn()) {
    }
    io_->restart();
    io_->poll();
    out_of_work_ = io_->stopped();
}

// Whether the client's kernels have taken a byte of it, as far as that can be seen from outside.
std::size_t world::taken_of(call const& c) const
{
    ledger sent;
    std::size_t n = 0;
    for (unsigned i = 0; i != network->connections(); ++i) {
        wire_reader reader(sent, i, how_.h2);
        reader.feed(network->taken(i));
        n += reader.fraction();
    }
    return n + static_cast<std::size_t>(std::count_if(sent.begin(), sent.end(), [&](arrival const& a) {
               return a.id == c.id || a.id.empty();
           }));
}

std::string world::judge() const
{
    std::string wrong;
    for (auto const& c : calls)
        if (auto const complaint = judge(c); !complaint.empty())
            wrong += c.id + ": " + complaint;
    if (shut_down_ && !shut_down_->done())
        wrong += "shut_down has not ended; ";
    if (network->held_by_client() != 0)
        wrong += "the client keeps connections; ";
    if (!out_of_work_)
        wrong += "somebody is left; ";
    if (server->offended())
        wrong += "the server was sent nonsense; ";
    return wrong;
}

std::string world::judge(call const& c) const
{
    if (!c.ended)
        return "has not ended; ";
    std::string wrong;
    if (*c.ended > c.latest)
        wrong += "ended too late; ";
    std::vector<arrival const*> seen;
    std::size_t not_refused = 0;
    bool answered = false;
    for (auto const& a : server->book())
        if (a.id == c.id) {
            seen.push_back(&a);
            not_refused += !a.refused;
            answered = answered || a.answered;
        }
    // Where only one request was under way, what is too short to tell can be nothing else.
    std::size_t unknown = 0;
    if (calls.size() <= 2 && c.money)
        unknown = static_cast<std::size_t>(std::count_if(server->book().begin(), server->book().end(),
                                                         [](auto& a) { return a.id.empty() && !a.refused; }));
    if (c.money && not_refused + unknown > 1)
        wrong += "arrived " + std::to_string(not_refused + unknown) + " times; ";
    if (not_refused > 2)  // RFC 9110 §9.2.2: a repetition is not repeated
        wrong += "arrived more than twice; ";

    auto const& outcome = c.run->outcome();
    if (outcome) {
        bool const ours = std::any_of(seen.begin(), seen.end(), [](auto* a) { return a->acted && a->whole; });
        if (outcome->status() != 200 || outcome->text() != c.id || !ours)
            wrong += "was answered with what is no answer to it; ";
        return wrong;
    }
    auto const& why = outcome.error();
    switch (why.delivery()) {
    case delivery::not_sent:
        if (not_refused + unknown != 0)
            wrong += "is said not to have been sent, and has arrived; ";
        break;
    case delivery::answered:
        if (!answered)
            wrong += "is said to have been answered, and has not; ";
        break;
    case delivery::maybe_processed:
        // What is given up over HTTP/2 while it waits for the network to take it is counted as sent.
        if (!how_.tls && calls.size() <= 2 && taken_of(c) == 0
            && !(how_.h2 && (why.code() == cond::cancelled || why.code() == cond::timeout)))
            wrong += "may have been processed, it is said, and no byte of it has left; ";
        break;
    }
    if (!wrong.empty())
        wrong += "(" + why.to_string() + ") ";
    return wrong;
}

}  // namespace jeton::testing
