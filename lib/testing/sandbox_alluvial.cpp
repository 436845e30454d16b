// SPDX-License-Identifier: BSL-1.0
#include "testing/sandbox_provider.hpp"

#include <jeton/providers/alluvial.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>

namespace jeton::testing {

namespace {

namespace json = boost::json;

// The answer that load is made with: about 500 bytes.
constexpr std::string_view status_text =
    R"({"status":"ok","network":"mainnet","version":"0.24.1","head":{"slot":"9876543","epoch":"308641",)"
    R"("finalized_epoch":"308639","block_number":"20412345"},"operators":{"active":12,"total":14,"validators":"24816"},)"
    R"("pool":{"total_underlying_supply_wei":"794112000000000000000000","total_supply_wei":"768340123456789012345678",)"
    R"("conversion_rate":"1.033542019283746510"},"oracle":{"last_report_slot":"9873600","quorum":3,"members":5},)"
    R"("latest_report_at":"2024-08-01T12:00:23Z","maintenance":null})";

bool is_address(std::string_view text)
{
    return text.size() == 42 && text.starts_with("0x")
           && text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
}

/// Alluvial: an authorization server of the Auth0 kind, and an API whose amounts are decimal strings beyond 2^64.
class alluvial_played final : public played_provider {
public:
    alluvial_played(std::string const& origin, std::size_t token_size)
        : played_provider("alluvial", origin, "/alluvial", "/oauth/token", token_size)
    {}

    provider preset() const override
    {
        auto p = jeton::alluvial(environment::staging);
        p.base_url = base_url();
        p.tokens.url = base_url() + token_path();
        for (auto& [name, value] : p.tokens.parameters)
            if (name == "audience")
                value = base_url();
        return p;
    }

    void refuse(server_reply& r, int status, std::string_view why) const override
    {
        auto const* code = status == 400   ? "bad_request"
                           : status == 401 ? "unauthorized"
                           : status == 403 ? "forbidden"
                           : status == 404 ? "not_found"
                           : status == 409 ? "conflict"
                                           : "internal";
        json::object error{{"code", code}, {"message", why}, {"details", json::object()}};
        r.json(status, json::serialize(json::object{{"error", std::move(error)}}));
    }

private:
    static void no_token(server_reply& r, int status, std::string_view code, std::string_view description)
    {
        r.json(status, json::serialize(json::object{{"error", code}, {"error_description", description}}));
    }

    void grant(played_exchange& x) override
    {
        if (!is_media_type(x.request.content_type, "application/json"))
            return no_token(x.reply, 400, "invalid_request", "the body must be application/json");
        auto const body = parse_flat_json(x.request.body);
        if (!body)
            return no_token(x.reply, 400, "invalid_request", "the body must be one flat JSON object of strings");
        auto const* kind = find_field(*body, "grant_type");
        auto const* id = find_field(*body, "client_id");
        auto const* key = find_field(*body, "client_secret");
        auto const* audience = find_field(*body, "audience");
        if (kind == nullptr)
            return no_token(x.reply, 400, "invalid_request", "grant_type is missing");
        if (*kind != "client_credentials")
            return no_token(x.reply, 400, "unsupported_grant_type", "only client_credentials is granted");
        if (id == nullptr || key == nullptr)
            return no_token(x.reply, 401, "access_denied", "Unauthorized");
        if (!client()->knows(*id, *key))
            return no_token(x.reply, 401, *id == client()->id() ? "invalid_client" : "access_denied", "Unauthorized");
        if (audience == nullptr)
            return no_token(x.reply, 403, "access_denied", "an audience is required");
        if (*audience != base_url())
            return no_token(x.reply, 403, "access_denied", "Service not found: " + *audience);
        give(x, issuer().issue({client()->id(), *audience, "read:eth-oracle read:eth-contracts read:eth-operators"},
                               x.lifetime, false, x.now));
    }

    void resource(played_exchange& x) override
    {
        auto path = x.path;
        if (path == "/v0/platform/accounts")
            return accounts(x);
        if (x.request.method != "GET")
            return is_known(path) ? not_allowed(x.reply, "GET") : refuse(x.reply, 404, "no such resource");
        if (path == "/eth/v0/status")
            return x.reply.json(200, status_text);
        auto const query = parse_form(x.request.query);
        if (!query)
            return refuse(x.reply, 400, "the query cannot be read");
        if (path == "/eth/v0/protocol")
            return protocol(x, *query);
        if (auto const address = address_in(path, "/v0/wallets/", ""))
            return wallet(x, *address);
        for (std::string_view list : {"/rewards", "/transactions"})
            if (auto const address = address_in(path, "/eth/v0/wallet/", list))
                return history(x, *address, list.substr(1), *query);
        refuse(x.reply, 404, "no such resource");
    }

    static bool is_known(std::string_view path)
    {
        return path == "/eth/v0/status" || path == "/eth/v0/protocol" || address_in(path, "/v0/wallets/", "")
               || address_in(path, "/eth/v0/wallet/", "/rewards")
               || address_in(path, "/eth/v0/wallet/", "/transactions");
    }

    static std::optional<std::string_view> address_in(std::string_view path, std::string_view before,
                                                      std::string_view after)
    {
        if (!path.starts_with(before) || !path.ends_with(after) || path.size() < before.size() + after.size())
            return std::nullopt;
        auto const address = path.substr(before.size(), path.size() - before.size() - after.size());
        return address.find('/') == std::string_view::npos ? std::optional(address) : std::nullopt;
    }

    void protocol(played_exchange& x, form_fields const& query) const
    {
        auto const* unit = find_field(query, "unit");
        if (unit == nullptr || *unit == "wei")
            return x.reply.json(200, R"({"unit":"wei","total_underlying_supply":"794112000000000000000000",)"
                                     R"("total_supply":"768340123456789012345678","validator_count":"24816"})");
        if (*unit == "ether")
            return x.reply.json(200, R"({"unit":"ether","total_underlying_supply":"794112.000000000000000000",)"
                                     R"("total_supply":"768340.123456789012345678","validator_count":"24816"})");
        refuse(x.reply, 400, "unit is wei or ether");
    }

    void wallet(played_exchange& x, std::string_view address) const
    {
        if (!is_address(address))
            return refuse(x.reply, 400, "not an address");
        json::object staking{{"balance", "128000000000000000000"},
                             {"underlying_balance", "132293378468319553280"},
                             {"pending_deposit", "0"},
                             {"last_block", "20412345"}};
        x.reply.json(200,
                     json::serialize(json::object{
                         {"address", address}, {"network", "eth"}, {"unit", "wei"}, {"staking", std::move(staking)}}));
    }

    void history(played_exchange& x, std::string_view address, std::string_view kind, form_fields const& query) const
    {
        constexpr std::size_t entries = 250;
        if (!is_address(address))
            return refuse(x.reply, 400, "not an address");
        auto const size = number_in(query, "page_size", 100, 1, 100);
        if (!size)
            return refuse(x.reply, 400, "page_size is a number from 1 to 100");
        std::size_t begin = 0;
        if (auto const* cursor = find_field(query, "cursor")) {
            auto const known = cursor->starts_with("after-")
                                   ? number_in({{"at", cursor->substr(6)}}, "at", 0, 1, entries)
                                   : std::nullopt;
            if (!known)
                return refuse(x.reply, 400, "the cursor is not one of ours");
            begin = *known;
        }
        auto const end = std::min(begin + *size, entries);
        json::array data;
        for (auto i = begin; i != end; ++i)
            data.push_back(json::object{{"id", std::string(kind) + '-' + std::to_string(i + 1)},
                                        {"epoch", std::to_string(308640 - i)},
                                        {"amount", "36893488147419103232" + std::to_string(100 + i % 900)},
                                        {"unit", "wei"}});
        json::object page{{"address", address}, {"data", std::move(data)}};
        if (end != entries)
            page["next_cursor"] = "after-" + std::to_string(end);
        x.reply.json(200, json::serialize(page));
    }

    // POST is idempotent by `client_request_id`: the same request again gives the same account, another one a conflict.
    void accounts(played_exchange& x)
    {
        if (x.request.method == "GET") {
            json::array data;
            for (auto const& [id, account] : accounts_)
                data.push_back(account);
            return x.reply.json(200, json::serialize(json::object{{"data", std::move(data)}}));
        }
        if (x.request.method != "POST")
            return not_allowed(x.reply, "GET, POST");
        json::error_code error;
        auto const body = json::parse({x.request.body.data(), x.request.body.size()}, error);
        if (!is_media_type(x.request.content_type, "application/json") || error || !body.is_object())
            return refuse(x.reply, 400, "the body must be a JSON object");
        auto const* id = body.get_object().if_contains("client_request_id");
        if (id == nullptr || !id->is_string() || id->get_string().empty())
            return refuse(x.reply, 400, "client_request_id is missing");

        std::string key(id->get_string().data(), id->get_string().size());
        if (auto const known = requests_.find(key); known != requests_.end()) {
            if (known->second != body)
                return refuse(x.reply, 409, "client_request_id was used with other parameters");
            return x.reply.json(200, json::serialize(accounts_.at(key)));
        }
        auto account = body.get_object();
        account["id"] = "account-" + std::to_string(accounts_.size() + 1);
        x.reply.json(201, json::serialize(account));
        requests_.emplace(key, body);
        accounts_.emplace(std::move(key), std::move(account));
    }

    std::map<std::string, json::value> requests_{};
    std::map<std::string, json::object> accounts_{};
};

}  // namespace

std::unique_ptr<played_provider> play_alluvial(std::string const& origin, std::size_t token_size)
{
    return std::make_unique<alluvial_played>(origin, token_size);
}

}  // namespace jeton::testing
