// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/error.hpp>

#include <jeton/base/condition.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

using namespace jeton;
using oauth2::errc;
using oauth2::make_error_code;

BOOST_AUTO_TEST_SUITE(oauth2_error)

BOOST_AUTO_TEST_CASE(every_code_says_something_of_its_own)
{
    std::set<std::string> seen;
    for (int i = 1; i <= static_cast<int>(errc::insufficient_scope); ++i) {
        auto const text = make_error_code(static_cast<errc>(i)).message();
        BOOST_TEST(text != "unknown error");
        BOOST_TEST(seen.insert(text).second);
    }
    BOOST_TEST(make_error_code(errc::refused).category().name() == std::string("jeton.oauth2"));
    BOOST_TEST(make_error_code(static_cast<errc>(999)).message() == "unknown error");
}

BOOST_AUTO_TEST_CASE(codes_answer_to_the_condition_that_callers_ask_about)
{
    // A14
    for (auto const e : {errc::invalid_request, errc::invalid_client, errc::invalid_grant, errc::unauthorized_client,
                         errc::unsupported_grant_type, errc::invalid_scope, errc::invalid_target, errc::refused,
                         errc::scope_not_granted, errc::token_refused, errc::insufficient_scope}) {
        BOOST_TEST((make_error_code(e) == cond::credentials));
        BOOST_TEST((make_error_code(e) != cond::transient));
    }
    for (auto const e : {errc::server_error, errc::temporarily_unavailable}) {
        BOOST_TEST((make_error_code(e) == cond::transient));
        BOOST_TEST((make_error_code(e) != cond::credentials));
    }
    for (auto const e : {errc::bad_response, errc::bad_token_type, errc::bad_expires_in, errc::redirect})
        BOOST_TEST((make_error_code(e) == cond::malformed));
    for (auto const e : {errc::bad_endpoint, errc::bad_client, errc::bad_parameter, errc::foreign_origin,
                         errc::own_authorization, errc::bad_credentials_source})
        for (auto const c : {cond::credentials, cond::transient, cond::malformed, cond::cancelled, cond::timeout})
            BOOST_TEST((make_error_code(e) != c));
}

BOOST_AUTO_TEST_CASE(a_registered_error_parameter_has_a_code_and_any_other_is_a_refusal)
{
    BOOST_TEST((oauth2::errc_of("invalid_client") == errc::invalid_client));
    BOOST_TEST((oauth2::errc_of("temporarily_unavailable") == errc::temporarily_unavailable));
    for (auto const* other : {"", "Invalid_Client", "unauthorized_request", "invalid_client "})
        BOOST_TEST((oauth2::errc_of(other) == errc::refused));
}

BOOST_AUTO_TEST_SUITE_END()
