// SPDX-License-Identifier: BSL-1.0
#include "net/tls_stream.hpp"

#include "base/cancellation.hpp"
#include "base/untrusted_text.hpp"
#include "net/sansio/certificate_verdict.hpp"
#include "net/session_vault.hpp"

#include <jeton/net/error.hpp>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cassert>
#include <ctime>
#include <limits>
#include <new>
#include <utility>

#include <arpa/inet.h>

namespace jeton::net {

namespace {

/// A peer that sends nothing but tickets and key updates keeps us computing for nothing.
constexpr unsigned most_chatter = 32;

/// From so many bytes on, another call costs less than to copy them.
constexpr std::size_t worth_a_call = 4 * 1024;

/// Errors that others left on this thread's queue would be taken for ours.
inline void forget_errors() noexcept
{
    if (ERR_peek_error() != 0) [[unlikely]]
        ERR_clear_error();
}

inline int length_of(std::size_t bytes) noexcept
{
    return static_cast<int>(std::min(bytes, std::size_t(std::numeric_limits<int>::max())));
}

awaitable<std::error_code> at_once() { co_return std::error_code{}; }

}  // namespace

/// The bottom of OpenSSL's I/O: calls the lower stream.
struct tls_bio {
    static int read(BIO* bio, char* into, int size)
    {
        auto& self = *static_cast<tls_stream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (self.chatter_ > most_chatter) {
            self.read_error_ = errc::tls_protocol;
            return -1;
        }
        for (;;) {
            auto const room = static_cast<std::size_t>(size);
            if (auto const n = self.feed_.take(into, room); n != 0) [[likely]]
                return static_cast<int>(n);
            // The rest of a large record need not be copied once more.
            bool const bypass = self.feed_.rest() >= worth_a_call;
            auto const to = bypass ? std::span(into, std::min(room, self.feed_.rest())) : self.feed_.room();
            if (to.empty()) {
                self.read_error_ = std::make_error_code(std::errc::not_enough_memory);
                return -1;
            }
            auto const m = self.lower_->read_some(to);
            if (m.error)
                self.read_error_ = m.error;
            else if (m.bytes == 0)
                BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
            if (m.bytes == 0)
                return -1;
            if (bypass) {
                self.feed_.passed(m.bytes);
                return static_cast<int>(m.bytes);
            }
            self.feed_.commit(m.bytes);
        }
    }

    static int write(BIO* bio, char const* from, int size)
    {
        auto& self = *static_cast<tls_stream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (!self.write_error_) [[likely]] {
            auto const m = self.lower_->write_some({from, static_cast<std::size_t>(size)});
            if (m.bytes != 0) [[likely]]
                return static_cast<int>(m.bytes);
            self.write_error_ = m.error;
        }
        // A fatal error would forbid any further call, while there may be something to read.
        BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    }

    /// Nothing is buffered down here, so flushing succeeds.
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static int create(BIO* bio)
    {
        BIO_set_init(bio, 1);
        return 1;
    }

    static BIO_METHOD const* method()
    {
        static BIO_METHOD* const made = [] {
            auto* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "jeton stream");
            if (m != nullptr) {
                BIO_meth_set_read(m, read);
                BIO_meth_set_write(m, write);
                BIO_meth_set_ctrl(m, control);
                BIO_meth_set_create(m, create);
            }
            return m;
        }();
        return made;
    }
};

tls_stream::tls_stream(std::unique_ptr<stream> lower, std::shared_ptr<tls_context const> context, int)
    : lower_(std::move(lower)), context_(std::move(context)), ssl_(SSL_new(context_->native()))
{
    auto* const bio = ssl_ != nullptr && tls_bio::method() != nullptr ? BIO_new(tls_bio::method()) : nullptr;
    if (bio == nullptr) {
        SSL_free(ssl_);
        throw std::bad_alloc();
    }
    BIO_set_data(bio, this);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_ex_data(ssl_, 0, this);
    SSL_set_info_callback(ssl_, on_info);
}

tls_stream::tls_stream(std::unique_ptr<stream> lower, std::shared_ptr<tls_context const> context, std::string_view host)
    : tls_stream(std::move(lower), std::move(context), 0)
{
    peer_ = peer_identity(host);
    SSL_set_connect_state(ssl_);
    identity_set_ = peer_.expect_from(ssl_);
}

tls_stream::tls_stream(std::unique_ptr<stream> lower, std::shared_ptr<tls_context const> context)
    : tls_stream(std::move(lower), std::move(context), 0)
{
    SSL_set_accept_state(ssl_);
    identity_set_ = true;
}

tls_stream::~tls_stream()
{
    close();
    SSL_free(ssl_);
}

/// Called by OpenSSL's handshake machine only, so it costs nothing where data flows.
void tls_stream::on_info(SSL const* ssl, int where, int value) noexcept
{
    auto& self = *static_cast<tls_stream*>(SSL_get_ex_data(ssl, 0));
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value >> 8) == SSL3_AL_FATAL)
        self.alert_ = value & 0xff;
    else if ((where & SSL_CB_EXIT) != 0 && value > 0 && self.established_)
        ++self.chatter_;
}

int tls_stream::on_session(SSL* ssl, SSL_SESSION* offered) noexcept
{
    auto const& self = *static_cast<tls_stream*>(SSL_get_ex_data(ssl, 0));
    if (self.session_key_.empty())
        return 0;
    try {
        self.context_->sessions().put(self.session_key_, offered);
    } catch (std::bad_alloc const&) {
        // The next handshake is a full one.
    }
    return 0;
}

void tls_stream::resume_sessions_of(std::string key, wall_time now)
{
    session_key_ = std::move(key);
    if (auto const held = context_->sessions().take(session_key_, peer_, now))
        SSL_set_session(ssl_, held.get());
}

void tls_stream::offer_only(std::string protocol)
{
    assert(context_->offers(protocol));
    auto const wire = static_cast<char>(protocol.size()) + protocol;
    if (SSL_set_alpn_protos(ssl_, reinterpret_cast<unsigned char const*>(wire.data()),
                            static_cast<unsigned int>(wire.size()))
        != 0)
        throw std::bad_alloc();
    offered_ = std::move(protocol);
}

bool tls_stream::offered(std::string_view protocol) const noexcept
{
    return offered_.empty() ? context_->offers(protocol) : protocol == offered_;
}

bool tls_stream::resumed() const noexcept { return SSL_session_reused(ssl_) == 1; }

awaitable<result<void>> tls_stream::handshake()
{
    if (!identity_set_)
        co_return failure(errc::certificate_name, phase::tls, delivery::not_sent,
                          "no certificate can be made out to this host");
    for (;;) {
        forget_errors();
        auto const returned = SSL_do_handshake(ssl_);
        if (returned == 1)
            break;
        auto waits = need::nothing;
        auto error = outcome(returned, waits);
        if (!error) {
            auto state = co_await asio::this_coro::cancellation_state;
            if (!cancelled(state))
                error = co_await lower_->ready(waits == need::write ? direction::write : direction::read);
            state = co_await asio::this_coro::cancellation_state;
            if (broken_ || cancelled(state))
                error = jeton::errc::cancelled;
        }
        if (error)
            co_return why(error);
    }
    established_ = true;
    // Up to TLS 1.2 a session serves more than once, and the server need not offer another.
    if (resumed() && SSL_version(ssl_) < TLS1_3_VERSION)
        on_session(ssl_, SSL_get_session(ssl_));
    unsigned char const* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &chosen, &size);
    protocol_ = {reinterpret_cast<char const*>(chosen), size};
    // RFC 7301 §3.1: one of those that were offered. Not every release of OpenSSL looks.
    // One who selects none is older than that, and speaks HTTP/1.1.
    if (!offered(protocol_.empty() ? "http/1.1" : protocol_)) {
        auto const refused = why(errc::tls_alpn);
        protocol_ = {};
        close();
        co_return refused;
    }
    co_return result<void>();
}

stream::moved tls_stream::read_some(std::span<char> into) noexcept
{
    if (broken_) [[unlikely]]
        return {.error = broken_};
    forget_errors();
    auto const n = SSL_read(ssl_, into.data(), length_of(into.size()));
    if (n > 0) [[likely]] {
        reading_ = need::nothing;
        chatter_ = 0;
        return {.bytes = static_cast<std::size_t>(n)};
    }
    return {.error = outcome(n, reading_)};
}

stream::moved tls_stream::write_some(std::string_view from) noexcept
{
    if (broken_ || write_error_) [[unlikely]]
        return {.error = broken_ ? broken_ : write_error_};
    forget_errors();
    auto const n = SSL_write(ssl_, from.data(), length_of(from.size()));
    if (n > 0) [[likely]] {
        writing_ = need::nothing;
        return {.bytes = static_cast<std::size_t>(n)};
    }
    return {.error = outcome(n, writing_)};
}

/// No coroutine of its own: a wait costs the lower stream's frame only.
awaitable<std::error_code> tls_stream::ready(direction d)
{
    if (ready_at_once(d))
        return at_once();
    auto const waits = d == direction::read ? reading_ : writing_;
    if (waits == need::nothing)
        return lower_->ready(d);
    return lower_->ready(waits == need::read ? direction::read : direction::write);
}

void tls_stream::when_readable(std::shared_ptr<watcher> who, asio::any_io_executor const& home)
{
    if (ready_at_once(direction::read))
        asio::post(home, [who = std::move(who)] { who->on_ready(); });
    else if (reading_ == need::write)
        stream::when_readable(std::move(who), home);
    else
        lower_->when_readable(std::move(who), home);
}

bool tls_stream::ready_at_once(direction d) const noexcept
{
    auto const waits = d == direction::read ? reading_ : writing_;
    if (broken_ || (write_error_ && (d == direction::write || waits == need::write)))
        return true;
    // What was read ahead may hold whole records, unless the last read found that it does not.
    return d == direction::read && waits == need::nothing && holds_bytes();
}

stream::silence tls_stream::check_silence() noexcept
{
    if (broken_ || write_error_)
        return silence::over;
    auto const below = lower_->check_silence();
    if (below == silence::over)
        return silence::over;
    if (below == silence::kept && !holds_bytes())
        return silence::kept;
    // There are bytes. Tickets and key updates are digested by looking for what follows them.
    char one;
    forget_errors();
    auto const n = SSL_peek(ssl_, &one, 1);
    if (n > 0)
        return silence::broken;
    return outcome(n, reading_) ? silence::over : silence::kept;
}

void tls_stream::release_buffers() noexcept
{
    // CVE-2024-4741: before 3.0.14 it frees a buffer that a half-read record header is still in.
    if (OpenSSL_version_num() >= 0x300000e0UL)
        SSL_free_buffers(ssl_);
    feed_.release();
}

bool tls_stream::holds_bytes() const noexcept { return !feed_.empty() || SSL_has_pending(ssl_) == 1; }

void tls_stream::close() noexcept
{
    if (established_ && !broken_ && !write_error_) {
        forget_errors();
        // Whether the close_notify found its way does not matter any more (RFC 8446 §6.1).
        SSL_shutdown(ssl_);
    }
    if (!broken_)
        broken_ = errc::closed;
    lower_->close();
}

/// What a call that did not succeed means. None: it would block, `waits` says on what.
std::error_code tls_stream::outcome(int returned, need& waits) noexcept
{
    switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ: waits = need::read; return {};
    case SSL_ERROR_WANT_WRITE: waits = need::write; return write_error_;
    case SSL_ERROR_ZERO_RETURN: return errc::closed;
    case SSL_ERROR_SYSCALL:
        if (read_error_ == errc::closed)
            return broken_ = errc::truncated;
        return broken_ = read_error_ ? read_error_ : make_error_code(errc::reset);
    default: return broken_ = fatal();
    }
}

namespace {

bool from_alpn() noexcept
{
    char const* function = nullptr;
    ERR_peek_last_error_func(&function);
    return function != nullptr && std::string_view(function).find("alpn") != std::string_view::npos;
}

}  // namespace

std::error_code tls_stream::fatal() noexcept
{
    auto const reason = ERR_GET_REASON(ERR_peek_last_error());
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return certificate_verdict(static_cast<int>(SSL_get_verify_result(ssl_)));
    // Newer releases see it themselves, but have no reason of its own for it.
    if (reason == SSL_R_BAD_EXTENSION && from_alpn())
        return errc::tls_alpn;
    if (alert_ == SSL_AD_NO_APPLICATION_PROTOCOL)  // RFC 7301 §3.2
        return errc::tls_alpn;
    // RFC 8446 §6.2: the three that say "nothing in common".
    if (alert_ == SSL_AD_PROTOCOL_VERSION || alert_ == SSL_AD_HANDSHAKE_FAILURE
        || alert_ == SSL_AD_INSUFFICIENT_SECURITY)
        return errc::tls_protocol;
    if (alert_ >= 0)
        return errc::tls_alert;
    // A peer that hangs up in the middle of a message, or resets while we send an alert.
    if (read_error_ == errc::closed)
        return errc::truncated;
    return read_error_ ? read_error_ : write_error_ ? write_error_ : make_error_code(errc::tls_protocol);
}

namespace {

void add_time(std::string& to, char const* label, ASN1_TIME const* at)
{
    std::tm when{};
    char text[32];
    if (at == nullptr || ASN1_TIME_to_tm(at, &when) != 1)
        return;
    to.append(label).append(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &when));
}

/// Whom the peer's certificate is for, by whom and until when: what the reader of a refusal asks next.
std::string described(SSL const* ssl)
{
    auto const* const chain = SSL_get_peer_cert_chain(ssl);
    if (chain == nullptr || sk_X509_num(chain) == 0)
        return {};
    auto const* const leaf = sk_X509_value(chain, 0);
    std::string text = "for";
    auto* const names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        auto const* const each = sk_GENERAL_NAME_value(names, i);
        if (each->type == GEN_DNS) {
            auto const* const bytes = reinterpret_cast<char const*>(ASN1_STRING_get0_data(each->d.dNSName));
            text.append(" ").append(bytes, static_cast<std::size_t>(ASN1_STRING_length(each->d.dNSName)));
        } else if (each->type == GEN_IPADD) {
            char address[INET6_ADDRSTRLEN];
            auto const family = ASN1_STRING_length(each->d.iPAddress) == 4 ? AF_INET : AF_INET6;
            auto const whole = ASN1_STRING_length(each->d.iPAddress) == (family == AF_INET ? 4 : 16);
            if (whole
                && inet_ntop(family, ASN1_STRING_get0_data(each->d.iPAddress), address, sizeof address) != nullptr)
                text.append(" ").append(address);
        }
    }
    if (sk_GENERAL_NAME_num(names) <= 0)
        text += " no name";
    GENERAL_NAMES_free(names);
    char issuer[256];
    if (X509_NAME_oneline(X509_get_issuer_name(leaf), issuer, sizeof issuer) != nullptr)
        text.append(", by ").append(issuer);
    add_time(text, ", from ", X509_get0_notBefore(leaf));
    add_time(text, " until ", X509_get0_notAfter(leaf));
    return text;
}

}  // namespace

/// A failed handshake, explained.
failure tls_stream::why(std::error_code code) const
{
    diagnostics diag;
    auto const verdict = SSL_get_verify_result(ssl_);
    if (alert_ >= 0)
        diag.peer_code = SSL_alert_desc_string_long(alert_);
    if (code == errc::tls_alert) {
        diag.ours = "the peer refused the TLS handshake with an alert";
    } else if (code == errc::tls_alpn) {
        diag.peer_text = untrusted_text(protocol_, 256);
        diag.ours = protocol_.empty() ? "the peer selected none of the application protocols that were offered"
                                      : "the peer selected an application protocol that was not offered";
    } else if (verdict != X509_V_OK && code == certificate_verdict(static_cast<int>(verdict))) {
        diag.ours = code.message() + " (" + X509_verify_cert_error_string(verdict) + ')';
        if (context_->trusts_nobody())
            diag.ours += "; this system has no file of CA certificates, name one in tls_options::ca_file";
        diag.peer_text = untrusted_text(described(ssl_), 1024);
    } else if (code == errc::tls_protocol) {
        diag.ours = "the TLS handshake failed";
        if (auto const* const reason = ERR_reason_error_string(ERR_peek_last_error()); reason != nullptr)
            diag.ours.append(": ").append(reason);
    } else {
        diag.ours = "during the TLS handshake: " + code.message();
    }
    return failure(code, phase::tls, delivery::not_sent, std::move(diag));
}

}  // namespace jeton::net
