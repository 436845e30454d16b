// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace jeton::testing {

/// What a certificate is to say. Every fault that a client has to notice can be ordered.
struct certificate_request {
    std::vector<std::string> names{};      ///< dNSName, as they are: wildcards and nonsense included
    std::vector<std::string> addresses{};  ///< iPAddress
    std::string common_name{};             ///< empty: the subject has none

    std::chrono::seconds valid_from = -std::chrono::hours(1);  ///< counted from now
    std::chrono::seconds valid_until = std::chrono::hours(24 * 30);

    enum class key_kind { p256, rsa_2048, rsa_1024 };
    key_kind key = key_kind::p256;

    enum class digest_kind { sha256, sha1 };
    digest_kind digest = digest_kind::sha256;

    enum class purpose_kind { server, client };
    purpose_kind purpose = purpose_kind::server;  ///< the extended key usage of a leaf

    /// For a CA: the only domains that certificates below it may be for (RFC 5280 §4.2.1.10). Empty: no constraint.
    std::vector<std::string> permitted{};
};

/// A certificate with what a server needs to present it. PEM.
struct issued_certificate {
    std::string chain{};  ///< the certificate, then the CAs between it and the root
    std::string key{};
};

/// Somebody who signs certificates, made on the spot. A value; copies are the same authority.
class certificate_authority {
public:
    /// A root. P-256, for ten years.
    static certificate_authority make(std::string const& name);

    /// A CA below this one.
    certificate_authority subordinate(std::string const& name, certificate_request request = {}) const;

    issued_certificate issue(certificate_request const& request) const;

    /// The certificate of the authority itself: what a client has to trust.
    std::string const& pem() const noexcept { return pem_; }

private:
    certificate_authority() = default;

    std::shared_ptr<X509> certificate_{};
    std::shared_ptr<EVP_PKEY> key_{};
    std::string pem_{};
    std::string chain_{};  ///< this one and those above, without the root
};

/// A certificate that nobody but its owner vouches for.
issued_certificate self_signed(certificate_request const& request);

}  // namespace jeton::testing
