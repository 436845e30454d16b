// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/result.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

using namespace jeton;
using namespace std::chrono_literals;

namespace {

diagnostics refused_by_peer()
{
    diagnostics diag;
    diag.ours = "token endpoint https://auth.example/token answered 503";
    diag.peer_code = "temporarily_unavailable";
    diag.peer_text = "come back later";
    diag.http_status = 503;
    diag.retry_after = 7s;
    return diag;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_result)

BOOST_AUTO_TEST_CASE(a_failure_tells_code_phase_delivery_and_what_is_known)
{
    failure const why(errc::timed_out, phase::token, delivery::not_sent, refused_by_peer());
    BOOST_TEST((why.code() == errc::timed_out));
    BOOST_TEST((why.phase() == phase::token));
    BOOST_TEST((why.delivery() == delivery::not_sent));
    BOOST_TEST(why.diag().peer_code == "temporarily_unavailable");
    BOOST_TEST(why.diag().http_status.value() == 503);
    BOOST_TEST((why.diag().retry_after == 7s));
}

BOOST_AUTO_TEST_CASE(only_what_was_not_sent_is_safe_to_resend)
{
    BOOST_TEST(failure(errc::timed_out, phase::connect, delivery::not_sent).safe_to_resend());
    BOOST_TEST(!failure(errc::timed_out, phase::first_byte, delivery::maybe_processed).safe_to_resend());
    BOOST_TEST(!failure(errc::timed_out, phase::body, delivery::answered).safe_to_resend());
}

BOOST_AUTO_TEST_CASE(copies_share_the_diagnostics)
{
    failure const one(errc::timed_out, phase::token, delivery::not_sent, refused_by_peer());
    failure const copy = one;  // NOLINT(performance-unnecessary-copy-initialization)
    BOOST_TEST(&copy.diag() == &one.diag());
    BOOST_TEST(&one.with(phase::queue).diag() == &one.diag());
    BOOST_TEST(&one.with(delivery::answered).diag() == &one.diag());
}

BOOST_AUTO_TEST_CASE(failures_with_nothing_to_say_share_one_empty_diagnostics)
{
    failure const a(errc::cancelled, phase::none, delivery::not_sent);
    failure const b(errc::misuse, phase::queue, delivery::answered, std::string());
    failure const c(errc::misuse, phase::queue, delivery::answered, "said");
    BOOST_TEST(&a.diag() == &b.diag());
    BOOST_TEST(&a.diag() != &c.diag());
    BOOST_TEST(&c.with(diagnostics()).diag() == &a.diag());
}

BOOST_AUTO_TEST_CASE(seen_from_elsewhere_a_failure_changes_in_that_alone)
{
    failure const here(errc::timed_out, phase::connect, delivery::not_sent, "original");

    auto const phase_changed = here.with(phase::token);
    BOOST_TEST((phase_changed.phase() == phase::token));
    BOOST_TEST((phase_changed.delivery() == delivery::not_sent));
    BOOST_TEST((phase_changed.code() == errc::timed_out));

    auto const delivery_changed = here.with(delivery::maybe_processed);
    BOOST_TEST((delivery_changed.phase() == phase::connect));
    BOOST_TEST((delivery_changed.delivery() == delivery::maybe_processed));

    auto const told_more = here.with(refused_by_peer());
    BOOST_TEST(told_more.diag().peer_text == "come back later");
    BOOST_TEST(here.diag().ours == "original");
}

BOOST_AUTO_TEST_CASE(the_line_for_the_log_has_nothing_that_the_peer_said)
{
    failure const why(errc::timed_out, phase::first_byte, delivery::maybe_processed, refused_by_peer());
    BOOST_TEST(
        why.to_string()
        == "timed out (jeton.timed_out), phase first_byte, maybe_processed: token endpoint https://auth.example/token "
           "answered 503");
    BOOST_TEST(failure(errc::cancelled, phase::none, delivery::not_sent).to_string()
               == "cancelled by the caller (jeton.cancelled), not_sent");
}

BOOST_AUTO_TEST_CASE(every_phase_and_delivery_has_its_name)
{
    for (auto const p : {phase::none, phase::configure, phase::token, phase::queue, phase::resolve, phase::connect,
                         phase::tls, phase::write, phase::first_byte, phase::body})
        BOOST_TEST(to_string(p) != "unknown");
    BOOST_TEST(to_string(phase::first_byte) == "first_byte");
    BOOST_TEST(to_string(delivery::not_sent) == "not_sent");
    BOOST_TEST(to_string(delivery::maybe_processed) == "maybe_processed");
    BOOST_TEST(to_string(delivery::answered) == "answered");
    BOOST_TEST(to_string(static_cast<phase>(200)) == "unknown");
    BOOST_TEST(to_string(static_cast<delivery>(200)) == "unknown");
}

BOOST_AUTO_TEST_CASE(a_result_holds_a_value_or_the_reason_there_is_none)
{
    result<std::string> const good("text");
    BOOST_TEST(good.has_value());
    BOOST_TEST(*good == "text");
    BOOST_TEST(good->size() == 4U);
    BOOST_TEST(good.value() == "text");

    result<std::string> const bad(failure(errc::misuse, phase::configure, delivery::not_sent, "no path"));
    BOOST_TEST(!bad);
    BOOST_TEST(bad.error().diag().ours == "no path");
}

BOOST_AUTO_TEST_CASE(asking_for_a_value_that_is_not_there_throws_the_whole_failure)
{
    result<int> const bad(failure(errc::misuse, phase::configure, delivery::not_sent, "no path"));
    BOOST_CHECK_EXCEPTION((void)bad.value(), error, [](error const& e) {
        return e.code() == errc::misuse && e.why().diag().ours == "no path"
               && std::string(e.what()).find("no path") != std::string::npos;
    });
    result<void> const nothing(failure(errc::cancelled, phase::none, delivery::not_sent));
    BOOST_CHECK_THROW(nothing.value(), error);
    BOOST_CHECK_NO_THROW(result<void>().value());
}

BOOST_AUTO_TEST_CASE(a_result_that_nobody_filled_in_says_so_and_does_not_invite_a_resend)
{
    result<int> const nothing;
    BOOST_TEST(!nothing);
    BOOST_TEST((nothing.error().code() == errc::unexpected));
    BOOST_TEST(!nothing.error().safe_to_resend());
    BOOST_TEST(result<void>().has_value());
}

BOOST_AUTO_TEST_CASE(a_value_that_can_only_be_moved_is_moved_out)
{
    result<std::unique_ptr<int>> made(std::make_unique<int>(5));
    auto const taken = std::move(made).value();
    BOOST_TEST(*taken == 5);
}

BOOST_AUTO_TEST_CASE(time_stops_at_the_ends_of_the_clock_instead_of_overflowing)
{
    // A21: an absurd `expires_in` must not wrap round into the past.
    constexpr time_point late = time_point::max() - 1s;
    static_assert(saturating_add(late, 2s) == time_point::max());
    static_assert(saturating_add(late, 1s) == time_point::max());
    static_assert(saturating_add(late, 1s - 1ns) == time_point::max() - 1ns);
    static_assert(saturating_add(time_point::min() + 1s, -2s) == time_point::min());
    static_assert(saturating_add(time_point(5s), -7s) == time_point(-2s));
    static_assert(saturating_add(time_point(5s), duration::zero()) == time_point(5s));
    static_assert(saturating_add(time_point(1s), duration::max()) == time_point::max());
    static_assert(saturating_add(time_point(-1s), duration::min()) == time_point::min());
    static_assert(saturating_add(wall_time::max(), 1ns) == wall_time::max());
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()
