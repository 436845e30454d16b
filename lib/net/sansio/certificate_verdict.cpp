// SPDX-License-Identifier: BSL-1.0
#include "net/sansio/certificate_verdict.hpp"

#include <openssl/x509_vfy.h>

namespace jeton::net {

errc certificate_verdict(int verify_error) noexcept
{
    switch (verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return errc::certificate_expired;

    case X509_V_ERR_CERT_NOT_YET_VALID: return errc::certificate_not_yet_valid;

    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return errc::certificate_self_signed;

    // A CA that is not trusted and an intermediate certificate that was not sent cannot be told apart.
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED: return errc::certificate_issuer_unknown;

    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return errc::certificate_name;

    case X509_V_ERR_INVALID_PURPOSE: return errc::certificate_purpose;

    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return errc::certificate_weak;

    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX: return errc::certificate_constraint;

    case X509_V_ERR_CERT_REVOKED: return errc::certificate_revoked;

    default: return errc::certificate_rejected;
    }
}

}  // namespace jeton::net
