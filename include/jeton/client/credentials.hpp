// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/oauth2/client_auth.hpp>

#include <string>
#include <string_view>

namespace jeton {

/// Where the client id and secret come from. They are read anew for each token request, so that a rotation needs no
/// restart; nothing is kept in between except by `from_value`.
///
/// Cheap to copy; copies share a value. May be read from any thread as far as the source allows it; the ones made
/// here do, if nobody changes the environment meanwhile (a rule of POSIX, not of jeton).
class credentials {
public:
    /// Wiped when the last copy, and the client that was given one, is gone or shut down.
    static credentials from_value(std::string id, secret key);

    /// `PREFIX_CLIENT_ID` and `PREFIX_CLIENT_SECRET`; each may instead be given as `..._FILE`, the name of a file that
    /// holds it. If both are set, that is an error, not a choice.
    ///
    /// Prefer the file for the secret: a variable stays in the environment, where jeton does not touch it, and every
    /// child process inherits it. Files are held to the rules of `from_file`, except that an id may be readable by
    /// everybody.
    static credentials from_environment(std::string_view prefix);

    /// The secret is the content of a file, without a trailing line break, 1 byte to 64 KiB. A
    /// `std::filesystem::path` will do as well: it turns into a string by itself.
    ///
    /// The file must be regular, or a link to one, as systemd credentials and mounted Kubernetes secrets are; belong to
    /// this process's user or to root; be writable by its owner only, and readable by nobody but its owner and group.
    /// Kubernetes mounts secrets readable by everybody unless `defaultMode: 0440` is set.
    static credentials from_file(std::string id, std::string secret_file);

    /// Whatever the function says; see `oauth2::identity_source`.
    ///
    /// \throws std::invalid_argument  there is no function in it.
    static credentials from(oauth2::identity_source source);

    /// \returns failures of code `oauth2::errc::bad_credentials_source` (phase `token`, `not_sent`) that name the
    ///   variable or file, never its content; or what the function given to `from` returns.
    result<oauth2::client_identity> read() const;

private:
    explicit credentials(oauth2::identity_source source);
    oauth2::identity_source source_;
};

}  // namespace jeton
