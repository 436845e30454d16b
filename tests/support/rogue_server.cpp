// SPDX-License-Identifier: BSL-1.0
#include "support/rogue_server.hpp"

#include "net/tls_context.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jeton::testing {

namespace {

// Where a connection keeps the secret that its records are encrypted with.
thread_local std::string traffic_secret;

void on_key(SSL const*, char const* line)
{
    std::string_view const text(line);
    if (!text.starts_with("SERVER_TRAFFIC_SECRET_0 "))
        return;
    auto const hex = text.substr(text.rfind(' ') + 1);
    traffic_secret.clear();
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        traffic_secret += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
}

// RFC 8446 §7.1, with an empty context.
std::string expand_label(std::string const& secret, std::string label, std::size_t size)
{
    auto* const kdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_3_KDF, nullptr);
    auto* const context = EVP_KDF_CTX_new(kdf);
    std::string digest = secret.size() == 48 ? "SHA384" : "SHA256";
    std::string prefix = "tls13 ";
    std::string nothing;
    auto key = secret;
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM const parameters[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix.data(), prefix.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, label.data(), label.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_DATA, nothing.data(), 0),
        OSSL_PARAM_construct_end(),
    };
    std::string made(size, '\0');
    bool const done =
        EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(made.data()), made.size(), parameters) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    if (!done)
        throw std::runtime_error("a TLS key could not be derived");
    return made;
}

unsigned char const* bytes_of(std::string const& s) { return reinterpret_cast<unsigned char const*>(s.data()); }

}  // namespace

bool rogue_server::talk::say(std::string_view bytes)
{
    while (!bytes.empty()) {
        ERR_clear_error();
        auto const n = ssl_ == nullptr ? static_cast<int>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL))
                                       : SSL_write(ssl_, bytes.data(),
                                                   static_cast<int>(std::min(bytes.size(), std::size_t(1) << 20)));
        if (n <= 0)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void rogue_server::talk::flood(std::string_view unit, std::size_t most)
{
    std::string some;
    while (some.size() < 16 * 1024)
        some += unit;
    for (std::size_t said = 0; said < most && say(some); said += some.size()) {
    }
}

bool rogue_server::talk::more()
{
    char buffer[16384];
    ERR_clear_error();
    auto const n = SSL_read(ssl_, buffer, sizeof buffer);
    if (n <= 0)
        return false;
    std::string_view const got(buffer, static_cast<std::size_t>(n));
    if (owner_.how_.alpn != "h2") {
        raw.append(got);
        return true;
    }
    if (!std::exchange(said_preface_, true))
        heard.hear(got.substr(std::min(got.size(), h2::preface.size())));
    else
        heard.hear(got);
    return true;
}

std::vector<std::uint32_t> rogue_server::talk::streams() const
{
    std::vector<std::uint32_t> all;
    for (auto const& f : heard.frames)
        if (f.kind == h2::headers)
            all.push_back(f.stream);
    return all;
}

bool rogue_server::talk::await_requests(std::size_t n)
{
    while (streams().size() < n)
        if (!more())
            return false;
    return true;
}

bool rogue_server::talk::await_end()
{
    while (more()) {
    }
    auto const e = errno;
    return e != EAGAIN && e != EWOULDBLOCK;
}

void rogue_server::talk::be_good(std::size_t from_request)
{
    for (answered_ = from_request; answer_one();) {
    }
}

bool rogue_server::talk::answer_one()
{
    if (owner_.how_.alpn == "h2") {
        if (answered_ == 0 && !say(h2::greeting()))
            return false;
        return await_requests(answered_ + 1) && say(h2::answer(streams()[answered_++], "fine"));
    }
    // Requests without a body, or with one that comes along with the head.
    auto const head = [this] { return raw.find("\r\n\r\n"); };
    while (head() == std::string::npos)
        if (!more())
            return false;
    raw.clear();
    return say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
}

void rogue_server::talk::strike() { owner_.struck_ = std::chrono::steady_clock::now().time_since_epoch().count(); }

bool rogue_server::talk::say_in_handshake(std::string_view message)
{
    auto const* const suite = SSL_get_current_cipher(ssl_);
    if (SSL_version(ssl_) != TLS1_3_VERSION || SSL_CIPHER_get_protocol_id(suite) == 0x1303)
        throw std::logic_error("this is for AES-GCM");
    bool const large = SSL_CIPHER_get_protocol_id(suite) == 0x1302;
    auto const key = expand_label(traffic_secret, "key", large ? 32 : 16);
    auto const nonce = expand_label(traffic_secret, "iv", 12);  // of the record with number 0
    auto const plain = std::string(message) + '\x16';           // RFC 8446 §5.2: the type stands behind
    auto const size = plain.size() + 16;
    std::string const head{'\x17', '\x03', '\x03', static_cast<char>(size >> 8), static_cast<char>(size)};
    std::string sealed(size, '\0');
    auto* const into = reinterpret_cast<unsigned char*>(sealed.data());
    auto* const context = EVP_CIPHER_CTX_new();
    int n = 0;
    EVP_EncryptInit_ex(context, large ? EVP_aes_256_gcm() : EVP_aes_128_gcm(), nullptr, bytes_of(key), bytes_of(nonce));
    EVP_EncryptUpdate(context, nullptr, &n, bytes_of(head), static_cast<int>(head.size()));
    EVP_EncryptUpdate(context, into, &n, bytes_of(plain), static_cast<int>(plain.size()));
    EVP_EncryptFinal_ex(context, into + n, &n);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, into + plain.size());
    EVP_CIPHER_CTX_free(context);
    auto const record = head + sealed;
    return ::send(socket_, record.data(), record.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(record.size());
}

void rogue_server::drop_what_comes_to(int descriptor)
{
    // One instruction: keep nothing of it.
    sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    sock_fprog const program{.len = 1, .filter = drop};
    if (::setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
        throw std::system_error(errno, std::generic_category(), "SO_ATTACH_FILTER");
}

void rogue_server::talk::go_dead()
{
    drop_what_comes_to(socket_);
    // Nothing will come, and the client must not be told of an end.
    timeval const forever{};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
}

rogue_server::rogue_server(issued_certificate const& certificate, script first, script later)
    : rogue_server(certificate, std::move(first), std::move(later), options())
{}

rogue_server::rogue_server(issued_certificate const& certificate, script first, script later, options how)
    : context_(net::tls_context::server(certificate.chain, certificate.key, {how.alpn})),
      first_(std::move(first)),
      later_(std::move(later)),
      how_(std::move(how)),
      listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listening_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listening_, 128) != 0
        || ::getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        throw std::system_error(errno, std::generic_category(), "no port to listen on");
    port_ = ntohs(at.sin_port);
    SSL_CTX_set_keylog_callback(context_->native(), on_key);
    SSL_CTX_set_num_tickets(context_->native(), how_.tickets);
    acceptor_ = std::jthread([this] { accept_all(); });
}

rogue_server::~rogue_server()
{
    ::shutdown(listening_, SHUT_RDWR);
    acceptor_.join();
    {
        std::lock_guard const lock(busy_);
        for (auto const socket : open_)
            ::shutdown(socket, SHUT_RDWR);
    }
    threads_.clear();
    ::close(listening_);
}

std::string rogue_server::url(std::string_view path) const
{
    return "https://localhost:" + std::to_string(port_) + std::string(path);
}

std::optional<std::chrono::steady_clock::time_point> rogue_server::struck() const
{
    auto const at = struck_.load();
    if (at == 0)
        return std::nullopt;
    return std::chrono::steady_clock::time_point(std::chrono::steady_clock::duration(at));
}

void rogue_server::accept_all()
{
    for (;;) {
        auto const socket = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0)
            return;
        bool const first = connections_++ == 0;
        std::lock_guard const lock(busy_);
        open_.push_back(socket);
        threads_.emplace_back([this, socket, first] {
            serve(socket, first ? first_ : later_, first);
            if (first)
                over_ = true;
        });
    }
}

void rogue_server::serve(int socket, script const& what, bool)
{
    // OpenSSL writes without MSG_NOSIGNAL.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    timeval const limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    int const yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);

    talk l(*this, socket);
    l.ssl_ = SSL_new(context_->native());
    SSL_set_fd(l.ssl_, socket);
    if (how_.lowest_tls != 0)
        SSL_set_min_proto_version(l.ssl_, how_.lowest_tls);
    if (how_.highest_tls != 0)
        SSL_set_max_proto_version(l.ssl_, how_.highest_tls);
    if (!how_.suites.empty())
        SSL_set_cipher_list(l.ssl_, how_.suites.c_str());
    if (SSL_accept(l.ssl_) == 1)
        what(l);
    SSL_free(l.ssl_);
    std::lock_guard const lock(busy_);
    open_.remove(socket);
    ::close(socket);
}

}  // namespace jeton::testing
