// SPDX-License-Identifier: BSL-1.0
#include "net/peer_identity.hpp"

#include "net/sansio/address.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace jeton::net {

namespace {

constexpr unsigned rules = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

}  // namespace

peer_identity::peer_identity(std::string_view host)
    : who_(reference_identity(host)), name_(kind_of(host) == host_kind::name)
{}

bool peer_identity::expect_from(ssl_st* handshake) const
{
    // OpenSSL takes an empty name for "any", and one with a dot in front for "any below".
    if (who_.empty())
        return false;
    auto* const expected = SSL_get0_param(handshake);
    X509_VERIFY_PARAM_set_hostflags(expected, rules);
    if (!name_)
        return X509_VERIFY_PARAM_set1_ip_asc(expected, who_.c_str()) == 1;
    return X509_VERIFY_PARAM_set1_host(expected, who_.data(), who_.size()) == 1
           && SSL_set_tlsext_host_name(handshake, who_.c_str()) == 1;
}

bool peer_identity::shown_by(x509_st* leaf) const
{
    if (who_.empty())
        return false;
    if (!name_)
        return X509_check_ip_asc(leaf, who_.c_str(), 0) == 1;
    return X509_check_host(leaf, who_.data(), who_.size(), rules, nullptr) == 1;
}

}  // namespace jeton::net
