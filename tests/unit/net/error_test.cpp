// SPDX-License-Identifier: BSL-1.0
#include "net/system_error.hpp"

#include <jeton/base/condition.hpp>
#include <jeton/base/error.hpp>
#include <jeton/net/error.hpp>

#include <asio/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>

using jeton::cond;
using jeton::net::errc;

namespace {

std::error_code of_errno(int value)
{
    return jeton::net::errc_of(std::error_code(value, std::system_category()), errc::connect_failed);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_error)

BOOST_AUTO_TEST_CASE(what_may_pass_is_transient)
{
    for (auto e : {errc::resolver_failed, errc::refused, errc::unreachable, errc::no_descriptors, errc::connect_failed,
                   errc::reset, errc::closed, errc::truncated})
        BOOST_TEST((make_error_code(e) == cond::transient), make_error_code(e).message());
}

BOOST_AUTO_TEST_CASE(what_somebody_has_to_put_right_is_not_transient)
{
    BOOST_CHECK(make_error_code(errc::host_not_found) != cond::transient);
    for (int e = static_cast<int>(errc::certificate_expired); e <= static_cast<int>(errc::tls_alpn); ++e)
        BOOST_CHECK(make_error_code(static_cast<errc>(e)) != cond::transient);
}

BOOST_AUTO_TEST_CASE(a_peer_that_breaks_tls_is_malformed)
{
    BOOST_CHECK(make_error_code(errc::tls_protocol) == cond::malformed);
    BOOST_CHECK(make_error_code(errc::tls_alpn) == cond::malformed);
    BOOST_CHECK(make_error_code(errc::tls_alert) != cond::malformed);
    BOOST_CHECK(make_error_code(errc::reset) != cond::malformed);
}

BOOST_AUTO_TEST_CASE(none_of_them_is_a_timeout_a_cancellation_or_about_credentials)
{
    for (int e = 1; e <= static_cast<int>(errc::tls_alpn); ++e)
        for (auto c : {cond::timeout, cond::cancelled, cond::credentials, cond::overloaded})
            BOOST_CHECK(make_error_code(static_cast<errc>(e)) != c);
}

BOOST_AUTO_TEST_CASE(every_code_has_words_of_its_own)
{
    std::string before;
    for (int e = 1; e <= static_cast<int>(errc::tls_alpn); ++e) {
        auto const words = make_error_code(static_cast<errc>(e)).message();
        BOOST_TEST(words != before);
        BOOST_TEST(words != "unknown error");
        before = words;
    }
    BOOST_TEST(std::error_code(99, make_error_code(errc::reset).category()).message() == "unknown error");
}

BOOST_AUTO_TEST_CASE(errors_of_the_kernel_get_their_names)
{
    BOOST_TEST(!of_errno(0));
    BOOST_TEST(of_errno(ECONNREFUSED) == errc::refused);
    BOOST_TEST(of_errno(ETIMEDOUT) == errc::unreachable);
    BOOST_TEST(of_errno(ENETUNREACH) == errc::unreachable);
    BOOST_TEST(of_errno(EHOSTUNREACH) == errc::unreachable);
    BOOST_TEST(of_errno(EADDRNOTAVAIL) == errc::no_descriptors);
    BOOST_TEST(of_errno(EMFILE) == errc::no_descriptors);
    BOOST_TEST(of_errno(ENFILE) == errc::no_descriptors);
    BOOST_TEST(of_errno(ECONNRESET) == errc::reset);
    BOOST_TEST(of_errno(EACCES) == errc::connect_failed);
    BOOST_TEST(of_errno(ECANCELED) == jeton::errc::cancelled);
}

BOOST_AUTO_TEST_CASE(errors_of_the_resolver_get_their_names)
{
    auto const of = [](std::error_code e) { return jeton::net::errc_of(e, errc::connect_failed); };
    BOOST_TEST(of(asio::error::host_not_found) == errc::host_not_found);
    BOOST_TEST(of(asio::error::no_data) == errc::host_not_found);
    BOOST_TEST(of(asio::error::host_not_found_try_again) == errc::resolver_failed);
    BOOST_TEST(of(asio::error::no_recovery) == errc::resolver_failed);
    BOOST_TEST(of(asio::error::service_not_found) == errc::resolver_failed);
    BOOST_TEST(of(asio::error::operation_aborted) == jeton::errc::cancelled);
    BOOST_TEST(of(asio::error::eof) == errc::closed);
    BOOST_TEST(of(make_error_code(jeton::errc::misuse)) == errc::connect_failed);
}

BOOST_AUTO_TEST_CASE(whatever_ends_a_connection_that_was_there_is_a_reset)
{
    // The codes for connecting promise that nothing has been sent.
    for (int value : {ETIMEDOUT, EHOSTUNREACH, ENOMEM, ECONNRESET, EPIPE})
        BOOST_TEST(jeton::net::lost_or_cancelled(std::error_code(value, std::system_category())) == errc::reset);
    BOOST_TEST(jeton::net::lost_or_cancelled(asio::error::operation_aborted) == jeton::errc::cancelled);
    BOOST_TEST(!jeton::net::lost_or_cancelled({}));
}

BOOST_AUTO_TEST_SUITE_END()
