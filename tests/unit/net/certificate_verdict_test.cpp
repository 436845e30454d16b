// SPDX-License-Identifier: BSL-1.0
#include "net/sansio/certificate_verdict.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

using jeton::net::certificate_verdict;
using jeton::net::errc;

BOOST_AUTO_TEST_SUITE(net_certificate_verdict)

// M2
BOOST_AUTO_TEST_CASE(each_fault_has_its_code)
{
    struct {
        int verdict;
        errc code;
    } const table[] = {
        {X509_V_ERR_CERT_HAS_EXPIRED, errc::certificate_expired},
        {X509_V_ERR_CERT_NOT_YET_VALID, errc::certificate_not_yet_valid},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, errc::certificate_self_signed},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, errc::certificate_issuer_unknown},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, errc::certificate_issuer_unknown},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, errc::certificate_issuer_unknown},
        {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, errc::certificate_issuer_unknown},
        {X509_V_ERR_CERT_UNTRUSTED, errc::certificate_issuer_unknown},
        {X509_V_ERR_HOSTNAME_MISMATCH, errc::certificate_name},
        {X509_V_ERR_IP_ADDRESS_MISMATCH, errc::certificate_name},
        {X509_V_ERR_INVALID_PURPOSE, errc::certificate_purpose},
        {X509_V_ERR_EE_KEY_TOO_SMALL, errc::certificate_weak},
        {X509_V_ERR_CA_KEY_TOO_SMALL, errc::certificate_weak},
        {X509_V_ERR_CA_MD_TOO_WEAK, errc::certificate_weak},
        {X509_V_ERR_PERMITTED_VIOLATION, errc::certificate_constraint},
        {X509_V_ERR_EXCLUDED_VIOLATION, errc::certificate_constraint},
        {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, errc::certificate_constraint},
        {X509_V_ERR_CERT_REVOKED, errc::certificate_revoked},
    };
    for (auto const& row : table)
        BOOST_TEST((certificate_verdict(row.verdict) == row.code), X509_verify_cert_error_string(row.verdict));
}

// M2
BOOST_AUTO_TEST_CASE(whatever_else_is_found_is_a_rejection)
{
    for (int verdict :
         {X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_INVALID_CA, X509_V_ERR_CERT_CHAIN_TOO_LONG,
          X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, X509_V_ERR_UNSPECIFIED, X509_V_ERR_OUT_OF_MEM, -1, 100'000})
        BOOST_CHECK(certificate_verdict(verdict) == errc::certificate_rejected);
}

BOOST_AUTO_TEST_SUITE_END()
