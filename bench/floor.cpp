// SPDX-License-Identifier: BSL-1.0

// What is physically there: epoll, OpenSSL on the socket, one fixed request, no parsing beyond
// counting the bytes of an answer whose size is known. No library can be below it.

#include "measured.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace {

struct connection {
    int fd = -1;
    SSL* ssl = nullptr;
    std::size_t got = 0;
    bench::measured::time_point begun{};
};

[[noreturn]] void give_up(char const* what)
{
    ERR_print_errors_fp(stderr);
    throw std::runtime_error(what);
}

connection connect_to(bench::workload const& w, SSL_CTX* context)
{
    connection c;
    c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(w.port)));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(c.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        give_up("connect");
    int const on = 1;
    ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c.ssl = SSL_new(context);
    SSL_set_fd(c.ssl, c.fd);
    SSL_set_tlsext_host_name(c.ssl, w.host);
    SSL_set1_host(c.ssl, w.host);
    if (SSL_connect(c.ssl) != 1)
        give_up("handshake");
    return c;
}

void send_request(connection& c, std::string const& request)
{
    c.got = 0;
    if (SSL_write(c.ssl, request.data(), static_cast<int>(request.size())) != static_cast<int>(request.size()))
        give_up("write");
}

// The size of one whole answer, from its own Content-Length.
std::size_t answer_size(connection& c, std::string const& request)
{
    send_request(c, request);
    std::string all;
    char buffer[16384];
    for (;;) {
        int const n = SSL_read(c.ssl, buffer, sizeof buffer);
        if (n <= 0)
            give_up("read");
        all.append(buffer, static_cast<std::size_t>(n));
        auto const end = all.find("\r\n\r\n");
        auto const length = all.find("Content-Length: ");
        if (end == std::string::npos || length == std::string::npos)
            continue;
        auto const size = end + 4 + std::stoul(all.substr(length + 16));
        if (all.size() >= size)
            return size;
    }
}

}  // namespace

int main(int argc, char** argv)
{
    auto const w = bench::workload::from(argc, argv);
    std::signal(SIGPIPE, SIG_IGN);

    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    if (SSL_CTX_load_verify_locations(context, w.ca_file.c_str(), nullptr) != 1)
        give_up("CA file");

    auto const request = bench::http_1_1_request(w);
    int const poll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<connection> connections;
    for (std::uint64_t i = 0; i != w.in_flight; ++i)
        connections.push_back(connect_to(w, context));
    auto const size = answer_size(connections.front(), request);

    bench::measured work(w);
    for (auto& c : connections) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        event.data.ptr = &c;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, c.fd, &event);
        if (work.start(c.begun))
            send_request(c, request);
    }
    static char buffer[16384];
    epoll_event events[64];
    while (!work.done()) {
        int const n = ::epoll_wait(poll, events, 64, -1);
        for (int i = 0; i < n; ++i) {
            auto& c = *static_cast<connection*>(events[i].data.ptr);
            while (c.got < size) {
                int const got = SSL_read(c.ssl, buffer, sizeof buffer);
                if (got > 0)
                    c.got += static_cast<std::size_t>(got);
                else if (SSL_get_error(c.ssl, got) == SSL_ERROR_WANT_READ)
                    break;
                else
                    give_up("read");
            }
            if (c.got >= size) {
                c.got = 0;
                work.finish(c.begun);
                if (work.start(c.begun))
                    send_request(c, request);
            }
        }
    }
    work.print();
}
