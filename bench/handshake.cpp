// SPDX-License-Identifier: BSL-1.0
// What a TLS handshake costs the client, in full and resumed: its own CPU time, the server being another process.
//   PROGRAM PORT CA_FILE HANDSHAKES
#include "net/tcp_stream.hpp"
#include "net/tls_context.hpp"
#include "net/tls_stream.hpp"

#include <jeton/base/clock.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <time.h>

namespace {

using namespace jeton;

double cpu_us()
{
    timespec at{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) * 1e6 + static_cast<double>(at.tv_nsec) / 1e3;
}

struct dialler {
    std::shared_ptr<net::tls_context const> context;
    asio::ip::tcp::endpoint to;
    int failed = 0;
    int resumed = 0;

    asio::awaitable<void> dial(bool resume)
    {
        auto const executor = co_await asio::this_coro::executor;
        asio::ip::tcp::socket socket(executor);
        co_await socket.async_connect(to, asio::use_awaitable);
        net::tls_stream stream(std::make_unique<net::tcp_stream>(std::move(socket)), context, "localhost");
        if (resume)
            stream.resume_sessions_of("localhost", machine_clock()->wall());
        auto const done = co_await stream.handshake();
        failed += !done;
        resumed += done && stream.resumed();
        // The tickets for the next time come behind the handshake.
        (void)co_await stream.ready(net::stream::direction::read);
        char byte = 0;
        (void)stream.read_some({&byte, 1});
        stream.close();
    }
};

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        std::fprintf(stderr, "usage: bench_handshake PORT CA_FILE HANDSHAKES\n");
        return 2;
    }
    net::tls_options options;
    options.ca_file = argv[2];
    dialler d;
    d.context = net::tls_context::client(options);
    d.to = {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(argv[1]))};
    int const each = std::max(std::atoi(argv[3]) / 10, 1);

    // In turn, so that what else the machine does falls on both.
    std::vector<double> full;
    std::vector<double> resumed;
    for (int block = 0; block != 20; ++block) {
        bool const resume = block % 2 == 1;
        auto const begun = cpu_us();
        for (int i = 0; i != each; ++i) {
            asio::io_context io(1);
            asio::co_spawn(io, d.dial(resume), asio::detached);
            io.run();
        }
        (resume ? resumed : full).push_back((cpu_us() - begun) / each);
    }
    auto const median = [](std::vector<double>& of) {
        std::nth_element(of.begin(), of.begin() + 5, of.end());
        return of[5];
    };
    auto const a = median(full);
    auto const b = median(resumed);
    std::printf("full %.0f us, resumed %.0f us, ratio %.2f; %d of %d resumed, %d failed\n", a, b, b / a, d.resumed,
                10 * each, d.failed);
    return d.failed == 0 ? 0 : 1;
}
