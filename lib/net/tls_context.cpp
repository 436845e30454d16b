// SPDX-License-Identifier: BSL-1.0
#include "net/tls_context.hpp"

#include "net/session_vault.hpp"
#include "net/tls_stream.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

namespace jeton::net {

namespace {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* p) const noexcept
    {
        Free(p);
    }
};
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

/// OpenSSL as it comes, in a library context of our own: providers that OPENSSL_CONF or openssl.cnf names are not in it.
/// Never freed: connections may live until the very end of the program.
OSSL_LIB_CTX* library()
{
    static OSSL_LIB_CTX* const own = OSSL_LIB_CTX_new();
    return own;
}

/// Sets everything that `system_default` in openssl.cnf could have set before us, so that nothing of it remains.
void harden(SSL_CTX* context)
{
    SSL_CTX_clear_options(context, std::numeric_limits<std::uint64_t>::max());
    // RFC 9325 §3.3 (compression), §3.5 (renegotiation). What is decrypted is wiped from OpenSSL's buffers: it is tokens.
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_security_level(context, 2);
    // RFC 9325 §3.1.1 and §4.2: TLS 1.2 at least, authenticated encryption, ephemeral keys.
    bool const done =
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 && SSL_CTX_set_max_proto_version(context, 0) == 1
        && SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                            "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                            "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305")
               == 1
        && SSL_CTX_set_ciphersuites(context,
                                    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")
               == 1
        && SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:P-521") == 1
        && SSL_CTX_set1_sigalgs_list(context,
                                     "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:"
                                     "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
                                     "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
                                     "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512")
               == 1;
    if (!done)
        throw std::runtime_error("jeton: this OpenSSL lacks what TLS 1.2 and 1.3 need");
    SSL_CTX_set_block_padding(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // A write returns after each record; the rest may be offered from elsewhere in memory (net::stream's rule).
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
}

std::string alpn_wire_of(std::vector<std::string> const& protocols)
{
    std::string wire;
    for (auto const& each : protocols) {
        if (each.empty() || each.size() > 255)
            throw std::invalid_argument("jeton: an ALPN protocol has 1 to 255 bytes (RFC 7301 section 3.1)");
        wire += static_cast<char>(each.size());
        wire += each;
    }
    return wire;
}

bio_ptr bio_over(std::string_view text)
{
    if (text.size() > std::size_t(std::numeric_limits<int>::max()))
        throw std::invalid_argument("jeton: more PEM text than can be read");
    bio_ptr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    if (!bio)
        throw std::bad_alloc();
    return bio;
}

/// The next certificate in `from`, or null at its end.
certificate_ptr next_certificate(BIO* from)
{
    certificate_ptr certificate(X509_new_ex(library(), nullptr));
    if (!certificate)
        throw std::bad_alloc();
    auto* raw = certificate.release();
    auto* const read = PEM_read_bio_X509(from, &raw, nullptr, nullptr);
    certificate.reset(raw);
    if (read == nullptr)
        certificate.reset();
    return certificate;
}

void trust(SSL_CTX* context, std::string_view pem)
{
    auto const bio = bio_over(pem);
    int count = 0;
    ERR_clear_error();
    while (auto const certificate = next_certificate(bio.get())) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1)
            throw std::invalid_argument("jeton: tls_options::ca_pem holds a certificate that cannot be trusted");
        ++count;
    }
    // The end of the text is an error to OpenSSL, the only one that is none.
    bool const ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (count == 0 || !ended)
        throw std::invalid_argument("jeton: tls_options::ca_pem does not hold PEM certificates");
}

/// Where systems keep the CA certificates they trust. SSL_CERT_FILE is not asked.
bool trust_system(SSL_CTX* context)
{
    char const* const places[] = {
        "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Arch, Alpine
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
        "/etc/ssl/ca-bundle.pem",                             // SUSE
        "/etc/ssl/cert.pem",                                  // BSDs, macOS
        X509_get_default_cert_file(),
    };
    bool const found = std::any_of(std::begin(places), std::end(places),
                                   [&](char const* file) { return SSL_CTX_load_verify_file(context, file) == 1; });
    ERR_clear_error();
    return found;
}

int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* chosen_size, unsigned char const* offered,
                    unsigned int offered_size, void* ours)
{
    auto const& wire = *static_cast<std::string const*>(ours);
    unsigned char* found = nullptr;
    auto const verdict = SSL_select_next_proto(&found, chosen_size, reinterpret_cast<unsigned char const*>(wire.data()),
                                               static_cast<unsigned int>(wire.size()), offered, offered_size);
    if (verdict != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

tls_context::tls_context()
    : context_(SSL_CTX_new_ex(library(), nullptr, TLS_method())), sessions_(std::make_unique<session_vault>())
{
    if (context_ == nullptr)
        throw std::bad_alloc();
    try {
        harden(context_);
    } catch (...) {
        SSL_CTX_free(context_);
        throw;
    }
}

tls_context::~tls_context() { SSL_CTX_free(context_); }

bool tls_context::offers(std::string_view protocol) const noexcept
{
    return std::find(alpn_.begin(), alpn_.end(), protocol) != alpn_.end();
}

std::shared_ptr<tls_context const> tls_context::client(tls_options const& options)
{
    if (options.alpn.empty())
        throw std::invalid_argument("jeton: tls_options::alpn must not be empty");
    std::shared_ptr<tls_context> made(new tls_context);
    made->alpn_ = options.alpn;
    made->alpn_wire_ = alpn_wire_of(options.alpn);
    auto* const context = made->native();
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, tls_stream::on_session);
    if (SSL_CTX_set_alpn_protos(context, reinterpret_cast<unsigned char const*>(made->alpn_wire_.data()),
                                static_cast<unsigned int>(made->alpn_wire_.size()))
        != 0)
        throw std::bad_alloc();

    if (!options.ca_file.empty() && SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
        ERR_clear_error();
        throw std::invalid_argument("jeton: no CA certificates (PEM) can be read from " + options.ca_file);
    }
    if (!options.ca_pem.empty())
        trust(context, options.ca_pem);
    if (options.ca_file.empty() && options.ca_pem.empty())
        made->trusts_nobody_ = !trust_system(context);
    return made;
}

std::shared_ptr<tls_context> tls_context::server(std::string_view chain_pem, std::string_view key_pem,
                                                 std::vector<std::string> alpn)
{
    std::shared_ptr<tls_context> made(new tls_context);
    made->alpn_ = std::move(alpn);
    made->alpn_wire_ = alpn_wire_of(made->alpn_);
    auto* const context = made->native();
    // A server of tests must be able to be wrong: what it presents is the client's to judge.
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);

    auto const chain = bio_over(chain_pem);
    auto const leaf = next_certificate(chain.get());
    auto const key_text = bio_over(key_pem);
    key_ptr const key(PEM_read_bio_PrivateKey_ex(key_text.get(), nullptr, nullptr, nullptr, library(), nullptr));
    bool usable = leaf && key && SSL_CTX_use_certificate(context, leaf.get()) == 1
                  && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
    while (usable) {
        auto const next = next_certificate(chain.get());
        if (!next)
            break;
        usable = SSL_CTX_add1_chain_cert(context, next.get()) == 1;
    }
    ERR_clear_error();
    if (!usable)
        throw std::invalid_argument("jeton: a TLS server needs a certificate (PEM) and its key");
    if (!made->alpn_.empty())
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, &made->alpn_wire_);
    return made;
}

}  // namespace jeton::net
