// SPDX-License-Identifier: BSL-1.0
#include "testing/sandbox_provider.hpp"

#include <jeton/providers/restoration.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>

namespace jeton::testing {

namespace {

namespace json = boost::json;

/// The restoration dashboard: a token endpoint that takes forms only, and orders, in pages, under the client's account.
class restoration_played final : public played_provider {
public:
    restoration_played(std::string const& origin, std::size_t token_size)
        : played_provider("restoration", origin, "/restoration", "/authenticate", token_size),
          orders_path_("/accounts/" + client()->id() + "/orders")
    {
        constexpr int begin_with = 250;
        for (int i = 1; i <= begin_with; ++i)
            orders_.push_back(
                json::object{{"orderId", "order-" + std::to_string(i)}, {"trees", 10 * i}, {"status", "planted"}});
    }

    provider preset() const override
    {
        auto p = jeton::restoration(base_url());
        p.tokens.url = base_url() + token_path();
        return p;
    }

    void refuse(server_reply& r, int status, std::string_view why) const override
    {
        r.json(status, json::serialize(json::object{{"message", why}}));
    }

private:
    static void no_token(server_reply& r, int status, std::string_view code, std::string_view description)
    {
        r.json(status, json::serialize(json::object{{"error", code}, {"error_description", description}}));
    }

    void grant(played_exchange& x) override
    {
        if (!is_media_type(x.request.content_type, "application/x-www-form-urlencoded"))
            return no_token(x.reply, 415, "invalid_request", "the body must be application/x-www-form-urlencoded");
        auto const body = parse_form(x.request.body);
        auto const* kind = body ? find_field(*body, "grant_type") : nullptr;
        if (kind == nullptr)
            return no_token(x.reply, 400, "invalid_request", "grant_type is missing");
        if (*kind != "client_credentials")
            return no_token(x.reply, 400, "unsupported_grant_type", "only client_credentials is granted");
        auto const* id = find_field(*body, "client_id");
        auto const* key = find_field(*body, "client_secret");
        if (id == nullptr || key == nullptr || !client()->knows(*id, *key))
            return no_token(x.reply, 401, "invalid_client", "unknown client or wrong secret");
        give(x, issuer().issue({client()->id(), base_url(), {}}, x.lifetime, false, x.now));
    }

    void resource(played_exchange& x) override
    {
        if (!x.path.starts_with("/accounts/"))
            return refuse(x.reply, 404, "no such resource");
        if (!x.path.starts_with(orders_path_)) {
            auto const account = x.path.substr(10, x.path.find('/', 10) - 10);
            return account == client()->id() ? refuse(x.reply, 404, "no such resource")
                                             : refuse(x.reply, 403, "that account is not yours");
        }
        auto const rest = x.path.substr(orders_path_.size());
        if (rest.empty()) {
            if (x.request.method == "GET")
                return list(x);
            if (x.request.method == "POST")
                return place(x);
            return not_allowed(x.reply, "GET, POST");
        }
        if (rest.starts_with('/')) {
            if (x.request.method != "GET")
                return not_allowed(x.reply, "GET");
            for (auto const& order : orders_)
                if (order.at("orderId").as_string() == rest.substr(1))
                    return x.reply.json(200, json::serialize(order));
        }
        refuse(x.reply, 404, "no such resource");
    }

    void list(played_exchange& x) const
    {
        auto const query = parse_form(x.request.query);
        auto const size = query ? number_in(*query, "pageSize", 100, 1, 300) : std::nullopt;
        if (!size)
            return refuse(x.reply, 400, "pageSize is a number from 1 to 300");
        std::size_t begin = 0;
        if (auto const* token = find_field(*query, "nextPageToken")) {
            // Made for one query: with another one it is worth nothing.
            auto const made_for = "page." + std::to_string(*size) + '.';
            auto const known = token->starts_with(made_for)
                                   ? number_in({{"at", token->substr(made_for.size())}}, "at", 0, 1, orders_.size())
                                   : std::nullopt;
            if (!known)
                return refuse(x.reply, 400, "nextPageToken does not belong to this query");
            begin = *known;
        }
        auto const end = std::min(begin + *size, orders_.size());
        json::object page;
        if (end != orders_.size())
            page["nextPageToken"] = "page." + std::to_string(*size) + '.' + std::to_string(end);
        page["data"] = json::array(orders_.begin() + static_cast<std::ptrdiff_t>(begin),
                                   orders_.begin() + static_cast<std::ptrdiff_t>(end));
        x.reply.json(200, json::serialize(page));
    }

    // A repeated orderId is not promised to be safe: it is a second order.
    void place(played_exchange& x)
    {
        constexpr int most = 300;
        constexpr auto window = std::chrono::minutes(1);
        if (x.now.boot >= window_ends_) {
            window_ends_ = x.now.boot + window;
            placed_ = 0;
        }
        if (placed_ == most) {
            auto const wait = std::chrono::ceil<std::chrono::seconds>(window_ends_ - x.now.boot);
            x.reply.fields.append("Retry-After: ").append(std::to_string(wait.count())).append("\r\n");
            return refuse(x.reply, 429, "300 orders a minute");
        }
        json::error_code error;
        auto const body = json::parse({x.request.body.data(), x.request.body.size()}, error);
        if (!is_media_type(x.request.content_type, "application/json") || error || !body.is_object())
            return refuse(x.reply, 400, "the body must be a JSON object");
        auto const* id = body.get_object().if_contains("orderId");
        if (id == nullptr || !id->is_string() || id->get_string().empty())
            return refuse(x.reply, 400, "orderId is missing");
        ++placed_;
        auto order = body.get_object();
        order["status"] = "accepted";
        x.reply.json(201, json::serialize(order));
        orders_.push_back(std::move(order));
    }

    std::string orders_path_;
    json::array orders_{};
    time_point window_ends_{};
    int placed_ = 0;
};

}  // namespace

std::unique_ptr<played_provider> play_restoration(std::string const& origin, std::size_t token_size)
{
    return std::make_unique<restoration_played>(origin, token_size);
}

}  // namespace jeton::testing
