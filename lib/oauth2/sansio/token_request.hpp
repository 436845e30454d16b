// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/http/request.hpp>
#include <jeton/oauth2/client_auth.hpp>
#include <jeton/oauth2/token_endpoint.hpp>

#include <string>
#include <vector>

namespace jeton::oauth2 {

/// Writes the token requests for one endpoint (RFC 6749 §4.4.2, §6). Every buffer that holds a secret on the way is wiped.
class token_request {
public:
    /// \throws jeton::error  the endpoint breaks a rule (`errc::bad_endpoint`, `bad_parameter`).
    explicit token_request(token_endpoint endpoint);

    /// \returns `errc::bad_client` (phase `configure`) for an identity that cannot be sent.
    result<http::request> client_credentials(client_identity const& who) const;
    result<http::request> refresh(secret const& refresh_token, client_identity const& who) const;

    /// What an answer to such a request must not be quoted with: each secret as it is, and as it is written in the
    /// request (form-encoded, in JSON, in base64 together with the id).
    /// \param refresh_token  null if there is none
    std::vector<secret> unquotable(client_identity const& who, secret const* refresh_token) const;

    token_endpoint const& endpoint() const noexcept { return endpoint_; }

    /// The endpoint's URL without its query: safe to log.
    std::string const& name() const noexcept { return name_; }

private:
    struct parameter;
    class parameter_list;

    result<void> check(client_identity const& who) const;
    void authenticate(parameter_list& into, client_identity const& who) const;
    http::request finish(parameter_list const& parameters, client_identity const* basic) const;
    bool uses_basic() const noexcept;
    void append_basic(std::string& to, client_identity const& who) const;

    token_endpoint endpoint_;
    std::string name_;
};

}  // namespace jeton::oauth2
