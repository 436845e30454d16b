// SPDX-License-Identifier: BSL-1.0
#include <jeton/providers/alluvial.hpp>
#include <jeton/providers/by_name.hpp>
#include <jeton/providers/datacrunch.hpp>
#include <jeton/providers/restoration.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace jeton;
using oauth2::body_kind;
using oauth2::client_auth;
using oauth2::refresh_use;

BOOST_AUTO_TEST_SUITE(providers_providers)

BOOST_AUTO_TEST_CASE(alluvial_asks_in_json_for_the_audience_of_its_environment)
{
    // A19: the kind of body is the provider's; the audience must be the right one.
    struct {
        environment where;
        char const* base;
    } const cases[] = {
        {environment::staging, "https://api.staging.alluvial.finance"},
        {environment::production, "https://api.alluvial.finance"},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT(c.base)
        {
            auto const p = alluvial(c.where);
            BOOST_TEST(p.name == "alluvial");
            BOOST_TEST(p.base_url == c.base);
            BOOST_TEST(p.tokens.url == "https://auth.alluvial.finance/oauth/token");
            BOOST_TEST((p.tokens.body == body_kind::json));
            BOOST_TEST((p.tokens.auth == client_auth::client_secret_post));
            BOOST_TEST_REQUIRE(p.tokens.parameters.size() == 1U);
            BOOST_TEST(p.tokens.parameters[0].first == "audience");
            BOOST_TEST(p.tokens.parameters[0].second == c.base);
            BOOST_TEST(p.tokens.scope.empty());
            BOOST_TEST(p.variables == "ALLUVIAL");
        }
    }
}

BOOST_AUTO_TEST_CASE(only_datacrunch_uses_refresh_tokens_and_sends_no_client_with_them)
{
    // A20: where the provider says so, and without the client credentials.
    BOOST_TEST((datacrunch().tokens.refresh == refresh_use::without_client));
    BOOST_TEST((alluvial(environment::staging).tokens.refresh == refresh_use::never));
    BOOST_TEST((alluvial(environment::production).tokens.refresh == refresh_use::never));
    BOOST_TEST((restoration("https://api.example").tokens.refresh == refresh_use::never));
}

BOOST_AUTO_TEST_CASE(datacrunch_asks_in_json_under_its_api)
{
    // A19
    auto const p = datacrunch();
    BOOST_TEST(p.name == "datacrunch");
    BOOST_TEST(p.base_url == "https://api.datacrunch.io/v1");
    BOOST_TEST(p.tokens.url == "https://api.datacrunch.io/v1/oauth2/token");
    BOOST_TEST((p.tokens.body == body_kind::json));
    BOOST_TEST((p.tokens.auth == client_auth::client_secret_post));
    BOOST_TEST(p.tokens.parameters.empty());
    BOOST_TEST(p.variables == "DATACRUNCH");
}

BOOST_AUTO_TEST_CASE(datacrunch_has_no_published_staging)
{
    BOOST_CHECK_THROW(datacrunch(environment::staging), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(restoration_asks_with_a_form_under_the_base_url_that_the_user_gives)
{
    // A19
    for (char const* base : {"https://trees.example/api", "https://trees.example/api/"}) {
        auto const p = restoration(base);
        BOOST_TEST(p.name == "restoration");
        BOOST_TEST(p.base_url == "https://trees.example/api");
        BOOST_TEST(p.tokens.url == "https://trees.example/api/authenticate");
        BOOST_TEST((p.tokens.body == body_kind::form));
        BOOST_TEST((p.tokens.auth == client_auth::client_secret_post));
        BOOST_TEST(p.tokens.parameters.empty());
        BOOST_TEST(p.variables == "RESTORATION");
    }
}

BOOST_AUTO_TEST_CASE(a_provider_is_found_by_its_name)
{
    for (auto const name : provider_names()) {
        auto const p = provider_named(name, environment::production, "https://host.example/base/");
        BOOST_TEST_REQUIRE(p.has_value());
        BOOST_TEST(p->name == name);
        BOOST_TEST(p->base_url == "https://host.example/base");
    }
    BOOST_TEST(provider_names().size() == 3U);
    BOOST_TEST(!provider_named("", environment::production));
    BOOST_TEST(!provider_named("Alluvial", environment::production));
    BOOST_TEST(!provider_named("stripe", environment::production));
}

BOOST_AUTO_TEST_CASE(a_base_url_that_is_not_known_stays_empty_and_so_does_the_token_url_under_it)
{
    for (auto const& p :
         {provider_named("restoration", environment::production), provider_named("datacrunch", environment::staging)}) {
        BOOST_TEST_REQUIRE(p.has_value());
        BOOST_TEST(p->base_url.empty());
        BOOST_TEST(p->tokens.url.empty());
    }
    BOOST_TEST(provider_named("datacrunch", environment::production)->base_url == "https://api.datacrunch.io/v1");
    BOOST_TEST(provider_named("datacrunch", environment::production, "https://api.verda.com/v1")->tokens.url
               == "https://api.verda.com/v1/oauth2/token");
    BOOST_TEST(provider_named("restoration", environment::staging, "https://x.example")->tokens.url
               == "https://x.example/authenticate");
    BOOST_TEST(provider_named("alluvial", environment::staging)->base_url == "https://api.staging.alluvial.finance");
}

BOOST_AUTO_TEST_SUITE_END()
