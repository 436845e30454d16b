// SPDX-License-Identifier: BSL-1.0
#include <jeton/http/retry.hpp>

#include "base/hop.hpp"
#include "base/parking.hpp"
#include "base/timekeeper.hpp"
#include "http/request_access.hpp"
#include "http/response_builder.hpp"
#include "http/retry_elsewhere.hpp"
#include "http/sansio/retry_after.hpp"
#include "http/sansio/retry_budget.hpp"
#include "http/sansio/retry_plan.hpp"
#include "http/stage.hpp"

#include <jeton/http/error.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

namespace jeton::http {

namespace {

// The hands of retry_plan: it decides, this sends and waits.
class retrying final : public transport,
                       public has_passage,
                       public stage,
                       public std::enable_shared_from_this<retrying> {
public:
    retrying(std::shared_ptr<transport> inner, serial home, std::shared_ptr<clock> time, retry_policy policy,
             std::shared_ptr<observer> watcher, retry_elsewhere elsewhere)
        : inner_(std::move(inner)),
          home_(std::move(home)),
          timers_(home_, std::move(time)),
          policy_(std::move(policy)),
          budget_(policy_.budget, policy_.budget_floor),
          watcher_(std::move(watcher)),
          elsewhere_(std::move(elsewhere)),
          way_(way_through(*this, *inner_))
    {}

    awaitable<result<response>> send(request what) override
    {
        if (way_.last)
            return way_.last->send(std::move(what), shared_from_this(), way_.stages);
        return whole(std::move(what));
    }
    passage way() override { return way_; }

    bool enter(request& what, time_point now) override
    {
        budget_.on_request(now);
        if (what.within() || !what.until())
            what.deadline(deadline_of(what, now));
        return true;
    }
    bool passes(request const&, result<response> const& outcome) const noexcept override
    {
        return outcome && !retry_plan::lists(policy_, outcome->status());
    }
    awaitable<result<response>> amend(request what, result<response> first) override
    {
        return repeat(shared_from_this(), std::move(what), std::move(first));
    }
    awaitable<result<response>> whole(request what) override { return repeat(shared_from_this(), std::move(what), {}); }

private:
    // Until there is nothing to say against the outcome, beginning with that of the `first` attempt if it has been made.
    static awaitable<result<response>> repeat(std::shared_ptr<retrying> self, request what,
                                              std::optional<result<response>> first)
    {
        bool const throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);

        std::optional<result<response>> outcome;
        std::exception_ptr thrown;  // by a transport of the user's; it passes, with the caller's setting restored
        auto const here = co_await asio::this_coro::executor;
        if (here != self->home_.executor() && self->elsewhere_)
            if (auto other = self->elsewhere_(here))
                self = std::static_pointer_cast<retrying>(std::move(other));
        if (here != self->home_.executor()) {
            auto op = repeat(self, std::move(what), {});
            try {
                outcome = co_await hop_for_result(self->home_.executor(), std::move(op));
            } catch (...) {
                thrown = std::current_exception();
            }
            co_await asio::this_coro::throw_if_cancelled(throws);
            if (thrown)
                std::rethrow_exception(thrown);
            co_return std::move(*outcome);
        }

        auto const begun = self->timers_.now();
        auto const deadline = self->deadline_of(what, begun);
        retry_plan plan(self->policy_, self->budget_, what.repeatable(), deadline);
        if (!first)
            self->budget_.on_request(begun);
        duration waited_for_token{};
        auto furthest = delivery::not_sent;
        if (!what.within() && !what.until())
            what.deadline(deadline);
        for (;;) {
            if (first) {
                outcome = std::exchange(first, {});
            } else {
                try {
                    outcome = co_await self->inner_->send(what);
                } catch (...) {
                    thrown = std::current_exception();
                }
            }
            if (thrown || (*outcome && !plan.lists((*outcome)->status())))
                break;
            auto const attempt = plan.attempt();
            auto const now = self->timers_.now();
            auto const next = self->judge(plan, *outcome, now);
            if (!next.again)
                break;
            self->tell(what, *outcome, attempt, next.at - now);
            if (next.on_young_connection)
                request_access::only_dialled_after(what, now);
            request_access::count_attempt(what, plan.attempt());
            what.deadline(deadline);
            if (plan.attempt() == attempt)
                waited_for_token += next.at - now;
            if (!*outcome)
                furthest = std::max(furthest, outcome->error().delivery());
            bool slept = true;
            if (next.at > now)
                slept = co_await self->pause(next.at);
            if (!slept) {
                outcome = self->cancelled(*outcome);
                break;
            }
        }
        if (thrown) {
            co_await asio::this_coro::throw_if_cancelled(throws);
            std::rethrow_exception(thrown);
        }
        // What an earlier attempt may have done is not undone by one that did not get as far.
        if (*outcome)
            response_access::info(**outcome).phases.token += waited_for_token;
        else if (outcome->error().delivery() < furthest)
            outcome = outcome->error().with(furthest);
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return std::move(*outcome);
    }

    time_point deadline_of(request const& what, time_point now) const
    {
        auto until = what.until().value_or(time_point::max());
        if (what.within())
            until = std::min(until, saturating_add(now, *what.within()));
        return what.within() || what.until() ? until : saturating_add(now, policy_.total);
    }

    retry_plan::step judge(retry_plan& plan, result<response> const& outcome, time_point now)
    {
        auto const chance = std::uniform_real_distribution<double>()(dice_);
        if (!outcome) {
            auto const& why = outcome.error();
            return plan.on_failure(why, why.code() == errc::connection_lost, now, chance);
        }
        std::optional<std::chrono::seconds> retry_after;
        if (auto const field = outcome->header("Retry-After"))
            retry_after = parse_retry_after(*field, timers_.both().wall);
        return plan.on_answer(outcome->status(), retry_after, now, chance);
    }

    awaitable<bool> pause(time_point until)
    {
        parking place;
        auto const why = co_await place.wait(&timers_, until);
        timers_.rest();
        co_return why == woken::timed_out;
    }

    static failure cancelled(result<response> const& last)
    {
        return {jeton::errc::cancelled, phase::queue, last ? delivery::answered : last.error().delivery(),
                "cancelled before it was sent again"};
    }

    void tell(request const& what, result<response> const& last, int attempt, duration pause)
    {
        if (!watcher_)
            return;
        auto const& to = request_access::origin_of(what);
        diagnostics diag;
        diag.ours = "the answer's status is worth another attempt";
        if (last)
            diag.http_status = static_cast<std::uint16_t>(last->status());
        try {
            watcher_->on(
                happenings::resent{to ? to->to_string() : std::string(),
                                   last ? failure(std::make_error_code(std::errc::resource_unavailable_try_again),
                                                  phase::body, delivery::answered, std::move(diag))
                                        : last.error(),
                                   attempt, pause});
        } catch (...) {
        }
    }

    std::shared_ptr<transport> inner_;
    serial home_;
    timekeeper timers_;
    retry_policy policy_;
    retry_budget budget_;
    std::shared_ptr<observer> watcher_;
    retry_elsewhere elsewhere_;
    passage way_;
    std::minstd_rand dice_{std::random_device()()};
};

void demand(bool kept, char const* rule)
{
    if (!kept)
        throw std::invalid_argument(std::string("jeton: http::retry_policy: ") + rule);
}

}  // namespace

std::shared_ptr<transport> with_retries(std::shared_ptr<transport> inner, serial home, std::shared_ptr<clock> time,
                                        retry_policy policy, std::shared_ptr<observer> watcher)
{
    return with_retries(std::move(inner), std::move(home), std::move(time), std::move(policy), std::move(watcher), {});
}

std::shared_ptr<transport> with_retries(std::shared_ptr<transport> inner, serial home, std::shared_ptr<clock> time,
                                        retry_policy policy, std::shared_ptr<observer> watcher,
                                        retry_elsewhere elsewhere)
{
    if (!inner || !time)
        throw std::invalid_argument("jeton: http::with_retries: the transport and the clock must not be null");
    demand(policy.attempts >= 1, "attempts must be at least 1");
    demand(policy.first_pause > duration::zero(), "first_pause must be greater than zero");
    demand(policy.longest_pause >= policy.first_pause, "longest_pause must not be less than first_pause");
    demand(policy.budget >= 0 && policy.budget <= 1, "budget must be 0 to 1");
    demand(policy.budget_floor >= 0, "budget_floor must not be negative");
    demand(policy.total > duration::zero(), "total must be greater than zero");
    return std::make_shared<retrying>(std::move(inner), std::move(home), std::move(time), std::move(policy),
                                      std::move(watcher), std::move(elsewhere));
}

}  // namespace jeton::http
