// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>
#include <jeton/oauth2/refresh_policy.hpp>
#include <jeton/oauth2/token.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>

namespace jeton::oauth2 {

/// The mind of `with_cache`: what to do about one token, given the time. No I/O, no clock, no lock; the shell in
/// cached_source.cpp asks and obeys.
///
///            on_demand: none, ageing,
///            expired or refused                     on_landed(token)
///     idle ----------------------------> in flight -----------------> idle
///      ^                                     |
///      |  the pause is over, or forgiven     |  on_landed(failure)
///      +------------------ paused <----------+
///
/// Whether a token is held is independent of this. By its age it is
///
///     fresh ------> ageing ------> expired        (lead and margin before its end)
///
/// and an ageing one is handed out while its successor is being fetched. A failure takes nothing away that still works.
///
/// What a resource server refuses (401) is not handed out again; but when the token that replaced it is refused soon
/// after it came, too, the fault is not the token's: the circuit opens, and refusals cause no flight until it has
/// closed again. Then one more probe is allowed, and so on. While it is open the token stays in use, since some of the
/// resource's servers may well accept it.
class token_slot {
public:
    enum class action : unsigned char {
        use,             ///< hand out step::token
        use_and_fetch,   ///< hand out step::token, and start a flight that nobody waits for
        fetch_and_wait,  ///< start a flight, then answer with its outcome
        wait,            ///< a flight is under way: answer with its outcome
        refuse,          ///< there is none at present: answer with step::why
    };

    struct step {
        action what{};
        token_ptr token{};
        std::optional<failure> why{};
        time_point valid_until{};  ///< until then `token` may be given to others without asking again
    };

    /// What became of a flight.
    struct landing {
        result<token_ptr> outcome{};  ///< for those who waited: see `share`
        bool same_as_before = false;
        int failures_in_a_row = 0;
        duration pause{};  ///< until the next flight is allowed
    };

    enum class age_state : unsigned char { none, fresh, ageing, expired };

    struct report {
        age_state is{};
        token_ptr token{};
        duration left{};        ///< until it counts as expired
        duration refresh_in{};  ///< until it is ageing
        std::optional<failure> last_failure{};
        std::optional<duration> retry_in{};
        bool in_flight = false;
        bool circuit_open = false;
        std::uint64_t flights = 0;
        std::uint64_t without_life = 0;  ///< tokens that came too late or too short-lived to be kept
    };

    /// \param seed  of the jitter
    /// \throws std::invalid_argument  `policy` breaks its own rule.
    token_slot(refresh_policy policy, std::uint64_t seed);

    /// Someone wants a token. The caller of this function starts the flight it asks for.
    step on_demand(token_demand const& demand, moment now);

    /// The flight that on_demand asked for is over; it took `took`.
    landing on_landed(result<token_ptr> const& outcome, moment now, duration took);

    /// What somebody who waited for a flight gets of its outcome: a token that is what he asked not to be given, or that
    /// does not last as long as he asked, is a failure for him alone.
    static result<token_ptr> share(result<token_ptr> const& outcome, token_demand const& demand, moment now);

    /// The past failures are no guide any more: the secret has changed, or somebody says so. The budget still holds.
    void forgive() noexcept;

    /// Lets go of the token, and of the flight that is under way.
    void clear() noexcept;

    report look(moment now) const;
    token const* look_token() const noexcept { return held_ ? held_->token.get() : nullptr; }

private:
    struct held {
        token_ptr token{};
        duration lead{};
        duration margin{};
        time_point landed{};
        bool after_refusal = false;  // it replaced one that was refused
        bool same_again = false;     // the server keeps it until its end, too: asking earlier is no use
    };

    std::optional<time_point> next_flight_not_before(moment now) const;
    step take_off(action what, token_ptr use, moment now);
    step use(moment now, bool ageing);
    std::optional<failure> on_refusal(token_ptr const& refused, moment now);
    failure refusal(moment now, time_point retry_at) const;
    static duration usable_for(held const& h, moment now);
    held weigh(token_ptr token, bool same_again, moment now);
    duration latency() const noexcept;
    double chance();
    void forgive_failures() noexcept;
    void remember(failure const& why, moment now);

    refresh_policy policy_;
    std::mt19937_64 random_;

    std::optional<held> held_{};
    token_ptr refused_{};  // what the flight under way is to replace
    std::uint64_t generation_ = 0;

    bool in_flight_ = false;
    std::uint64_t flights_ = 0;
    std::uint64_t without_life_ = 0;
    std::deque<time_point> recent_{};  // when the last flights of the budget's window took off
    std::array<duration, 32> took_{};
    std::size_t landings_ = 0;

    int failures_in_a_row_ = 0;
    std::optional<failure> last_failure_{};
    time_point paused_until_ = time_point::min();
    time_point circuit_until_ = time_point::min();
};

}  // namespace jeton::oauth2
