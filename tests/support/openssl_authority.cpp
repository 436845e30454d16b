// SPDX-License-Identifier: BSL-1.0
#include "support/openssl_authority.hpp"
#include "support/peer.hpp"

#include <sstream>
#include <utility>
#include <vector>

namespace jeton::testing {

namespace {

// What `openssl ca`, the only command of it that sets both dates, wants to be told.
std::string configuration(std::filesystem::path const& folder)
{
    auto const at = folder.string();
    return "[ca]\ndefault_ca = here\n"
           "[here]\ndatabase = "
           + at + "/index\nnew_certs_dir = " + at + "\ncertificate = " + at + "/ca.pem\nprivate_key = " + at
           + "/ca-key.pem\nrand_serial = yes\nunique_subject = no\ndefault_md = sha256\npolicy = any\n"
             "[any]\ncommonName = supplied\n"
             "[req]\ndistinguished_name = subject\n[subject]\n"
             "[root]\nbasicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign,cRLSign\n"
             "subjectKeyIdentifier = hash\n";
}

std::string new_key(std::string const& kind)
{
    return kind == "ec" ? "-newkey ec -pkeyopt ec_paramgen_curve:P-256" : "-newkey " + kind;
}

}  // namespace

openssl_authority::openssl_authority(below, std::filesystem::path folder) : folder_(std::move(folder))
{
    std::filesystem::create_directories(folder_);
    write_file(folder_ / "index", "");
    write_file(folder_ / "ca.conf", configuration(folder_));
}

openssl_authority::openssl_authority(std::filesystem::path folder, std::string name)
    : openssl_authority(below{}, std::move(folder))
{
    openssl("req -x509 -config ca.conf -extensions root -nodes -days 365 -keyout ca-key.pem -out ca.pem "
            + new_key("ec") + " -subj /CN=" + name);
}

openssl_authority openssl_authority::intermediate(std::filesystem::path folder, std::string name) const
{
    openssl_authority made(below{}, std::move(folder));
    made.openssl("req -config ca.conf -nodes -keyout ca-key.pem -out ca.csr " + new_key("ec") + " -subj /CN=" + name);
    sign((made.folder_ / "ca.csr").string(), made.certificate(), {}, true);
    return made;
}

void openssl_authority::issue(std::string const& name, certificate_wishes const& wishes) const
{
    openssl("req -config ca.conf -nodes -keyout " + name + "-key.pem -out " + name + ".csr " + new_key(wishes.key)
            + " -subj /CN=" + wishes.common_name);
    sign(name + ".csr", certificate(name), wishes, false);
}

void openssl_authority::issue_self_signed(std::string const& name) const
{
    openssl("req -x509 -config ca.conf -nodes -days 365 -keyout " + name + "-key.pem -out " + name + ".pem "
            + new_key("ec") + " -subj /CN=localhost -addext subjectAltName=DNS:localhost");
}

void openssl_authority::sign(std::string const& request, std::filesystem::path const& to,
                             certificate_wishes const& wishes, bool authority) const
{
    auto extensions = std::string("[x]\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n");
    if (authority) {
        extensions += "basicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign\n";
    } else {
        extensions += "basicConstraints = CA:false\nextendedKeyUsage = " + wishes.usage + '\n';
        if (!wishes.names.empty())
            extensions += "subjectAltName = " + wishes.names + '\n';
    }
    write_file(folder_ / "extensions.conf", extensions);
    openssl("ca -config ca.conf -batch -notext -extfile extensions.conf -extensions x -in " + request + " -out "
            + to.string() + " -startdate " + wishes.begins + " -enddate " + wishes.ends);
}

void openssl_authority::openssl(std::string const& arguments) const
{
    // The command has no option for its working folder, so file names are made whole here.
    std::vector<std::string> command{"openssl"};
    std::istringstream words(arguments);
    auto names_file = false;
    for (std::string word; words >> word;) {
        command.push_back(names_file ? (folder_ / word).string() : word);
        names_file = word == "-config" || word == "-keyout" || word == "-out" || word == "-in" || word == "-extfile";
    }
    run_program(command, folder_ / "openssl.log");
}

}  // namespace jeton::testing
