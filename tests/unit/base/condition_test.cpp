// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/condition.hpp>

#include <jeton/base/error.hpp>

#include <asio/error.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace jeton;

namespace {

struct expectation {
    std::error_code code;
    std::vector<cond> answers_to;
};

std::ostream& operator<<(std::ostream& out, expectation const& e) { return out << e.code << ' ' << e.code.message(); }

std::vector<expectation> const table{
    {errc::cancelled, {cond::cancelled}},
    {errc::timed_out, {cond::timeout, cond::transient}},
    {errc::shut_down, {}},
    {errc::misuse, {}},
    {errc::unexpected, {}},
    {asio::error::operation_aborted, {cond::cancelled}},
    {make_error_code(std::errc::operation_canceled), {cond::cancelled}},
    {asio::error::timed_out, {cond::timeout, cond::transient}},
    {make_error_code(std::errc::timed_out), {cond::timeout, cond::transient}},
    {asio::error::connection_refused, {cond::transient}},
    {make_error_code(std::errc::connection_refused), {cond::transient}},
    {asio::error::connection_reset, {cond::transient}},
    {asio::error::broken_pipe, {cond::transient}},
    {asio::error::host_unreachable, {cond::transient}},
    {asio::error::eof, {cond::transient}},
    {asio::error::host_not_found_try_again, {cond::transient}},
    {asio::error::host_not_found, {}},
    {asio::error::no_descriptors, {cond::overloaded, cond::transient}},
    {asio::error::no_buffer_space, {cond::overloaded, cond::transient}},
    {asio::error::access_denied, {}},
    {std::error_code(), {}},
};

std::vector<cond> const all{cond::cancelled,   cond::timeout,   cond::transient,
                            cond::credentials, cond::malformed, cond::overloaded};

}  // namespace

BOOST_AUTO_TEST_SUITE(base_condition)

BOOST_DATA_TEST_CASE(each_code_answers_to_its_conditions_and_to_no_other, table)
{
    for (auto const c : all) {
        bool const expected =
            std::find(sample.answers_to.begin(), sample.answers_to.end(), c) != sample.answers_to.end();
        BOOST_TEST_CONTEXT(make_error_condition(c).message())
        BOOST_TEST((sample.code == c) == expected);
    }
}

BOOST_AUTO_TEST_CASE(our_codes_equal_the_standard_conditions_that_mean_the_same)
{
    BOOST_TEST((make_error_code(errc::cancelled) == std::errc::operation_canceled));
    BOOST_TEST((make_error_code(errc::timed_out) == std::errc::timed_out));
    BOOST_TEST((make_error_code(errc::misuse) != std::errc::operation_canceled));
    BOOST_TEST((make_error_code(errc::shut_down) != std::errc::timed_out));
}

BOOST_AUTO_TEST_CASE(every_code_and_every_condition_has_words_of_its_own)
{
    std::vector<std::string> words;
    for (auto const c : all)
        words.push_back(make_error_condition(c).message());
    for (auto const e : {errc::cancelled, errc::timed_out, errc::shut_down, errc::misuse, errc::unexpected})
        words.push_back(make_error_code(e).message());
    for (auto const& text : words)
        BOOST_TEST(text.find("unknown") == std::string::npos);

    BOOST_TEST(make_error_condition(static_cast<cond>(99)).message() == "unknown condition");
    BOOST_TEST(make_error_code(static_cast<errc>(99)).message() == "unknown error");
    BOOST_TEST((make_error_code(static_cast<errc>(99)) != cond::transient));
    for (auto const c : {-1, 0, 7, 31, 32, 99})
        BOOST_TEST((make_error_code(errc::timed_out) != static_cast<cond>(c)));
    BOOST_TEST(std::string(make_error_code(errc::misuse).category().name()) == "jeton");
}

BOOST_AUTO_TEST_SUITE_END()
