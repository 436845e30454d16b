// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/h2_listener.hpp"
#include "testing/certificates.hpp"

#include <openssl/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace jeton::net {
class tls_context;
}

namespace jeton::testing {

/// A TLS server on real sockets whose scripts say every byte above TLS, and some within. On 127.0.0.1, with threads of its own: one that
/// accepts, and one for each connection, which does blocking I/O and gives up after 10 s.
class rogue_server {
public:
    /// One connection, as its script has it. Lives on the thread of the connection.
    class talk {
    public:
        SSL* tls() const noexcept { return ssl_; }
        int descriptor() const noexcept { return socket_; }

        /// \returns false: the client is gone, or takes nothing for so long
        bool say(std::string_view bytes);

        /// Says it again and again until the client is gone or `most` bytes are said.
        void flood(std::string_view unit, std::size_t most = 64 * 1024 * 1024);

        /// Waits for more bytes. \returns false: none will come
        bool more();

        /// What HTTP/2 the client spoke; to be looked at between two calls of `more`.
        h2_listener heard{};
        std::string raw{};  ///< all that came, if it speaks HTTP/1.1

        bool await_requests(std::size_t n);          ///< so many HEADERS since the beginning
        std::vector<std::uint32_t> streams() const;  ///< of those requests, in their order
        bool await_end();                            ///< \returns whether the client has gone

        /// Answers whatever is asked with "fine", until the end.
        void be_good(std::size_t from_request = 0);

        /// Either protocol: waits for one request and answers it with "fine".
        bool answer_one();

        /// Now it begins: time and costs are counted from here.
        void strike();

        /// TLS 1.3: a handshake message of the script's own making, as the first record behind the handshake.
        /// OpenSSL can say nothing any more afterwards.
        bool say_in_handshake(std::string_view message);

        /// No packet reaches this side any more. What waits, waits for the end of the server.
        void go_dead();

    private:
        friend class rogue_server;
        talk(rogue_server& owner, int socket) : owner_(owner), socket_(socket) {}

        rogue_server& owner_;
        int socket_;
        SSL* ssl_ = nullptr;
        bool said_preface_ = false;
        std::size_t answered_ = 0;
    };

    using script = std::function<void(talk&)>;

    static void good(talk& t) { t.be_good(); }

    struct options {
        std::string alpn = "h2";
        int lowest_tls = 0;    ///< OpenSSL's numbers; 0: TLS 1.2
        int highest_tls = 0;   ///< 0: TLS 1.3
        std::string suites{};  ///< of TLS 1.2; empty: good ones
        unsigned tickets = 0;  ///< that it offers
    };

    /// \param first  of the first connection
    /// \param later  of all others
    rogue_server(issued_certificate const& certificate, script first, script later, options how);
    rogue_server(
        issued_certificate const& certificate, script first, script later = [](talk& l) { l.be_good(); });
    ~rogue_server();
    rogue_server(rogue_server const&) = delete;
    rogue_server& operator=(rogue_server const&) = delete;

    /// The kernel drops every packet for that socket, whatever it is: the other end is not acknowledged anything.
    static void drop_what_comes_to(int descriptor);

    std::uint16_t port() const noexcept { return port_; }
    std::string url(std::string_view path) const;
    int connections() const noexcept { return connections_; }

    /// The first connection's script has come to its end.
    bool over() const noexcept { return over_; }

    std::optional<std::chrono::steady_clock::time_point> struck() const;

private:
    void accept_all();
    void serve(int socket, script const& what, bool first);

    std::shared_ptr<net::tls_context> context_;
    script const first_;
    script const later_;
    options const how_;
    int listening_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::atomic<bool> over_ = false;
    std::atomic<std::int64_t> struck_ = 0;
    std::mutex busy_{};
    std::list<int> open_{};
    std::list<std::jthread> threads_{};
    std::jthread acceptor_{};
};

}  // namespace jeton::testing
