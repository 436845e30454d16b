// SPDX-License-Identifier: BSL-1.0
// What an idle connection holds. The server is another process, so that only the client's memory counts.
#include "testing/certificates.hpp"

#include <jeton/http/client.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <csignal>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace jeton;
using namespace std::chrono_literals;
using http::protocol_choice;

namespace {

struct listener {
    listener() : descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        if (::bind(descriptor, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(descriptor, 4096) != 0
            || ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&at), &size) != 0)
            throw std::runtime_error("no port to listen on");
        port = ntohs(at.sin_port);
    }
    ~listener() { ::close(descriptor); }

    int descriptor;
    std::uint16_t port = 0;
};

X509* certificate_from(std::string const& pem)
{
    auto* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    auto* const read = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    return read;
}

EVP_PKEY* key_from(std::string const& pem)
{
    auto* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    auto* const read = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    return read;
}

// Takes connections, answers each request of HTTP/1.1 as it comes, says of HTTP/2 what it must, and is otherwise silent. Never returns.
[[noreturn]] void serve(std::vector<std::unique_ptr<listener>> const& listening,
                        testing::issued_certificate const& made, bool h2)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::signal(SIGPIPE, SIG_IGN);
    auto* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, certificate_from(made.chain));
    SSL_CTX_use_PrivateKey(context, key_from(made.key));
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(
        context,
        [](SSL*, unsigned char const** out, unsigned char* size, unsigned char const* in, unsigned, void*) {
            *out = in + 1;
            *size = in[0];
            return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    struct one {
        int fd;
        SSL* ssl;
        bool greeted;
    };
    int const poll = ::epoll_create1(EPOLL_CLOEXEC);
    for (auto const& l : listening) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = new one{l->descriptor, nullptr, false};
        ::fcntl(l->descriptor, F_SETFL, O_NONBLOCK);
        ::epoll_ctl(poll, EPOLL_CTL_ADD, l->descriptor, &event);
    }
    epoll_event events[64];
    for (;;) {
        int const n = ::epoll_wait(poll, events, 64, -1);
        for (int i = 0; i < n; ++i) {
            auto* const c = static_cast<one*>(events[i].data.ptr);
            if (c->ssl == nullptr) {
                for (int fd = 0; (fd = ::accept4(c->fd, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
                    auto* const ssl = SSL_new(context);
                    SSL_set_fd(ssl, fd);
                    SSL_set_accept_state(ssl);
                    epoll_event of_it{};
                    of_it.events = EPOLLIN;
                    of_it.data.ptr = new one{fd, ssl, false};
                    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &of_it);
                }
                continue;
            }
            char bytes[16384];
            ERR_clear_error();
            auto const got = SSL_read(c->ssl, bytes, sizeof bytes);
            if (got <= 0) {
                if (SSL_get_error(c->ssl, got) == SSL_ERROR_WANT_READ)
                    continue;
                ::close(c->fd);
                SSL_free(c->ssl);
                delete c;
                continue;
            }
            // SETTINGS, and an acknowledgement.
            std::string_view const answer = h2 ? std::string_view("\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 18)
                                               : std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
            if (!h2 || !c->greeted)
                SSL_write(c->ssl, answer.data(), static_cast<int>(answer.size()));
            c->greeted = true;
        }
    }
}

// Kilobytes that a file of /proc has behind a name.
std::size_t kib(char const* file, std::string_view name)
{
    std::ifstream from(file);
    for (std::string line; std::getline(from, line);)
        if (line.starts_with(name))
            return std::strtoul(line.c_str() + name.size(), nullptr, 10);
    return 0;
}

struct memory {
    std::size_t process = kib("/proc/self/smaps_rollup", "Private_Dirty:");
    std::size_t heap = ::mallinfo2().uordblks / 1024 + ::mallinfo2().hblkhd / 1024;
    std::size_t kernel = kib("/proc/meminfo", "Slab:");  // of the whole machine, both ends of the connections included
};

// As many connections as descriptors allow; the server has as many.
std::size_t allowed(std::size_t wanted)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted + 300);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted + 300)
        return wanted;
    BOOST_TEST_MESSAGE("this process may have " << limit.rlim_cur << " descriptors only");
    return static_cast<std::size_t>(limit.rlim_cur) - 300;
}

// `origins`: over HTTP/2 one connection is enough for an origin, so there have to be many; what is kept of each, such as its TLS sessions,
// counts, too.
void check_idle_connections(protocol_choice protocol, std::size_t wanted, double most_kib, bool used,
                            std::size_t origins = 1)
{
    auto const count = allowed(wanted + origins) - origins;
    auto const authority = testing::certificate_authority::make("idle");
    testing::certificate_request request;
    request.names = {"localhost"};
    auto const certificate = authority.issue(request);
    std::vector<std::unique_ptr<listener>> at(origins);
    for (auto& l : at)
        l = std::make_unique<listener>();
    auto const server = ::fork();
    BOOST_REQUIRE(server >= 0);
    if (server == 0)
        serve(at, certificate, protocol == protocol_choice::http_2);

    asio::io_context io{1};
    http::client_options o;
    o.tls.ca_pem = authority.pem();
    o.protocol = protocol;
    o.connections = o.connections_per_origin = count;
    o.waiting_requests = count;
    o.idle = 10min;
    o.age = 0s;
    o.queue = o.total = 5min;
    {
        http::client client(serial(io), o);
        // Of origins, so many more.
        std::size_t next = 0;
        auto const open = [&](std::size_t more, std::size_t n) {
            std::size_t ready = 0;
            std::size_t answered = 0;
            std::size_t asked = 0;
            for (auto const end = std::min(next + more, origins); next != end; ++next) {
                auto const url = "https://localhost:" + std::to_string(at[next]->port) + "/";
                bool over = false;
                asio::co_spawn(io, client.warm(url, n), [&](std::exception_ptr, result<void> r) {
                    over = true;
                    ready += r.has_value();
                });
                while (!over)
                    io.run_one_for(100ms);
                for (std::size_t i = 0; used && i != n; ++i, ++asked)
                    asio::co_spawn(io, client.send(http::request::get(url)),
                                   [&](std::exception_ptr, result<http::response> r) { answered += r.has_value(); });
            }
            auto const limit = std::chrono::steady_clock::now() + 1min;
            while (answered != asked && std::chrono::steady_clock::now() < limit)
                io.run_one_for(100ms);
            BOOST_TEST(answered == asked);
            // Buffers are kept for a moment.
            io.run_for(2500ms);
        };
        auto const made = [&] {
            std::size_t all = 0;
            for (auto const& each : client.snapshot())
                all += each.idle;
            return all;
        };
        // What the first ones bring about is not the connections'.
        auto const share = count / origins;
        if (origins == 1) {
            open(1, 50);
            next = 0;
        } else {
            open(50, 1);
        }
        auto const first = made();
        memory const before;
        open(origins, share);
        ::malloc_trim(0);
        memory const after;
        BOOST_TEST(made() >= count);
        auto const of_each = [&](std::size_t from, std::size_t to) {
            return static_cast<double>(to - std::min(from, to)) / static_cast<double>(made() - first);
        };
        auto const process = of_each(before.process, after.process);
        auto const kernel = of_each(before.kernel, after.kernel) / 2;
        BOOST_TEST_MESSAGE(
            made() << " idle connections over " << (protocol == protocol_choice::http_2 ? "HTTP/2" : "HTTP/1.1")
                   << (used ? ", used" : ", unused") << ": each " << process << " KiB of the process (heap "
                   << of_each(before.heap, after.heap) << " KiB), and some " << kernel << " KiB of the kernel's");
        BOOST_TEST(process + kernel <= most_kib);
        // The handshake's buffers are worth 32 KiB, not all of which it wrote to.
        if (protocol == protocol_choice::http_1_1)
            BOOST_TEST(of_each(before.heap, after.heap) <= 28);
    }
    io.restart();
    io.run_for(10s);
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_idle_connections)

BOOST_AUTO_TEST_CASE(ten_thousand_http1_connections_that_nobody_has_used_take_40_kibibytes_each_at_most)
{
    check_idle_connections(protocol_choice::http_1_1, 10'000, 40, false);
}

BOOST_AUTO_TEST_CASE(a_thousand_http1_connections_that_were_used_take_40_kibibytes_each_at_most)
{
    check_idle_connections(protocol_choice::http_1_1, 1'000, 40, true);
}

BOOST_AUTO_TEST_CASE(a_thousand_http2_connections_to_as_many_origins_take_64_kibibytes_each_at_most)
{
    check_idle_connections(protocol_choice::http_2, 1'000, 64, false, 1'000);
}

BOOST_AUTO_TEST_SUITE_END()
