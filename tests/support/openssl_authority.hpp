// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>

namespace jeton::testing {

/// What a certificate is to say. The defaults are right for a server on this machine.
struct certificate_wishes {
    std::string common_name = "localhost";
    std::string names = "DNS:localhost,IP:127.0.0.1";  ///< subjectAltName; empty: none
    std::string begins = "20200101000000Z";
    std::string ends = "20991231235959Z";
    std::string usage = "serverAuth";  ///< extendedKeyUsage
    std::string key = "ec";            ///< "ec", or "rsa:BITS"
};

/// A certificate authority made by the `openssl` command, not by the library under test.
class openssl_authority {
public:
    /// Keeps its files in `folder`.
    openssl_authority(std::filesystem::path folder, std::string name);

    /// Makes NAME.pem and NAME-key.pem in the folder.
    void issue(std::string const& name, certificate_wishes const& wishes = {}) const;

    /// The same, vouched for by its own key instead.
    void issue_self_signed(std::string const& name) const;

    /// An authority below this one; what it issues needs its certificate in between.
    openssl_authority intermediate(std::filesystem::path folder, std::string name) const;

    std::filesystem::path certificate() const { return folder_ / "ca.pem"; }
    std::filesystem::path certificate(std::string const& name) const { return folder_ / (name + ".pem"); }
    std::filesystem::path key(std::string const& name) const { return folder_ / (name + "-key.pem"); }

private:
    struct below {};
    openssl_authority(below, std::filesystem::path folder);
    void openssl(std::string const& arguments) const;
    void sign(std::string const& request, std::filesystem::path const& to, certificate_wishes const& wishes,
              bool authority) const;

    std::filesystem::path folder_;
};

}  // namespace jeton::testing
