// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/sandbox.hpp>

#include "testing/certificates.hpp"
#include "testing/http_server.hpp"
#include "testing/sandbox_provider.hpp"
#include "testing/sansio/fault_access.hpp"
#include "testing/sansio/fault_orders.hpp"
#include "testing/sansio/request_log.hpp"

#include <asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace jeton::testing {

namespace {

// What a token request asks for, in either kind of body; for the log and the count, not for granting.
std::string_view grant_type_in(std::string_view body)
{
    constexpr std::string_view name = "grant_type", letters = "abcdefghijklmnopqrstuvwxyz_";
    auto const at = body.find(name);
    auto const begin = at == std::string_view::npos ? at : body.find_first_of(letters, at + name.size());
    if (begin == std::string_view::npos)
        return {};
    return body.substr(begin, std::min(body.find_first_not_of(letters, begin), begin + 32) - begin);
}

sandbox_options validated(sandbox_options o)
{
    if (o.token_lifetime <= duration::zero())
        throw std::invalid_argument("jeton: sandbox_options::token_lifetime must be greater than zero");
    if (o.token_latency < duration::zero() || o.api_latency < duration::zero() || o.idle < duration::zero())
        throw std::invalid_argument("jeton: a latency or time-out of sandbox_options is negative");
    if (o.protocols.empty() || std::any_of(o.protocols.begin(), o.protocols.end(), [](auto const& p) {
            return p != "h2" && p != "http/1.1";
        }))
        throw std::invalid_argument("jeton: sandbox_options::protocols are h2, http/1.1 or both");
    if (o.host != "localhost" && o.host != "127.0.0.1"
        && std::find(o.names.begin(), o.names.end(), o.host) == o.names.end())
        throw std::invalid_argument("jeton: sandbox_options::host is not a name of the certificate");
    if (!o.time)
        o.time = machine_clock();
    return o;
}

}  // namespace

/// Everything behind the façade. The lock is held for the time that it takes to decide on one request, never while bytes
/// move; the members below it are confined to it.
struct sandbox::state final : http_handler {
    explicit state(sandbox_options o);
    ~state() override { stop(); }

    void stop();
    void on_server(void (http_server::*what)());

    // What the server asks, on its thread.
    void on_connection(server_reply& instead) override;
    void on_handshake(std::string_view protocol, bool resumed) override;
    void on_end() override;
    void on_request(server_request const& request, server_reply& reply) override;
    void on_rejected(server_reply& reply) override;
    void on_done(server_reply const& reply) override;
    void on_stream(std::size_t open) override;
    void on_stream_over_limit() override;
    void on_stream_cancelled() override;

    void answer(played_provider* p, played_exchange& x, bool to_token_endpoint);
    void record(played_provider const* p, server_request const& request, server_reply const& reply, moment now);
    void notify() const;

    played_provider* find(std::string_view name) const noexcept;
    played_provider& get(std::string_view name) const;
    sandbox_counters counted(std::string_view provider) const;

    sandbox_options const options;
    std::vector<std::string> authorities{};  // what may stand in Host
    std::string ca_pem{};
    std::uint16_t port = 0;

    mutable std::mutex mutex{};
    mutable std::condition_variable changed{};
    mutable int waiting = 0;

    std::array<std::unique_ptr<played_provider>, 3> providers{};
    std::array<sandbox_counters, 4> counters{};  // of each provider, and of what is none's
    std::uint64_t token_requests_now = 0;
    std::uint64_t most_token_requests_now = 0;
    std::array<std::uint64_t, 3> token_requests_now_of{};

    duration token_lifetime;
    duration token_latency;
    duration api_latency;
    bool refuse_every_token = false;
    std::optional<fault> down{};
    fault_orders token_faults{}, api_faults{}, connection_faults{};
    std::uint64_t orders = 0;

    ring<seen_request> log;
    request_tally tally{};

    asio::io_context io{1};
    std::shared_ptr<http_server> server{};
    std::mutex stopping{};
    std::thread thread{};
};

sandbox::state::state(sandbox_options o)
    : options(validated(std::move(o))),
      token_lifetime(options.token_lifetime),
      token_latency(options.token_latency),
      api_latency(options.api_latency),
      log(options.log_size)
{
    auto names = options.names;
    names.insert(names.end(), {"localhost", "127.0.0.1"});
    auto const authority = certificate_authority::make("jeton sandbox");
    ca_pem = authority.pem();
    certificate_request wanted;
    for (auto const& name : names) {
        std::error_code not_an_address;
        asio::ip::make_address(name, not_an_address);
        (not_an_address ? wanted.names : wanted.addresses).push_back(name);
    }
    auto const certificate = authority.issue(wanted);
    server = std::make_shared<http_server>(
        io, options.port, net::tls_context::server(certificate.chain, certificate.key, options.protocols), options.time,
        *this);
    server->set_requests_per_connection(options.requests_per_connection);
    server->set_idle(options.idle);
    server->set_max_streams(options.max_streams);
    port = server->port();
    for (auto const& name : names)
        authorities.push_back(name + ':' + std::to_string(port));
    auto const origin = "https://" + options.host + ':' + std::to_string(port);
    providers = {play_alluvial(origin, options.token_size), play_datacrunch(origin, options.token_size),
                 play_restoration(origin, options.token_size)};
    server->start();

    // Signals are the program's business, not this thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread([this] { io.run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void sandbox::state::stop()
{
    std::lock_guard const lock(stopping);
    if (!thread.joinable())
        return;
    on_server(&http_server::stop);
    thread.join();
}

void sandbox::state::on_server(void (http_server::*what)())
{
    asio::post(io, [s = server, what] { ((*s).*what)(); });
}

void sandbox::state::on_connection(server_reply& instead)
{
    std::lock_guard const lock(mutex);
    auto& all = counters.back();
    ++all.connections;
    ++all.open_connections;
    if (auto const* f = connection_faults.next({}, {}, {}))
        fault_access::apply(*f, instead);
    notify();
}

void sandbox::state::on_handshake(std::string_view protocol, bool resumed)
{
    std::lock_guard const lock(mutex);
    auto& all = counters.back();
    ++all.handshakes;
    all.resumed += resumed;
    all.h2_connections += protocol == "h2";
    notify();
}

void sandbox::state::on_stream(std::size_t open)
{
    std::lock_guard const lock(mutex);
    auto& all = counters.back();
    ++all.streams;
    all.most_streams_at_once = std::max<std::uint64_t>(all.most_streams_at_once, open);
    notify();
}

void sandbox::state::on_stream_over_limit()
{
    std::lock_guard const lock(mutex);
    ++counters.back().streams_over_limit;
    notify();
}

void sandbox::state::on_stream_cancelled()
{
    std::lock_guard const lock(mutex);
    ++counters.back().streams_cancelled;
    notify();
}

void sandbox::state::on_end()
{
    std::lock_guard const lock(mutex);
    --counters.back().open_connections;
    notify();
}

void sandbox::state::on_rejected(server_reply&)
{
    std::lock_guard const lock(mutex);
    ++counters.back().rejected;
    notify();
}

void sandbox::state::on_request(server_request const& request, server_reply& reply)
{
    if (request.method == "HEAD") {
        auto as_get = request;
        as_get.method = "GET";
        on_request(as_get, reply);
        reply.bodiless = true;
        return;
    }
    std::lock_guard const lock(mutex);
    auto const now = options.time->both();
    // RFC 9112 §3.2, RFC 9110 §15.5.20.
    if (std::find(authorities.begin(), authorities.end(), request.host) == authorities.end()) {
        ++counters.back().rejected;
        reply.json(421, R"({"message":"that host is somebody else"})");
        return notify();
    }

    std::size_t which = 0;
    std::string_view path;
    for (; which != providers.size(); ++which) {
        auto const& prefix = providers[which]->prefix();
        if (request.path.starts_with(prefix) && request.path.substr(prefix.size()).starts_with('/')) {
            path = request.path.substr(prefix.size());
            break;
        }
    }
    auto* const p = which == providers.size() ? nullptr : providers[which].get();
    bool const for_token = p != nullptr && p->is_token_endpoint(path);
    auto& count = counters[which];

    std::string_view const name = p == nullptr ? std::string_view() : p->name();
    auto const protocol = request.protocol();
    fault const* const spoilt =
        for_token && down && fault_access::is_for(*down, protocol)
            ? &*down
            : (for_token ? token_faults : api_faults).next(name, request.method, path, protocol);
    bool const refused = spoilt != nullptr && fault_access::refuses(*spoilt, request.stream);
    reply.delay = for_token ? token_latency : api_latency;
    if (for_token) {
        reply.to_token_request = true;
        ++count.token_requests;
        count.refreshes += grant_type_in(request.body) == "refresh_token";
        count.most_token_requests_at_once = std::max(count.most_token_requests_at_once, ++token_requests_now_of[which]);
        most_token_requests_now = std::max(most_token_requests_now, ++token_requests_now);
        reply.token_request_of = which;
    } else {
        ++count.api_requests;
    }

    if (!refused && (spoilt == nullptr || !fault_access::replaces(*spoilt))) {
        played_exchange x{.request = request, .path = path, .now = now, .lifetime = token_lifetime, .reply = reply};
        answer(p, x, for_token);
    }
    if (spoilt != nullptr)
        fault_access::apply(*spoilt, reply);
    reply.compose();
    if (refused) {
        reply.status = 0;
        reply.part = fault::part::nothing;
    }
    count.refused += refused;
    count.unauthorized += !for_token && reply.status == 401;
    record(p, request, reply, now);
    notify();
}

void sandbox::state::answer(played_provider* p, played_exchange& x, bool to_token_endpoint)
{
    if (p == nullptr)
        return x.reply.json(404, R"({"message":"none of the providers is here"})");
    if (to_token_endpoint)
        return p->answer_token_request(x);
    if (refuse_every_token) {
        x.reply.fields.append("WWW-Authenticate: Bearer error=\"invalid_token\"\r\n");
        return p->refuse(x.reply, 401, "no token is good enough");
    }
    p->answer_api_request(x);
}

void sandbox::state::record(played_provider const* p, server_request const& request, server_reply const& reply,
                            moment now)
{
    bool const for_token = reply.to_token_request;
    auto const hash = for_token ? 0 : std::hash<std::string_view>()(request.body);
    tally.count(request.method, request.path, hash, !for_token && reply.status != 0);
    if (auto* entry = log.next()) {
        entry->connection = request.connection;
        entry->stream = request.stream;
        entry->at = now.boot;
        entry->provider = p == nullptr ? std::string_view() : p->name();
        entry->method = request.method;
        entry->target = request.target;
        entry->grant = for_token ? grant_type_in(request.body) : std::string_view();
        entry->body_hash = hash;
        entry->status = reply.status;
    }
}

void sandbox::state::on_done(server_reply const& reply)
{
    if (!reply.to_token_request)
        return;
    std::lock_guard const lock(mutex);
    --token_requests_now;
    --token_requests_now_of[reply.token_request_of];
}

void sandbox::state::notify() const
{
    if (waiting != 0)
        changed.notify_all();
}

played_provider* sandbox::state::find(std::string_view name) const noexcept
{
    auto const found =
        std::find_if(providers.begin(), providers.end(), [&](auto const& p) { return p->name() == name; });
    return found == providers.end() ? nullptr : found->get();
}

played_provider& sandbox::state::get(std::string_view name) const
{
    if (auto* p = find(name))
        return *p;
    throw std::invalid_argument("jeton: the sandbox plays no provider of that name: " + std::string(name));
}

sandbox_counters sandbox::state::counted(std::string_view provider) const
{
    auto sum = counters.back();
    for (std::size_t i = 0; i != providers.size(); ++i) {
        if (!provider.empty() && providers[i]->name() != provider)
            continue;
        auto const& one = counters[i];
        sum.token_requests += one.token_requests;
        sum.refreshes += one.refreshes;
        sum.tokens_issued += providers[i]->issuer().issued() - one.tokens_issued;
        sum.api_requests += one.api_requests;
        sum.unauthorized += one.unauthorized;
        sum.refused += one.refused;
        sum.most_token_requests_at_once = provider.empty() ? most_token_requests_now : one.most_token_requests_at_once;
    }
    return sum;
}

sandbox::sandbox(sandbox_options options) : state_(std::make_unique<state>(std::move(options))) {}

sandbox::~sandbox() = default;

void sandbox::stop() { state_->stop(); }

provider sandbox::alluvial() const { return provider_named("alluvial"); }
provider sandbox::datacrunch() const { return provider_named("datacrunch"); }
provider sandbox::restoration() const { return provider_named("restoration"); }
provider sandbox::provider_named(std::string_view name) const { return state_->get(name).preset(); }
std::vector<std::string> sandbox::provider_names() { return {"alluvial", "datacrunch", "restoration"}; }

credentials sandbox::credentials_for(std::string_view name) const
{
    return credentials::from(
        [client = state_->get(name).client()]() -> result<oauth2::client_identity> { return client->identity(); });
}

oauth2::client_identity sandbox::identity_of(std::string_view name) const
{
    return state_->get(name).client()->identity();
}

std::string const& sandbox::ca_pem() const noexcept { return state_->ca_pem; }

void sandbox::write_ca_file(std::filesystem::path const& file) const
{
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << state_->ca_pem << std::flush;
    if (!out)
        throw std::system_error(errno, std::generic_category(), "jeton: cannot write " + file.string());
}

client_options sandbox::options() const
{
    client_options o;
    o.http.tls.ca_pem = state_->ca_pem;
    return o;
}

std::uint16_t sandbox::port() const noexcept { return state_->port; }

sandbox_counters sandbox::counters(std::string_view provider) const
{
    std::lock_guard const lock(state_->mutex);
    return state_->counted(provider);
}

void sandbox::reset_counters()
{
    std::lock_guard const lock(state_->mutex);
    auto& s = *state_;
    auto const open = s.counters.back().open_connections;
    s.counters = {};
    s.counters.back().open_connections = open;
    // The issuer goes on numbering: what it has issued so far is what is not counted.
    for (std::size_t i = 0; i != s.providers.size(); ++i)
        s.counters[i].tokens_issued = s.providers[i]->issuer().issued();
    s.most_token_requests_now = 0;
    s.tally.clear();
    s.log.clear();
}

std::uint64_t sandbox::seen(std::string_view method, std::string_view path) const
{
    std::lock_guard const lock(state_->mutex);
    return state_->tally.seen(method, path);
}

std::uint64_t sandbox::most_repeated(std::string_view method) const
{
    std::lock_guard const lock(state_->mutex);
    return state_->tally.most_repeated(method);
}

std::vector<seen_request> sandbox::requests() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->log.oldest_first();
}

bool sandbox::wait_until(std::function<bool(sandbox_counters const&)> enough, std::chrono::milliseconds limit) const
{
    std::unique_lock lock(state_->mutex);
    ++state_->waiting;
    auto const yes = state_->changed.wait_for(lock, limit, [&] { return enough(state_->counted({})); });
    --state_->waiting;
    return yes;
}

void sandbox::revoke_all_tokens()
{
    std::lock_guard const lock(state_->mutex);
    for (auto& p : state_->providers)
        p->issuer().revoke_all();
}

bool sandbox::revoke_token(std::string_view token)
{
    std::lock_guard const lock(state_->mutex);
    return std::any_of(state_->providers.begin(), state_->providers.end(),
                       [&](auto& p) { return p->issuer().revoke(token); });
}

void sandbox::rotate_secret(std::string_view name) { state_->get(name).client()->rotate(); }

void sandbox::set_token_lifetime(duration d)
{
    std::lock_guard const lock(state_->mutex);
    state_->token_lifetime = d;
}

void sandbox::set_token_latency(duration d)
{
    std::lock_guard const lock(state_->mutex);
    state_->token_latency = d;
}

void sandbox::set_api_latency(duration d)
{
    std::lock_guard const lock(state_->mutex);
    state_->api_latency = d;
}

fault_order sandbox::on_token_request(fault what)
{
    std::lock_guard const lock(state_->mutex);
    state_->token_faults.add(++state_->orders, std::move(what));
    return fault_order(state_->orders);
}

fault_order sandbox::on_api_request(fault what)
{
    std::lock_guard const lock(state_->mutex);
    state_->api_faults.add(++state_->orders, std::move(what));
    return fault_order(state_->orders);
}

fault_order sandbox::on_connection(fault what)
{
    std::lock_guard const lock(state_->mutex);
    state_->connection_faults.add(++state_->orders, what.at({}).only({}).over({}));
    return fault_order(state_->orders);
}

std::uint64_t sandbox::struck(fault_order which) const
{
    std::lock_guard const lock(state_->mutex);
    auto const id = static_cast<std::uint64_t>(which);
    return state_->token_faults.struck(id) + state_->api_faults.struck(id) + state_->connection_faults.struck(id);
}

void sandbox::clear(fault_order which)
{
    std::lock_guard const lock(state_->mutex);
    for (auto* orders : {&state_->token_faults, &state_->api_faults, &state_->connection_faults})
        orders->remove(static_cast<std::uint64_t>(which));
}

void sandbox::clear_faults()
{
    std::lock_guard const lock(state_->mutex);
    for (auto* orders : {&state_->token_faults, &state_->api_faults, &state_->connection_faults})
        orders->clear();
}

void sandbox::token_endpoint_down(fault how)
{
    std::lock_guard const lock(state_->mutex);
    state_->down = std::move(how);
}

void sandbox::token_endpoint_up()
{
    std::lock_guard const lock(state_->mutex);
    state_->down.reset();
}

void sandbox::refuse_every_token(bool yes)
{
    std::lock_guard const lock(state_->mutex);
    state_->refuse_every_token = yes;
}

void sandbox::set_requests_per_connection(std::uint64_t n) { state_->server->set_requests_per_connection(n); }
void sandbox::set_max_streams(std::uint32_t n)
{
    asio::post(state_->io, [s = state_->server, n] { s->set_max_streams(n); });
}
void sandbox::close_connections() { state_->on_server(&http_server::close_connections); }
void sandbox::reset_connections() { state_->on_server(&http_server::reset_connections); }

}  // namespace jeton::testing
