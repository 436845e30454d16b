// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testing/sansio/form.hpp"
#include "testing/sansio/server_message.hpp"
#include "testing/sansio/token_issuer.hpp"

#include <jeton/client/provider.hpp>
#include <jeton/oauth2/client_auth.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace jeton::testing {

/// The one client that a played provider knows. Read and rotated from any thread; outlives the sandbox in the hands of
/// the credentials that were made from it.
class played_client {
public:
    played_client();

    oauth2::client_identity identity() const;
    std::string const& id() const noexcept { return id_; }
    void rotate();
    bool knows(std::string_view id, std::string_view secret) const;

private:
    std::string const id_;
    mutable std::mutex mutex_;
    secret key_;
};

/// One request to a played provider, and what it gets.
struct played_exchange {
    server_request const& request;
    std::string_view path{};  ///< below the provider's base URL
    moment now{};
    duration lifetime{};  ///< of a token that is issued now
    server_reply& reply;
};

/// A provider as its documentation describes it: what all of them have in common is here, what tells them apart in the
/// derived classes, one file each. Confined to whoever holds the sandbox's lock.
class played_provider {
public:
    virtual ~played_provider() = default;

    std::string const& name() const noexcept { return name_; }
    std::string const& prefix() const noexcept { return prefix_; }  ///< path of its base URL: "/datacrunch/v1"
    std::string const& base_url() const noexcept { return base_url_; }
    std::shared_ptr<played_client> const& client() const noexcept { return client_; }
    token_issuer& issuer() noexcept { return issuer_; }
    token_issuer const& issuer() const noexcept { return issuer_; }

    /// The library's preset with the URLs of this one.
    virtual provider preset() const = 0;

    bool is_token_endpoint(std::string_view path) const noexcept { return path == token_path_; }
    void answer_token_request(played_exchange& x);
    void answer_api_request(played_exchange& x);

    /// What is refused before the provider is asked: in its own words.
    virtual void refuse(server_reply& r, int status, std::string_view why) const = 0;

protected:
    /// \param origin  "https://localhost:8443"
    played_provider(std::string name, std::string const& origin, std::string prefix, std::string token_path,
                    std::size_t token_size);

    virtual void grant(played_exchange& x) = 0;     // POST to the token endpoint
    virtual void resource(played_exchange& x) = 0;  // anything else, with a valid token

    std::string const& token_path() const noexcept { return token_path_; }
    void give(played_exchange& x, token_issuer::grant const& g) const;
    static void not_allowed(server_reply& r, std::string_view allowed);

private:
    std::string name_;
    std::string prefix_;
    std::string base_url_;
    std::string token_path_;
    std::shared_ptr<played_client> client_ = std::make_shared<played_client>();
    token_issuer issuer_;
};

/// A flat JSON object of strings; nothing if it is anything else.
std::optional<form_fields> parse_flat_json(std::string_view text);

/// Whether a Content-Type is that media type, whatever its parameters.
bool is_media_type(std::string_view content_type, std::string_view type);

/// A number in a query, within bounds; `otherwise` if it is not there, nothing if it is wrong.
std::optional<std::size_t> number_in(form_fields const& query, std::string_view name, std::size_t otherwise,
                                     std::size_t least, std::size_t most);

/// "https://localhost:8443" + "/alluvial" and so on are the base URLs.
std::unique_ptr<played_provider> play_alluvial(std::string const& origin, std::size_t token_size);
std::unique_ptr<played_provider> play_datacrunch(std::string const& origin, std::size_t token_size);
std::unique_ptr<played_provider> play_restoration(std::string const& origin, std::size_t token_size);

}  // namespace jeton::testing
