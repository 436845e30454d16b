// SPDX-License-Identifier: BSL-1.0

// The workload over one HTTP/2 connection, with nghttp2 and OpenSSL and nothing else: epoll, one fixed request, no look at
// what the answers hold. Reads all records that are there, then writes all frames of the turn at once.

#include "measured.hpp"

#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t largest_record = 16384;

[[noreturn]] void give_up(char const* what)
{
    ERR_print_errors_fp(stderr);
    throw std::runtime_error(what);
}

class client {
public:
    explicit client(bench::workload const& w)
        : work_(w), measured_(w), authority_(w.authority()), authorization_("Bearer " + bench::bearer_token())
    {
        connect();
        nghttp2_session_callbacks* hear = nullptr;
        nghttp2_session_callbacks_new(&hear);
        nghttp2_session_callbacks_set_on_stream_close_callback(hear, on_stream_close);
        nghttp2_session_callbacks_set_on_header_callback(hear, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(hear, on_data);
        nghttp2_session_client_new(&session_, hear, this);
        nghttp2_session_callbacks_del(hear);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
        nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 4 * 1024 * 1024);
    }

    void run()
    {
        begun_.resize(work_.in_flight);
        for (auto& begun : begun_)
            submit(begun);
        int const poll = ::epoll_create1(EPOLL_CLOEXEC);
        epoll_event event{};
        event.events = EPOLLIN;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, socket_, &event);
        while (!measured_.done()) {
            flush();
            if (!read())
                ::epoll_wait(poll, &event, 1, -1);
        }
        measured_.print();
    }

private:
    void connect()
    {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(work_.port)));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            give_up("connect");
        int const on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_read_ahead(context, 1);
        if (SSL_CTX_load_verify_locations(context, work_.ca_file.c_str(), nullptr) != 1)
            give_up("CA file");
        tls_ = SSL_new(context);
        SSL_set_fd(tls_, socket_);
        SSL_set_tlsext_host_name(tls_, work_.host);
        SSL_set1_host(tls_, work_.host);
        static unsigned char const h2[] = {2, 'h', '2'};
        SSL_set_alpn_protos(tls_, h2, sizeof h2);
        if (SSL_connect(tls_) != 1)
            give_up("handshake");
        ::fcntl(socket_, F_SETFL, O_NONBLOCK);
    }

    static nghttp2_nv field(std::string_view name, std::string_view value, std::uint8_t flags = NGHTTP2_NV_FLAG_NONE)
    {
        auto const bytes = [](std::string_view text) {
            return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
        };
        return {bytes(name), bytes(value), name.size(), value.size(), flags};
    }

    // Sends one more request, if there is one; `begun` stays with its stream.
    void submit(bench::measured::time_point& begun)
    {
        if (!measured_.start(begun))
            return;
        std::array const fields{field(":method", work_.post ? "POST" : "GET"),
                                field(":scheme", "https"),
                                field(":authority", authority_),
                                field(":path", bench::workload::path),
                                field("user-agent", "jeton/0.1.0"),
                                field("accept", "application/json"),
                                field("authorization", authorization_, NGHTTP2_NV_FLAG_NO_INDEX),
                                field("content-type", "application/json"),
                                field("content-length", content_length_)};
        // The last two belong to a body.
        auto const count = work_.post ? fields.size() : fields.size() - 2;
        nghttp2_data_provider const body{.source = {.ptr = &body_}, .read_callback = on_body};
        if (nghttp2_submit_request(session_, nullptr, fields.data(), count, work_.post ? &body : nullptr, &begun) < 0)
            give_up("submit");
    }

    void flush()
    {
        out_.clear();
        std::uint8_t const* piece = nullptr;
        for (auto n = nghttp2_session_mem_send(session_, &piece); n > 0; n = nghttp2_session_mem_send(session_, &piece))
            out_.append(reinterpret_cast<char const*>(piece), static_cast<std::size_t>(n));
        for (std::string_view left = out_; !left.empty();) {
            auto const n = SSL_write(tls_, left.data(), static_cast<int>(std::min(left.size(), largest_record)));
            if (n > 0)
                left.remove_prefix(static_cast<std::size_t>(n));
            else if (SSL_get_error(tls_, n) != SSL_ERROR_WANT_WRITE)
                give_up("write");
        }
    }

    // Returns whether there was anything.
    bool read()
    {
        bool any = false;
        for (;;) {
            auto const n = SSL_read(tls_, in_.data(), static_cast<int>(in_.size()));
            if (n <= 0) {
                if (SSL_get_error(tls_, n) != SSL_ERROR_WANT_READ)
                    give_up("read");
                return any;
            }
            if (nghttp2_session_mem_recv(session_, in_.data(), static_cast<std::size_t>(n)) < 0)
                give_up("frames");
            any = true;
        }
    }

    static ssize_t on_body(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t room, std::uint32_t* flags,
                           nghttp2_data_source* source, void*)
    {
        auto const& body = *static_cast<std::string const*>(source->ptr);
        if (room < body.size())
            give_up("body");
        std::memcpy(to, body.data(), body.size());
        *flags = NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(body.size());
    }

    static int on_header(nghttp2_session*, nghttp2_frame const*, std::uint8_t const*, std::size_t, std::uint8_t const*,
                         std::size_t, std::uint8_t, void*)
    {
        return 0;
    }

    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t, std::uint8_t const*, std::size_t, void*)
    {
        return 0;
    }

    static int on_stream_close(nghttp2_session* session, std::int32_t stream, std::uint32_t code, void* self)
    {
        if (code != NGHTTP2_NO_ERROR)
            give_up("stream");
        auto& me = *static_cast<client*>(self);
        auto& begun = *static_cast<bench::measured::time_point*>(nghttp2_session_get_stream_user_data(session, stream));
        me.measured_.finish(begun);
        me.submit(begun);
        return 0;
    }

    bench::workload const& work_;
    bench::measured measured_;
    std::string authority_;
    std::string authorization_;
    std::string body_ = bench::json_body();
    std::string content_length_ = std::to_string(body_.size());
    int socket_ = -1;
    SSL* tls_ = nullptr;
    nghttp2_session* session_ = nullptr;
    std::vector<bench::measured::time_point> begun_{};
    std::string out_{};
    std::vector<std::uint8_t> in_ = std::vector<std::uint8_t>(largest_record);
};

}  // namespace

int main(int argc, char** argv)
{
    auto const w = bench::workload::from(argc, argv);
    std::signal(SIGPIPE, SIG_IGN);
    client(w).run();
}
