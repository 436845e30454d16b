// SPDX-License-Identifier: BSL-1.0
#include "support/wire_client.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jeton::testing {

wire_client::wire_client(std::uint16_t port, std::string const& ca_pem, std::string const& host,
                         std::string const& protocol, wire_client const* before)
    : socket_(::socket(AF_INET, SOCK_STREAM, 0)), context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_))
{
    std::signal(SIGPIPE, SIG_IGN);
    timeval const limit{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        return;

    auto* const bio = BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size()));
    auto* const ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    if (ca != nullptr)
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), ca);
    X509_free(ca);
    SSL_set_verify(ssl_, SSL_VERIFY_PEER, nullptr);
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host.c_str()) != 1) {
        SSL_set1_host(ssl_, host.c_str());
        SSL_set_tlsext_host_name(ssl_, host.c_str());
    }
    if (auto const list = static_cast<char>(protocol.size()) + protocol; !protocol.empty())
        SSL_set_alpn_protos(ssl_, reinterpret_cast<unsigned char const*>(list.data()),
                            static_cast<unsigned>(list.size()));
    if (auto* const session = before == nullptr ? nullptr : SSL_get1_session(before->ssl_); session != nullptr) {
        SSL_set_session(ssl_, session);
        SSL_SESSION_free(session);
    }
    ERR_clear_error();
    SSL_set_fd(ssl_, socket_);
    connected_ = SSL_connect(ssl_) == 1;
}

wire_client::~wire_client()
{
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(socket_);
}

bool wire_client::send(std::string_view bytes)
{
    return connected_ && SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

std::string wire_client::protocol() const
{
    unsigned char const* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<char const*>(name), size};
}

bool wire_client::more()
{
    if (!connected_ || end_ != end::open)
        return false;
    char buffer[16384];
    ERR_clear_error();
    errno = 0;
    auto const n = SSL_read(ssl_, buffer, sizeof buffer);
    if (n > 0) {
        received_.append(buffer, static_cast<std::size_t>(n));
        return true;
    }
    auto const error = SSL_get_error(ssl_, n);
    if (error == SSL_ERROR_ZERO_RETURN)
        end_ = end::notified;
    else if (errno == ECONNRESET || errno == EPIPE)
        end_ = end::reset;
    else if (error == SSL_ERROR_SSL || (error == SSL_ERROR_SYSCALL && errno == 0))
        end_ = end::truncated;
    return false;
}

std::string wire_client::answer()
{
    auto whole = std::string::npos;
    for (;;) {
        if (auto const head = received_.find("\r\n\r\n"); head != std::string::npos) {
            auto const length = received_.find("Content-Length: ");
            whole = head + 4 + (length < head ? std::strtoul(received_.c_str() + length + 16, nullptr, 10) : 0);
            if (received_.size() >= whole)
                break;
        }
        if (!more())
            break;
    }
    auto const size = std::min(whole, received_.size());
    auto const text = received_.substr(0, size);
    received_.erase(0, size);
    return text;
}

wire_client::end wire_client::how_it_ends()
{
    while (more()) {
    }
    return end_;
}

}  // namespace jeton::testing
