// SPDX-License-Identifier: BSL-1.0
#include "interop/drive.hpp"
#include "interop/servers/server.hpp"

#include <jeton/http/client.hpp>
#include <jeton/http/retry.hpp>

#include <boost/test/tree/fixture.hpp>
#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <map>

// Every server of the table with both protocols: nginx/h2/post_1_mb and so on. Whatever is said here of a request is what
// the origin behind the server says, or the server itself.

namespace {

using namespace jeton;
using namespace jeton::testing;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

// One server, running, and a client of it.
struct visit {
    server_kind const& kind;
    server& at;
    bool h2;
    asio::io_context& io;
    std::shared_ptr<http::client> over;

    std::size_t limit() const { return h2 ? kind.streams : 1; }  // of requests on one connection at once
};

openssl_authority const& authority()
{
    static scratch_folder const files;
    static auto const made = [] {
        openssl_authority ca(files / "ca", "jeton-interop");
        ca.issue("localhost");
        return ca;
    }();
    return made;
}

std::shared_ptr<http::client> new_client(asio::io_context& io, bool h2, std::size_t connections = 64)
{
    http::client_options options;
    options.tls.ca_file = authority().certificate().string();
    options.protocol = h2 ? http::protocol_choice::http_2 : http::protocol_choice::http_1_1;
    options.connections_per_origin = connections;
    return std::make_shared<http::client>(serial(io), std::move(options));
}

asio::awaitable<http::response> exchange(visit& on, http::request what, int status)
{
    auto answer = co_await on.over->send(std::move(what));
    BOOST_TEST_REQUIRE(answer.has_value(), explain(answer) << '\n' << on.at.complaints());
    BOOST_TEST(answer->status() == status);
    BOOST_TEST(answer->protocol() == (on.h2 ? "h2" : "http/1.1"));
    co_return std::move(*answer);
}

// The answer before this one ended where it should have.
asio::awaitable<void> go_on(visit& on)
{
    auto const answer = co_await exchange(on, http::request::get(on.at.url("/get")), 200);
    BOOST_TEST(answer.text() == "got\n");
    BOOST_TEST(answer.reused());
}

asio::awaitable<void> get(visit& on)
{
    auto const answer = co_await exchange(on, http::request::get(on.at.url("/get")), 200);
    BOOST_TEST(answer.text() == "got\n");
    co_await go_on(on);
}

asio::awaitable<void> head(visit& on)
{
    // J6: a length that is told, and no body
    auto const answer = co_await exchange(on, http::request::head(on.at.url("/megabyte")), 200);
    BOOST_TEST(answer.text().empty());
    BOOST_TEST(answer.header("Content-Length").value_or("1048576") == "1048576");
    co_await go_on(on);
}

std::string sha256_of(std::string const& bytes)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string text;
    for (unsigned i = 0; i < size; ++i)
        for (auto const half : {digest[i] >> 4, digest[i] & 15})
            text += "0123456789abcdef"[half];
    return text;
}

asio::awaitable<void> post_1_mb(visit& on)
{
    auto const body = megabyte();
    auto const answer = co_await exchange(on, http::request::post(on.at.url("/post"), body), 200);
    auto const expected = on.kind.echoes ? body : std::to_string(body.size()) + ' ' + sha256_of(body);
    BOOST_TEST((answer.text() == expected), answer.text().substr(0, 100));
    co_await go_on(on);
}

asio::awaitable<void> chunked_answer(visit& on)
{
    // J3: an answer whose length nobody knew
    std::string expected;
    for (int i = 0; i < 1600; ++i)
        expected += "0123456789";
    auto what =
        on.kind.echoes ? http::request::post(on.at.url("/post"), expected) : http::request::get(on.at.url("/chunked"));
    auto const answer = co_await exchange(on, std::move(what), 200);
    BOOST_TEST(answer.text() == expected);
    BOOST_TEST(!answer.header("Content-Length"));
    if (!on.h2)
        BOOST_TEST(answer.header("Transfer-Encoding").value_or("") == "chunked");
    co_await go_on(on);
}

asio::awaitable<void> no_content_204(visit& on)
{
    auto const answer = co_await exchange(on, http::request::get(on.at.url("/204")), 204);
    BOOST_TEST(answer.text().empty());
    co_await go_on(on);
}

asio::awaitable<void> not_modified_304(visit& on)
{
    auto what = http::request::get(on.at.url("/304"));
    what.header("If-None-Match", "\"it\"").header("If-Modified-Since", "Thu, 31 Dec 2099 23:59:59 GMT");
    auto const answer = co_await exchange(on, std::move(what), 304);
    BOOST_TEST(answer.text().empty());
    co_await go_on(on);
}

asio::awaitable<void> answer_of_1_mb(visit& on)
{
    auto const answer = co_await exchange(on, http::request::get(on.at.url("/megabyte")), 200);
    BOOST_TEST((answer.text() == megabyte()), answer.text().size() << " bytes");
    co_await go_on(on);
}

asio::awaitable<void> get_slowly(visit& on, std::vector<std::string>& failures)
{
    auto const answer = co_await on.over->send(http::request::get(on.at.url("/slow")));
    if (!answer || answer->status() != 200)
        failures.push_back(answer ? std::to_string(answer->status()) : answer.error().to_string());
}

// K3: nothing retries here, so a stream beyond the limit would be a failure.
asio::awaitable<void> more_at_once_than_streams(visit& on)
{
    for (std::size_t const connections : {1, 3}) {
        on.over = new_client(on.io, on.h2, connections);
        auto const before = on.at.seen().size();
        auto const number = static_cast<int>(connections * on.limit() + 20);
        std::vector<std::string> failures;
        co_await for_all(number, number, [&](int) { return get_slowly(on, failures); });
        BOOST_TEST(failures.empty(), failures.size() << ", " << (failures.empty() ? "" : failures.front()));

        auto const pools = on.over->snapshot();
        BOOST_TEST_REQUIRE(pools.size() == 1U);
        BOOST_TEST(pools.front().connections_made == connections);
        std::size_t most = 0;
        auto const seen = on.at.seen();
        for (auto i = before; i < seen.size(); ++i)
            most = std::max(most, seen[i].in_flight);
        BOOST_TEST(seen.size() - before == static_cast<std::size_t>(number));
        BOOST_TEST(most <= connections * on.limit());
        // It is made use of, too.
        if (!on.kind.echoes && on.limit() < 100)
            BOOST_TEST(most > (connections - 1) * on.limit());
        co_await on.over->shut_down();
    }
}

struct tally {
    int got = 0;
    int sent_again = 0;
    std::vector<std::string> failed_gets{};
    std::map<std::string, std::optional<failure>> posts{};  // what we believe became of each
};

asio::awaitable<void> get_or_post(visit& on, http::transport& api, tally& count, int number)
{
    if (number % 4 != 0) {
        auto const answer = co_await api.send(http::request::get(on.at.url("/get?" + std::to_string(number))));
        if (answer && answer->attempts() > 1)
            ++count.sent_again;
        if (answer && answer->status() == 200)
            ++count.got;
        else
            count.failed_gets.push_back(answer ? std::to_string(answer->status()) : answer.error().to_string());
    } else {
        auto const target = "/post?" + std::to_string(number);
        auto const answer = co_await api.send(http::request::post(on.at.url(target), "{}"));
        count.posts[target] = answer ? std::nullopt : std::optional(answer.error());
    }
}

constexpr int bursts = 3;
constexpr int burst = 64;

// Pauses of about the time after which the server closes idle connections: some of a burst's requests are on their way
// to it while the news of the connection's end are on theirs from it.
asio::awaitable<void> load(visit& on, tally& count)
{
    auto const api = http::with_retries(on.over, serial(on.io), machine_clock());
    std::uint64_t made_at_first = 0;
    for (int i = 0; i < bursts; ++i) {
        co_await for_all(burst, 16, [&, i](int number) { return get_or_post(on, *api, count, i * burst + number); });
        if (i == 0)
            made_at_first = on.over->snapshot().at(0).connections_made;
        if (i + 1 != bursts && on.kind.closes_connections)
            co_await wait_for(on.kind.shortest_idle + milliseconds(20 * i - 8));
        else if (i + 1 != bursts)
            on.at.restart();
    }
    BOOST_TEST(on.over->snapshot().at(0).connections_made > made_at_first);  // otherwise none has died
}

// J15, K5: a GET that meets a dead connection is sent again, a POST only if it was not processed
asio::awaitable<void> connections_that_die(visit& on)
{
    tally count;
    co_await load(on, count);

    BOOST_TEST(count.failed_gets.empty(), (count.failed_gets.empty() ? "" : count.failed_gets.front()));
    BOOST_TEST(count.got == bursts * burst * 3 / 4);
    BOOST_TEST(count.posts.size() == static_cast<std::size_t>(bursts * burst / 4));
    std::map<std::string, int> on_the_wire;
    for (auto const& one : on.at.seen())
        if (one.method == "POST")
            ++on_the_wire[one.target];
    for (auto const& [target, why] : count.posts) {
        if (!why)
            BOOST_TEST(on_the_wire[target] == 1, target);
        else if (why->safe_to_resend())
            BOOST_TEST(on_the_wire[target] == 0, target << ": " << why->to_string());
        else
            BOOST_TEST(on_the_wire[target] <= 1, target << ": " << why->to_string());
    }
}

struct flood {
    asio::steady_timer finished;
    int answered = 0;
    int sent_again = 0;
    std::vector<std::string> failures{};
};

asio::awaitable<void> one_of_many(visit& on, std::shared_ptr<http::transport> api, std::shared_ptr<flood> count)
{
    auto const answer = co_await api->send(http::request::get(on.at.url("/here")));
    if (!answer || answer->status() != 200)
        count->failures.push_back(answer ? std::to_string(answer->status()) : answer.error().to_string());
    else if (answer->attempts() > 1)
        ++count->sent_again;
    ++count->answered;
    count->finished.cancel();
}

// The server is told to read its configuration anew, twice a second, while a request leaves every millisecond, whatever
// became of those before it.
asio::awaitable<void> reload_under_1000_a_second(visit& on)
{
    auto const last = milliseconds(std::getenv("JETON_TEST_LONG") ? 30000 : 3000);
    auto const executor = co_await asio::this_coro::executor;
    auto const api = http::with_retries(on.over, serial(on.io), machine_clock());
    auto const count = std::make_shared<flood>(flood{asio::steady_timer(executor, steady::time_point::max())});
    std::vector<std::unique_ptr<peer>> reloads;
    auto const begin = steady::now();
    int sent = 0;
    for (auto passed = milliseconds(0); passed < last;
         passed = std::chrono::duration_cast<milliseconds>(steady::now() - begin)) {
        for (; sent < passed.count(); ++sent)
            asio::co_spawn(executor, one_of_many(on, api, count), asio::detached);
        if (passed > milliseconds(500) * (reloads.size() + 1)) {
            BOOST_TEST((reloads.empty() || !reloads.back()->running()));
            reloads.push_back(on.at.reload());
        }
        co_await wait_for(milliseconds(2));
    }
    while (count->answered < sent) {
        try {
            co_await count->finished.async_wait(asio::use_awaitable);
        } catch (std::system_error const&) {  // how a cancelled timer says it
        }
    }
    auto const took = std::chrono::duration_cast<milliseconds>(steady::now() - begin);
    BOOST_TEST_MESSAGE(sent << " requests in " << took.count() << " ms, " << reloads.size() << " reloads, "
                            << count->sent_again << " sent again, " << on.over->snapshot().front().connections_made
                            << " connections");
    BOOST_TEST(reloads.size() >= 4U);
    BOOST_TEST(took < 3 * last);  // that many a second are answered, too, unless the machine is busy otherwise
    BOOST_TEST(count->failures.empty(), count->failures.size()
                                            << ", " << (count->failures.empty() ? "" : count->failures.front()));
    auto const said = on.at.complaints();
    std::size_t workers_gone = 0;
    for (auto at = said.find("gracefully shutting down"); at != std::string::npos;
         at = said.find("gracefully shutting down", at + 1))
        ++workers_gone;
    BOOST_TEST(workers_gone >= reloads.size());
}

using test = asio::awaitable<void> (*)(visit&);

void run(server_kind const& kind, server& at, bool h2, test what)
{
    asio::io_context io(1);
    visit on{kind, at, h2, io, new_client(io, h2)};
    static constexpr auto whole = [](visit& to, test one) -> asio::awaitable<void> {
        std::exception_ptr thrown;
        try {
            co_await one(to);
        } catch (...) {
            thrown = std::current_exception();
        }
        co_await to.over->shut_down();
        if (thrown)
            std::rethrow_exception(thrown);
    };
    drive(io, whole(on, what));
}

// Tests that need nothing unusual of a server share one.
struct shared_server {
    server_kind const& kind;
    bool h2;
    std::unique_ptr<server> running{};

    server& started()
    {
        if (!running)
            running = std::make_unique<server>(kind, authority(), h2 ? "h2" : "h1");
        return *running;
    }
};

boost::unit_test::test_suite* tests_of(server_kind const& kind, bool h2)
{
    struct row {
        char const* name;
        test what;
        bool possible = true;
    };
    auto* const suite = BOOST_TEST_SUITE(h2 ? "h2" : "h1");
    auto const shared = std::make_shared<shared_server>(shared_server{kind, h2});
    for (auto const& one :
         {row{"get", get}, row{"head", head}, row{"post_1_mb", post_1_mb}, row{"chunked_answer", chunked_answer},
          row{"no_content_204", no_content_204, !kind.echoes}, row{"not_modified_304", not_modified_304},
          row{"answer_of_1_mb", answer_of_1_mb}, row{"more_at_once_than_streams", more_at_once_than_streams}})
        if (one.possible)
            suite->add(boost::unit_test::make_test_case(
                [&kind, h2, shared, what = one.what] { run(kind, shared->started(), h2, what); }, one.name, __FILE__,
                __LINE__));
    suite->p_fixtures.value.push_back(boost::unit_test::test_unit_fixture_ptr(
        new boost::unit_test::function_based_fixture([] {}, [shared] { shared->running.reset(); })));

    auto const own = [&kind, h2, suite](char const* name, manner how, test what) {
        suite->add(boost::unit_test::make_test_case(
            [&kind, h2, how, what] {
                server at(kind, authority(), h2 ? "h2" : "h1", how);
                run(kind, at, h2, what);
            },
            name, __FILE__, __LINE__));
    };
    own("connections_that_die", manner{.requests = 20, .idle = kind.shortest_idle}, connections_that_die);
    if (!kind.reload.empty())
        own("reload_under_1000_a_second", manner{.streams = 128, .processes = "worker_processes 2;"},
            reload_under_1000_a_second);
    return suite;
}

[[maybe_unused]] bool const added = [] {
    std::string const named = JETON_INTEROP_NAMES;
    for (auto const& kind : server_kinds()) {
        // One that CTest does not know would never be run.
        if ((' ' + named + ' ').find(' ' + std::string(kind.name) + ' ') == std::string::npos)
            throw std::logic_error("not in CMakeLists.txt: " + std::string(kind.name));
        auto* const suite = BOOST_TEST_SUITE(std::string(kind.name));
        if (kind.http_1_1)
            suite->add(tests_of(kind, false));
        suite->add(tests_of(kind, true));
        boost::unit_test::framework::master_test_suite().add(suite);
    }
    return true;
}();

}  // namespace
