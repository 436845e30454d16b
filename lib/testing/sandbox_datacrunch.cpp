// SPDX-License-Identifier: BSL-1.0
#include "testing/sandbox_provider.hpp"

#include <jeton/providers/datacrunch.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace jeton::testing {

namespace {

namespace json = boost::json;

/// DataCrunch: an access and a refresh token, errors with a code and a message, lists without pages, and a bare text as
/// the answer to a POST.
class datacrunch_played final : public played_provider {
public:
    datacrunch_played(std::string const& origin, std::size_t token_size)
        : played_provider("datacrunch", origin, "/datacrunch/v1", "/oauth2/token", token_size)
    {
        // The price is documented as a number and seen as a string: a client must take both.
        add("1V100.6V", "0.89");
        add("1H100.80S.30V", 3.35);
    }

    provider preset() const override
    {
        auto p = jeton::datacrunch(environment::production);
        p.base_url = base_url();
        p.tokens.url = base_url() + token_path();
        return p;
    }

    void refuse(server_reply& r, int status, std::string_view why) const override
    {
        auto const* code = status == 400 || status == 405 ? "invalid_request"
                           : status == 401                ? "unauthorized_request"
                           : status == 402                ? "insufficient_funds"
                           : status == 403                ? "forbidden_action"
                           : status == 404                ? "not_found"
                           : status == 503                ? "service_unavailable"
                                                          : "server_error";
        r.json(status, json::serialize(json::object{{"code", code}, {"message", why}}));
    }

private:
    void grant(played_exchange& x) override
    {
        if (!is_media_type(x.request.content_type, "application/json"))
            return refuse(x.reply, 400, "the body must be application/json");
        auto const body = parse_flat_json(x.request.body);
        auto const* kind = body ? find_field(*body, "grant_type") : nullptr;
        if (kind == nullptr)
            return refuse(x.reply, 400, "grant_type is missing");
        if (*kind == "refresh_token") {
            auto const* token = find_field(*body, "refresh_token");
            if (token == nullptr)
                return refuse(x.reply, 400, "refresh_token is missing");
            auto const next = issuer().refresh(*token, x.lifetime, x.now);
            return next ? give(x, *next) : refuse(x.reply, 401, "the refresh token is not valid");
        }
        if (*kind != "client_credentials")
            return refuse(x.reply, 400, "grant_type is client_credentials or refresh_token");
        auto const* id = find_field(*body, "client_id");
        auto const* key = find_field(*body, "client_secret");
        if (id == nullptr || key == nullptr)
            return refuse(x.reply, 400, "client_id and client_secret are required");
        if (!client()->knows(*id, *key))
            return refuse(x.reply, 401, "invalid client id or client secret");
        give(x, issuer().issue({client()->id(), base_url(), "fullAccess"}, x.lifetime, true, x.now));
    }

    void resource(played_exchange& x) override
    {
        if (x.path == "/balance") {
            if (x.request.method != "GET")
                return not_allowed(x.reply, "GET");
            return x.reply.json(200, R"({"amount":1234.56,"currency":"usd"})");
        }
        if (x.path == "/instances") {
            if (x.request.method == "GET")
                return x.reply.json(200, json::serialize(instances_));
            if (x.request.method == "POST")
                return deploy(x);
            return not_allowed(x.reply, "GET, POST");
        }
        if (constexpr std::string_view list = "/instances/"; x.path.starts_with(list)) {
            if (x.request.method != "GET")
                return not_allowed(x.reply, "GET");
            for (auto const& i : instances_)
                if (i.at("id").as_string() == x.path.substr(list.size()))
                    return x.reply.json(200, json::serialize(i));
        }
        refuse(x.reply, 404, "no such resource");
    }

    void deploy(played_exchange& x)
    {
        json::error_code error;
        auto const body = json::parse({x.request.body.data(), x.request.body.size()}, error);
        if (!is_media_type(x.request.content_type, "application/json") || error || !body.is_object())
            return refuse(x.reply, 400, "the body must be a JSON object");
        auto const* type = body.get_object().if_contains("instance_type");
        if (type == nullptr || !type->is_string())
            return refuse(x.reply, 400, "instance_type is missing");
        x.reply.status = 202;
        x.reply.content_type = "text/plain";
        x.reply.body = add(type->get_string(), 0.89);
    }

    std::string add(json::string_view type, json::value price)
    {
        auto digits = std::to_string(instances_.size() + 1);
        auto const id = "0f1e2d3c-4b5a-6978-8796-" + std::string(12 - digits.size(), '0') + digits;
        instances_.push_back(json::object{{"id", id},
                                          {"instance_type", type},
                                          {"status", "running"},
                                          {"location", "FIN-01"},
                                          {"price_per_hour", std::move(price)}});
        return id;
    }

    json::array instances_{};
};

}  // namespace

std::unique_ptr<played_provider> play_datacrunch(std::string const& origin, std::size_t token_size)
{
    return std::make_unique<datacrunch_played>(origin, token_size);
}

}  // namespace jeton::testing
