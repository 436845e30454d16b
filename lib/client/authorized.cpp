// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/authorized.hpp>

#include "base/cancellation.hpp"
#include "base/untrusted_text.hpp"
#include "client/sansio/authorization_plan.hpp"
#include "http/request_access.hpp"
#include "http/response_builder.hpp"
#include "http/sansio/challenges.hpp"
#include "http/stage.hpp"
#include "oauth2/token_at_hand.hpp"

#include <jeton/base/secret.hpp>
#include <jeton/http/error.hpp>
#include <jeton/oauth2/error.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace jeton {

namespace {

using http::request_access;
using http::response_access;
using oauth2::token_demand;

failure refused_by_us(std::error_code code, std::string ours)
{
    return {code, phase::configure, delivery::not_sent, std::move(ours)};
}

// What the resource server said about the token (RFC 6750 §3).
struct objection {
    explicit objection(http::response const& answer)
        : status(static_cast<std::uint16_t>(answer.status())), offered(http::parse_challenges(answer.headers()))
    {}
    std::string_view error() const noexcept { return http::bearer_error(offered); }

    diagnostics diag(std::string ours) const
    {
        diagnostics d;
        d.ours = std::move(ours);
        d.http_status = status;
        d.peer_code = untrusted_text(error(), 256);
        for (auto const& c : offered) {
            if (c.scheme != "bearer" || c.parameter("error") == nullptr)
                continue;
            if (auto const* const text = c.parameter("error_description"); text)
                d.peer_text = untrusted_text(*text, 512);
            if (auto const* const scope = c.parameter("scope"))
                d.peer_text += " (scope: " + untrusted_text(*scope, 256) + ')';
            break;
        }
        return d;
    }

    std::uint16_t status;
    std::vector<http::challenge> offered;
};

class authorized_transport final : public http::transport,
                                   public http::has_passage,
                                   public http::stage,
                                   public std::enable_shared_from_this<authorized_transport> {
public:
    authorized_transport(std::shared_ptr<http::transport> over, std::shared_ptr<oauth2::token_source> tokens,
                         std::vector<http::origin> origins, std::shared_ptr<clock> time,
                         std::shared_ptr<observer> watcher)
        : over_(std::move(over)),
          tokens_(std::move(tokens)),
          at_hand_(dynamic_cast<oauth2::token_at_hand const*>(tokens_.get())),
          origins_(std::move(origins)),
          time_(std::move(time)),
          watcher_(std::move(watcher)),
          way_(http::way_through(*this, *over_)),
          same_home_(way_.last && may_ask_at_hand(way_.last->home()))
    {}

    asio::awaitable<result<http::response>> send(http::request what) override
    {
        if (way_.last)
            return way_.last->send(std::move(what), shared_from_this(), way_.stages);
        return whole(std::move(what));
    }
    http::passage way() override { return way_; }

    bool enter(http::request& what, time_point now) override
    {
        if (!what.wants_token())
            return true;
        auto const* const token = same_home_ ? at_hand_->at_hand(now) : nullptr;
        if (token == nullptr || objection_to(what))
            return false;
        (void)deadline_of(what, now);
        authorize(what, *token);
        return true;
    }
    bool passes(http::request const& what, result<http::response> const& outcome) const noexcept override
    {
        return !what.wants_token() || !outcome || !authorization_plan::concerns(outcome->status());
    }
    asio::awaitable<result<http::response>> amend(http::request what, result<http::response> first) override
    {
        return exchange(shared_from_this(), std::move(what), std::move(first));
    }
    asio::awaitable<result<http::response>> whole(http::request what) override
    {
        if (!what.wants_token())
            return over_->send(std::move(what));
        return exchange(shared_from_this(), std::move(what), {});
    }

private:
    bool may_ask_at_hand(asio::any_io_executor const& here) const
    {
        return at_hand_ != nullptr && here == at_hand_->home();
    }

    // Counted with this shard's hold on the token, which no other thread writes to.
    static void authorize(http::request& what, oauth2::token_ptr const& by)
    {
        request_access::authorize(what, by->authorization().get(), by);
    }

    static oauth2::token_ptr token_of(http::request const& what)
    {
        return std::static_pointer_cast<oauth2::token const>(request_access::authorized_by(what));
    }

    // At most two attempts; `first` is the outcome of that one, if it has been made.
    static asio::awaitable<result<http::response>> exchange(std::shared_ptr<authorized_transport> self,
                                                            http::request what,
                                                            std::optional<result<http::response>> first)
    {
        if (!first)
            if (auto why = self->objection_to(what))
                co_return std::move(*why);
        bool const throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);

        auto const start = self->time_->now();
        auto const deadline = deadline_of(what, start);
        auto const here = co_await asio::this_coro::executor;
        // Every body is held whole by its request, so it can be sent again (RFC 9110 §15.5.2).
        authorization_plan plan(what.repeatable(), true);
        oauth2::token_ptr sent;
        std::optional<result<http::response>> outcome;  // of the first time, too, until the second one's is known
        bool again = false;
        if (first) {
            sent = token_of(what);
            outcome = std::move(first);
            again = true;
        }
        while (!outcome || self->wants_another_token(plan, what, *sent, *outcome)) {
            duration waited{};
            auto const* const ready = !again && self->may_ask_at_hand(here) ? self->at_hand_->at_hand(start) : nullptr;
            if (ready != nullptr) {
                sent = *ready;
            } else {
                auto demand = again ? token_demand::instead_of(sent) : token_demand();
                if (deadline)
                    demand = std::move(demand).by(*deadline);
                auto got = co_await self->tokens_->get(std::move(demand));
                if (again)
                    self->on_replaced(what, *sent, got, *outcome);
                else if (!got)
                    outcome.emplace(got.error().with(phase::token));
                if (!got)
                    break;
                sent = std::move(*got);
                waited = self->time_->now() - start;
            }
            auto const state = co_await asio::this_coro::cancellation_state;
            if (jeton::cancelled(state)) {
                outcome.emplace(cancelled(again));
                break;
            }

            authorize(what, sent);
            if (again)
                request_access::count_attempt(what, request_access::attempt_of(what) + 1);
            outcome.emplace(co_await self->over_->send(what));
            if (*outcome)
                response_access::info(**outcome).phases.token += waited;
            again = true;
        }
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return std::move(*outcome);
    }

    // Replaces an answer that must not reach the caller by the failure that it means.
    bool wants_another_token(authorization_plan& plan, http::request const& what, oauth2::token const& sent,
                             result<http::response>& outcome) const
    {
        using action = authorization_plan::action;
        if (!outcome || !authorization_plan::concerns(outcome->status()))
            return false;
        objection const said(*outcome);
        switch (plan.on_answer(outcome->status(), said.error(), sent, time_->both())) {
        case action::deliver: return false;
        case action::replace_token: return true;
        case action::token_refused:
            tell_refused(what, sent, true);
            outcome = failure(
                make_error_code(oauth2::errc::token_refused), phase::token, delivery::answered,
                said.diag(name_of(what) + " answered 401 to a new token, too (token " + sent.fingerprint + ')'));
            return false;
        case action::scope_lacking:
            outcome = failure(make_error_code(oauth2::errc::insufficient_scope), phase::token, delivery::answered,
                              said.diag(name_of(what) + " answered " + std::to_string(said.status)
                                        + ": the scope of the token does not cover the request"));
            return false;
        }
        return false;
    }

    // `got` came instead of `old`, with which `outcome` was the answer.
    void on_replaced(http::request const& what, oauth2::token const& old, result<oauth2::token_ptr> const& got,
                     result<http::response>& outcome) const
    {
        bool const refused = outcome->status() == 401;
        if (refused)
            tell_refused(what, old, !got && got.error().code() == oauth2::errc::token_refused);
        if (got)
            return;
        // A 401 has nothing to tell the caller but that there is no token; any other answer is still one.
        if (refused || got.error().code() == cond::cancelled)
            outcome = after_answer(what, got.error());
    }

    // Why the request may not carry a token; says where it goes, if nobody has yet.
    std::optional<failure> objection_to(http::request& what) const
    {
        if (auto const* const mistake = what.mistake())
            return *mistake;
        // RFC 6750 §2: one way of sending a token, never two.
        if (what.has_header("authorization"))
            return refused_by_us(
                make_error_code(oauth2::errc::own_authorization),
                "the request has an Authorization field of its own; make it anonymous() to send that one");
        if (!request_access::origin_of(what)) {
            auto const url = http::url::parse(what.target());
            if (!url)
                return url.error();
            request_access::resolve(what, std::make_shared<http::origin const>(url->origin()), url->target());
        }
        auto const& to = *request_access::origin_of(what);
        if (std::find(origins_.begin(), origins_.end(), to) == origins_.end())
            return refused_by_us(make_error_code(oauth2::errc::foreign_origin),
                                 "the token is not for " + to.to_string());
        return {};
    }

    // The wait for a token uses up the caller's time: what the transport below gets is the moment, not the span.
    static std::optional<time_point> deadline_of(http::request& what, time_point start)
    {
        auto const until = what.until();
        if (!what.within())
            return until;
        auto const at = saturating_add(start, *what.within());
        if (until && *until <= at)
            return until;
        what.deadline(at);
        return at;
    }

    static failure after_answer(http::request const& what, failure const& why)
    {
        auto diag = why.diag();
        diag.ours = name_of(what) + " wants another token, and there is none: " + diag.ours;
        return why.with(std::move(diag)).with(phase::token).with(delivery::answered);
    }

    static std::string name_of(http::request const& what) { return request_access::origin_of(what)->to_string(); }

    static failure cancelled(bool answered)
    {
        return {make_error_code(errc::cancelled), phase::token, answered ? delivery::answered : delivery::not_sent,
                "cancelled before the request was sent" + std::string(answered ? " once more" : "")};
    }

    void tell_refused(http::request const& what, oauth2::token const& token, bool even_new) const
    {
        if (!watcher_)
            return;
        try {
            watcher_->on(happenings::token_refused{
                .origin = name_of(what), .generation = token.generation, .circuit_opened = even_new});
        } catch (...) {
            // Watching must not change what is watched.
        }
    }

    std::shared_ptr<http::transport> over_;
    std::shared_ptr<oauth2::token_source> tokens_;
    oauth2::token_at_hand const* at_hand_;  // the same, if it is that as well
    std::vector<http::origin> origins_;
    std::shared_ptr<clock> time_;
    std::shared_ptr<observer> watcher_;
    http::passage way_;
    bool const same_home_;  // whoever sends may ask what is at hand
};

}  // namespace

std::shared_ptr<http::transport> authorized(std::shared_ptr<http::transport> over,
                                            std::shared_ptr<oauth2::token_source> tokens,
                                            std::vector<http::origin> origins, std::shared_ptr<clock> time,
                                            std::shared_ptr<observer> watcher)
{
    for (auto const& o : origins)
        if (!o.secure && !o.loopback())
            throw error(refused_by_us(make_error_code(http::errc::plain_http),
                                      o.to_string() + ": a token travels over https only (RFC 6750 §5.3)"));
    return std::make_shared<authorized_transport>(std::move(over), std::move(tokens), std::move(origins),
                                                  std::move(time), std::move(watcher));
}

}  // namespace jeton
