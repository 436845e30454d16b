// SPDX-License-Identifier: BSL-1.0
#include "testing/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <stdexcept>
#include <utility>

namespace jeton::testing {

namespace {

template <class T>
T* must(T* made)
{
    if (made == nullptr)
        throw std::runtime_error("jeton: OpenSSL could not make a certificate");
    return made;
}

void must(bool done)
{
    if (!done)
        throw std::runtime_error("jeton: OpenSSL could not make a certificate");
}

std::shared_ptr<EVP_PKEY> make_key(certificate_request::key_kind kind)
{
    using kinds = certificate_request::key_kind;
    EVP_PKEY* const key =
        kind == kinds::p256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(kind == kinds::rsa_2048 ? 2048U : 1024U);
    return {must(key), EVP_PKEY_free};
}

template <class Write>
std::string pem_by(Write write)
{
    std::unique_ptr<BIO, int (*)(BIO*)> const out(must(BIO_new(BIO_s_mem())), BIO_free);
    must(write(out.get()) == 1);
    char* text = nullptr;
    auto const size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate)
{
    return pem_by([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

std::string pem_of(EVP_PKEY* key)
{
    return pem_by(
        [&](BIO* out) { return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

/// Written by value, not in OpenSSL's configuration syntax: a name may hold anything.
void add_names(X509* certificate, certificate_request const& request)
{
    if (request.names.empty() && request.addresses.empty())
        return;
    std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> const all(must(sk_GENERAL_NAME_new_null()),
                                                                       GENERAL_NAMES_free);
    for (auto const& each : request.names) {
        auto* const text = must(ASN1_IA5STRING_new());
        must(ASN1_STRING_set(text, each.data(), static_cast<int>(each.size())) == 1);
        auto* const name = must(GENERAL_NAME_new());
        GENERAL_NAME_set0_value(name, GEN_DNS, text);
        must(sk_GENERAL_NAME_push(all.get(), name) > 0);
    }
    for (auto const& each : request.addresses) {
        auto* const name = must(GENERAL_NAME_new());
        GENERAL_NAME_set0_value(name, GEN_IPADD, must(a2i_IPADDRESS(each.c_str())));
        must(sk_GENERAL_NAME_push(all.get(), name) > 0);
    }
    must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

void add_extension(X509* certificate, X509* issuer, int nid, std::string const& value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> const made(
        must(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())), X509_EXTENSION_free);
    must(X509_add_ext(certificate, made.get(), -1) == 1);
}

struct signer {
    X509* certificate;
    EVP_PKEY* key;
};

/// \param by  null: signs itself
std::shared_ptr<X509> make_certificate(certificate_request const& request, EVP_PKEY* key, signer const* by,
                                       bool authority)
{
    std::shared_ptr<X509> const made(must(X509_new()), X509_free);
    auto* const x = made.get();
    auto* const issuer = by != nullptr ? by->certificate : x;
    must(X509_set_version(x, X509_VERSION_3) == 1);

    unsigned char serial[16];
    must(RAND_bytes(serial, sizeof serial) == 1);
    serial[0] &= 0x7f;
    std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> const number(must(BN_bin2bn(serial, sizeof serial, nullptr)), BN_free);
    must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x)) != nullptr);

    auto const now = std::time(nullptr);
    must(ASN1_TIME_set(X509_getm_notBefore(x), now + request.valid_from.count()) != nullptr);
    must(ASN1_TIME_set(X509_getm_notAfter(x), now + request.valid_until.count()) != nullptr);

    if (!request.common_name.empty())
        must(X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
                                        reinterpret_cast<unsigned char const*>(request.common_name.data()),
                                        static_cast<int>(request.common_name.size()), -1, 0)
             == 1);
    must(X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1);
    must(X509_set_pubkey(x, key) == 1);

    add_extension(x, issuer, NID_subject_key_identifier, "hash");
    if (by != nullptr)
        add_extension(x, issuer, NID_authority_key_identifier, "keyid:always");
    if (authority) {
        add_extension(x, issuer, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
        std::string permitted;
        for (auto const& each : request.permitted)
            permitted += (permitted.empty() ? "critical,permitted;DNS:" : ",permitted;DNS:") + each;
        if (!permitted.empty())
            add_extension(x, issuer, NID_name_constraints, permitted);
    } else {
        add_extension(x, issuer, NID_basic_constraints, "critical,CA:FALSE");
        add_extension(x, issuer, NID_key_usage, "critical,digitalSignature");
        add_extension(x, issuer, NID_ext_key_usage,
                      request.purpose == certificate_request::purpose_kind::server ? "serverAuth" : "clientAuth");
    }
    add_names(x, request);

    auto const* const digest = request.digest == certificate_request::digest_kind::sha1 ? EVP_sha1() : EVP_sha256();
    must(X509_sign(x, by != nullptr ? by->key : key, digest) > 0);
    return made;
}

}  // namespace

certificate_authority certificate_authority::make(std::string const& name)
{
    certificate_request request;
    request.common_name = name;
    request.valid_from = -std::chrono::hours(24 * 365);
    request.valid_until = std::chrono::hours(24 * 3650);
    certificate_authority root;
    root.key_ = make_key(request.key);
    root.certificate_ = make_certificate(request, root.key_.get(), nullptr, true);
    root.pem_ = pem_of(root.certificate_.get());
    return root;
}

certificate_authority certificate_authority::subordinate(std::string const& name, certificate_request request) const
{
    request.common_name = name;
    signer const by{certificate_.get(), key_.get()};
    certificate_authority below;
    below.key_ = make_key(request.key);
    below.certificate_ = make_certificate(request, below.key_.get(), &by, true);
    below.pem_ = pem_of(below.certificate_.get());
    below.chain_ = below.pem_ + chain_;
    return below;
}

issued_certificate certificate_authority::issue(certificate_request const& request) const
{
    signer const by{certificate_.get(), key_.get()};
    auto const key = make_key(request.key);
    auto const leaf = make_certificate(request, key.get(), &by, false);
    return {.chain = pem_of(leaf.get()) + chain_, .key = pem_of(key.get())};
}

issued_certificate self_signed(certificate_request const& request)
{
    auto const key = make_key(request.key);
    auto const leaf = make_certificate(request, key.get(), nullptr, false);
    return {.chain = pem_of(leaf.get()), .key = pem_of(key.get())};
}

}  // namespace jeton::testing
