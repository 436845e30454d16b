// SPDX-License-Identifier: BSL-1.0
#include "oauth2/sansio/token_slot.hpp"

#include "base/backoff.hpp"

#include <jeton/oauth2/error.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace jeton::oauth2 {

namespace {

using namespace std::chrono_literals;

// A wall clock that is moved shows at the next question at the latest; so nobody is told more than this ahead.
constexpr duration longest_answer = 1s;

// Between two flights that each bring a token without life.
constexpr duration lifeless_pause = 1s;

std::string tenths(duration d)
{
    auto const n =
        std::max<duration::rep>(0, std::chrono::ceil<std::chrono::duration<duration::rep, std::deci>>(d).count());
    return std::to_string(n / 10) + '.' + std::to_string(n % 10) + " s";
}

// Tokens that come from different objects may be the same to a server; so it is the secret that counts.
bool same(token_ptr const& a, token_ptr const& b) { return a == b || *a->authorization() == *b->authorization(); }

failure held_back(errc code, std::string ours, std::optional<time_point> retry_at)
{
    diagnostics diag;
    diag.ours = std::move(ours);
    diag.retry_at = retry_at;
    return {make_error_code(code), phase::token, delivery::not_sent, std::move(diag)};
}

failure lasts_too_short(duration asked, duration lifetime)
{
    return {jeton::errc::misuse, phase::token, delivery::not_sent,
            "a token was asked for that lasts " + tenths(asked) + ", but the server's live " + tenths(lifetime)};
}

failure as_seen_by_callers(failure const& why, time_point retry_at)
{
    auto diag = why.diag();
    diag.retry_at = retry_at;
    // "Cancelled" is what a caller is told about his own call; an upstream that says so was not cancelled by any.
    auto const code = why.code() == cond::cancelled ? make_error_code(jeton::errc::unexpected) : why.code();
    return {code, phase::token, delivery::not_sent, std::move(diag)};
}

void check(refresh_policy const& p)
{
    auto const require = [](bool holds, char const* rule) {
        if (!holds)
            throw std::invalid_argument(std::string("jeton: refresh_policy: ") + rule);
    };
    require(p.lead_floor >= 0s, "lead_floor is negative");
    require(p.margin >= 0s, "margin is negative");
    require(p.jitter >= 0 && p.jitter <= 0.5, "jitter is not within 0 to 0.5");
    require(p.first_pause > 0s && p.first_pause <= p.longest_pause, "first_pause is not within 0 to longest_pause");
    require(p.longest_retry_after >= 0s, "longest_retry_after is negative");
    require(p.shortest_refusal > 0s && p.shortest_refusal <= p.longest_refusal,
            "shortest_refusal is not within 0 to longest_refusal");
    require(p.flight_limit > 0s, "flight_limit is not positive");
    require(p.budget >= 1, "budget is less than 1");
    require(p.budget_window > 0s, "budget_window is not positive");
    require(p.circuit_pause >= 0s, "circuit_pause is negative");
}

}  // namespace

token_slot::token_slot(refresh_policy policy, std::uint64_t seed) : policy_(policy), random_(seed) { check(policy_); }

auto token_slot::on_demand(token_demand const& demand, moment now) -> step
{
    if (demand.refused() && held_ && same(demand.refused(), held_->token))
        if (auto why = on_refusal(demand.refused(), now))
            return {.what = action::refuse, .token = {}, .why = std::move(why), .valid_until = {}};

    if (held_ && usable_for(*held_, now) > 0s) {
        auto const left = held_->token->left(now);
        if (left >= demand.remaining()) {
            bool const ageing = left <= held_->lead;
            if (!ageing || in_flight_ || next_flight_not_before(now))
                return use(now, ageing);
            return take_off(action::use_and_fetch, held_->token, now);
        }
        auto const lifetime = held_->token->lifetime();
        auto const end = saturating_add(now.boot, left);
        auto why = held_->same_again ? std::optional(
                       held_back(errc::temporarily_unavailable,
                                 "the server hands out the same token until it runs out, in " + tenths(left), end))
                   : demand.remaining() > lifetime - held_->margin
                       ? std::optional(lasts_too_short(demand.remaining(), lifetime))
                       : std::nullopt;
        if (why)
            return {.what = action::refuse, .token = {}, .why = std::move(why), .valid_until = {}};
    }

    if (demand.deadline() && *demand.deadline() <= now.boot)
        return {.what = action::refuse,
                .token = {},
                .why = failure(jeton::errc::timed_out, phase::token, delivery::not_sent,
                               "the deadline had passed before a token was asked for"),
                .valid_until = {}};
    if (in_flight_)
        return {.what = action::wait, .token = {}, .why = {}, .valid_until = {}};
    if (auto const at = next_flight_not_before(now))
        return {.what = action::refuse, .token = {}, .why = refusal(now, *at), .valid_until = {}};
    return take_off(action::fetch_and_wait, {}, now);
}

auto token_slot::take_off(action what, token_ptr token, moment now) -> step
{
    in_flight_ = true;
    ++flights_;
    recent_.push_back(now.boot);
    if (recent_.size() > static_cast<std::size_t>(policy_.budget))
        recent_.pop_front();
    auto until = time_point::min();
    if (token)
        until = use(now, true).valid_until;
    return {.what = what, .token = std::move(token), .why = {}, .valid_until = until};
}

auto token_slot::use(moment now, bool ageing) -> step
{
    auto until = std::min(saturating_add(now.boot, longest_answer), saturating_add(now.boot, usable_for(*held_, now)));
    if (!ageing)
        until = std::min(until, saturating_add(now.boot, held_->token->left(now) - held_->lead));
    else if (auto const at = next_flight_not_before(now); at && !in_flight_)
        until = std::min(until, *at);
    return {.what = action::use, .token = held_->token, .why = {}, .valid_until = until};
}

std::optional<failure> token_slot::on_refusal(token_ptr const& refused, moment now)
{
    bool const open = now.boot < circuit_until_;
    bool const young = now.boot < saturating_add(held_->landed, policy_.circuit_pause);
    if (!open && !(held_->after_refusal && young)) {
        // While no other can be asked for, others may still find this one accepted.
        if (!in_flight_)
            if (auto const at = next_flight_not_before(now))
                return refusal(now, *at);
        // Worthless to everyone, not only to whoever reports it.
        refused_ = refused;
        held_.reset();
        return {};
    }
    if (!open)
        circuit_until_ = saturating_add(now.boot, policy_.circuit_pause);
    return held_back(errc::token_refused,
                     "token " + std::to_string(held_->token->generation) + " (" + held_->token->fingerprint
                         + ") was refused although it is new: look at audience, scope and clocks; next try in "
                         + tenths(circuit_until_ - now.boot),
                     circuit_until_);
}

std::optional<time_point> token_slot::next_flight_not_before(moment now) const
{
    auto at = paused_until_;
    if (recent_.size() == static_cast<std::size_t>(policy_.budget))
        at = std::max(at, saturating_add(recent_.front(), policy_.budget_window));
    return at > now.boot ? std::optional(at) : std::nullopt;
}

failure token_slot::refusal(moment now, time_point retry_at) const
{
    if (last_failure_)
        return as_seen_by_callers(*last_failure_, retry_at);
    return held_back(errc::temporarily_unavailable,
                     "the budget of token requests is used up; next one in " + tenths(retry_at - now.boot), retry_at);
}

auto token_slot::on_landed(result<token_ptr> const& outcome, moment now, duration took) -> landing
{
    in_flight_ = false;
    if (!outcome || !*outcome) {
        remember(outcome
                     ? failure(jeton::errc::unexpected, phase::token, delivery::not_sent, "the source gave no token")
                     : outcome.error(),
                 now);
        return {.outcome = *last_failure_,
                .same_as_before = false,
                .failures_in_a_row = failures_in_a_row_,
                .pause = paused_until_ - now.boot};
    }

    took_[landings_++ % took_.size()] = took;
    forgive_failures();

    auto const granted = (*outcome)->numbered(++generation_);
    bool const refused_before = refused_ && same(refused_, granted);
    bool const known = held_ && same(held_->token, granted);
    bool same_again = false;
    if (known) {
        // A server may prolong a token instead of making a new one. What is gained by rounding to seconds is no such thing.
        auto const gained = granted->left(now) - held_->token->left(now);
        same_again = gained <= std::min<duration>(2s, held_->token->lifetime() / 4);
    }
    // The end of a JWT is part of it: the same one cannot have been prolonged, whatever the answer around it says.
    bool const end_is_fixed = known && granted->jwt_expiry.has_value();
    same_again = same_again || end_is_fixed;

    landing done{.outcome = granted, .same_as_before = known || refused_before, .failures_in_a_row = 0, .pause = {}};
    auto fresh = weigh(end_is_fixed ? held_->token->numbered(generation_) : granted, same_again, now);
    fresh.after_refusal = refused_ != nullptr;
    if (refused_before)
        circuit_until_ = saturating_add(now.boot, policy_.circuit_pause);
    refused_.reset();

    if (usable_for(fresh, now) > 0s) {
        held_ = std::move(fresh);
        return done;
    }
    // Those who waited may use it; it is not kept, and the next one is not asked for at once.
    ++without_life_;
    done.pause = lifeless_pause;
    paused_until_ = saturating_add(now.boot, done.pause);
    last_failure_ =
        held_back(errc::temporarily_unavailable,
                  "the last token lived " + tenths(granted->lifetime()) + ", too short to be kept", paused_until_);
    if (held_ && usable_for(*held_, now) <= 0s)
        held_.reset();
    return done;
}

result<token_ptr> token_slot::share(result<token_ptr> const& outcome, token_demand const& demand, moment now)
{
    if (!outcome)
        return outcome;
    auto const& granted = *outcome;
    if (demand.refused() && same(demand.refused(), granted))
        return held_back(errc::token_refused,
                         "the server hands out the token " + granted->fingerprint + " again, which the API refuses",
                         {});
    if (demand.remaining() > granted->lifetime())
        return lasts_too_short(demand.remaining(), granted->lifetime());
    if (auto const left = granted->left(now); demand.remaining() > 0s && demand.remaining() > left)
        return held_back(errc::temporarily_unavailable,
                         "a token was asked for that lasts " + tenths(demand.remaining())
                             + ", but the server's has only " + tenths(left) + " left",
                         saturating_add(now.boot, std::max<duration>(left, 0s)));
    return outcome;
}

void token_slot::forgive() noexcept
{
    forgive_failures();
    circuit_until_ = time_point::min();
}

void token_slot::forgive_failures() noexcept
{
    failures_in_a_row_ = 0;
    last_failure_.reset();
    paused_until_ = time_point::min();
}

void token_slot::clear() noexcept
{
    held_.reset();
    refused_.reset();
    in_flight_ = false;
}

void token_slot::remember(failure const& why, moment now)
{
    ++failures_in_a_row_;
    bool const permanent = why.code() == cond::credentials;
    duration own{};
    if (permanent) {
        own = policy_.shortest_refusal + part_of(policy_.longest_refusal - policy_.shortest_refusal, chance());
    } else {
        own = backoff(policy_.first_pause, policy_.longest_pause, static_cast<unsigned>(failures_in_a_row_ - 1),
                      chance());
        // Once the token is gone somebody has to wait; so that moment is worth a try, whatever the pause was.
        if (held_)
            if (auto const usable = usable_for(*held_, now); usable > 0s)
                own = std::min(own, usable);
    }
    if (auto const theirs = why.diag().retry_after; theirs && *theirs > 0s) {
        auto const honoured = *theirs > std::chrono::floor<std::chrono::seconds>(policy_.longest_retry_after)
                                  ? policy_.longest_retry_after
                                  : duration(*theirs);
        own = std::max(own, honoured);
    }
    paused_until_ = saturating_add(now.boot, own);
    last_failure_ = as_seen_by_callers(why, paused_until_);
}

duration token_slot::usable_for(held const& h, moment now) { return h.token->left(now) - h.margin; }

auto token_slot::weigh(token_ptr granted, bool same_again, moment now) -> held
{
    held h{.token = std::move(granted),
           .lead = {},
           .margin = {},
           .landed = now.boot,
           .after_refusal = false,
           .same_again = same_again};
    if (same_again)
        return h;  // until its very end there is no other to be had
    auto const life = h.token->lifetime();
    h.margin = std::min(policy_.margin, life / 10);
    // The margin comes on top of the time that a flight needs: at its beginning the token must be replaced already.
    h.lead = std::min(life / 2, std::max(life / 10, h.margin + 4 * latency() + policy_.lead_floor));
    h.lead = std::min(life / 2, h.lead + part_of(part_of(h.lead, policy_.jitter), chance()));
    return h;
}

// The 99th percentile of so few is their maximum.
duration token_slot::latency() const noexcept { return *std::max_element(took_.begin(), took_.end()); }

double token_slot::chance() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

auto token_slot::look(moment now) const -> report
{
    report r;
    if (held_) {
        auto const left = held_->token->left(now);
        r.token = held_->token;
        r.left = std::max<duration>(left - held_->margin, 0s);
        r.refresh_in = std::max<duration>(left - held_->lead, 0s);
        r.is = r.left == 0s ? age_state::expired : r.refresh_in == 0s ? age_state::ageing : age_state::fresh;
    }
    r.last_failure = last_failure_;
    if (auto const at = next_flight_not_before(now))
        r.retry_in = *at - now.boot;
    r.in_flight = in_flight_;
    r.circuit_open = now.boot < circuit_until_;
    r.flights = flights_;
    r.without_life = without_life_;
    return r;
}

}  // namespace jeton::oauth2
