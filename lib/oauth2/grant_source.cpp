// SPDX-License-Identifier: BSL-1.0
#include <jeton/oauth2/sources.hpp>

#include "base/hop.hpp"
#include "base/untrusted_text.hpp"
#include "http/request_access.hpp"
#include "oauth2/sansio/token_request.hpp"
#include "oauth2/sansio/token_response.hpp"
#include "oauth2/sansio/token_slot.hpp"

#include <jeton/oauth2/error.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace jeton::oauth2 {

namespace {

using namespace std::chrono_literals;

// For one token request. Whoever waits has limits of his own; this one ends a request that nobody waits for.
constexpr duration longest_exchange = 10s;

// Client credentials, or the refresh token that came with the last answer. All of it on home.
class grant final : public std::enable_shared_from_this<grant> {
public:
    grant(std::shared_ptr<http::transport> over, serial home, token_endpoint endpoint, identity_source identity,
          std::shared_ptr<clock> time, std::shared_ptr<observer> watcher)
        : over_(std::move(over)),
          home_(std::move(home)),
          write_(std::move(endpoint)),
          identity_(std::move(identity)),
          time_(std::move(time)),
          watcher_(std::move(watcher))
    {}

    asio::any_io_executor const& home() const noexcept { return home_.executor(); }
    moment now() const noexcept { return time_->both(); }

    static awaitable<result<token_ptr>> fetch(std::shared_ptr<grant> self, std::optional<time_point> by)
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        auto who = self->read_identity();
        if (!who)
            co_return who.error();

        if (auto const held = self->refresh_token_) {
            auto message = self->write_.refresh(*held, *who);
            if (!message)
                co_return message.error();
            auto got = co_await exchange(self, by, std::move(*message), "refresh_token", self->secrets_of(*who, held));
            if (got)
                co_return got;
            // A20: it is used up. Whatever else the server answered for good, the next flight does without it. Unless
            // another call has brought a new one meanwhile, it is forgotten.
            auto const& why = got.error();
            auto const status = why.diag().http_status.value_or(0);
            bool const used_up = status == 400 || status == 401 || why.code() == errc::invalid_grant;
            bool const useless = status != 0 && why.code() != cond::transient;
            if ((used_up || useless) && self->refresh_token_ == held)
                self->refresh_token_.reset();
            if (!used_up)
                co_return got;
        }

        auto message = self->write_.client_credentials(*who);
        if (!message)
            co_return message.error();
        auto got = co_await exchange(self, by, std::move(*message), "client_credentials", self->secrets_of(*who, {}));
        if (got || !rejects_client(got.error()))
            co_return got;

        // The secret may have been rotated since it was read.
        auto now = self->read_identity();
        if (!now || (now->id == who->id && now->key == who->key))
            co_return got;
        auto again = self->write_.client_credentials(*now);
        if (!again)
            co_return again.error();
        co_return co_await exchange(self, by, std::move(*again), "client_credentials", self->secrets_of(*now, {}));
    }

private:
    // Held by the coroutine that has sent them.
    using sent_secrets = std::vector<secret>;

    std::shared_ptr<sent_secrets const> secrets_of(client_identity const& who,
                                                   std::shared_ptr<secret const> const& refresh) const
    {
        return std::make_shared<sent_secrets const>(write_.unquotable(who, refresh.get()));
    }

    static bool rejects_client(failure const& why)
    {
        return why.code() == errc::invalid_client || why.diag().http_status == 401;
    }

    result<client_identity> read_identity() const
    {
        // Not ours, and called on the executor that everything else runs on: an exception must not get away.
        try {
            return identity_();
        } catch (error const& e) {
            return e.why();
        } catch (std::exception const& e) {
            return failure(jeton::errc::unexpected, phase::token, delivery::not_sent,
                           "reading the credentials threw: " + untrusted_text(e.what(), 256));
        }
    }

    static awaitable<result<token_ptr>> exchange(std::shared_ptr<grant> self, std::optional<time_point> by,
                                                 http::request message, std::string kind,
                                                 std::shared_ptr<sent_secrets const> secrets)
    {
        message.deadline(longest_exchange);
        http::request_access::put_first(message);
        http::request_access::limit_answer(message, longest_answer_body);
        if (by)
            message.deadline(*by);
        self->tell(kind);
        // A21: from before it leaves, so that the token is never believed to be younger than it is.
        auto const sent = self->time_->both();
        auto reply = co_await self->over_->send(std::move(message));
        if (!reply)
            co_return self->unanswered(reply.error());
        std::vector<std::string_view> ours;
        for (auto const& s : *secrets)
            ours.push_back(s.reveal());
        token_answer answer;
        answer.status = reply->status();
        answer.headers = reply->headers();
        answer.body = reply->text();
        auto got =
            read_token_answer(answer, self->write_.endpoint(), self->write_.name(), sent, self->time_->wall(), ours);
        // §6: a new one replaces the old; an answer without one leaves it in force.
        if (got && !(*got)->refresh.empty())
            self->refresh_token_ = std::make_shared<secret const>((*got)->refresh.reveal());
        co_return got;
    }

    // The transport speaks of addresses and limits, not of what was asked for.
    failure unanswered(failure const& why) const
    {
        auto diag = why.diag();
        diag.ours = "token endpoint " + write_.name() + " gave no answer (" + std::string(to_string(why.phase()))
                    + "): " + (diag.ours.empty() ? why.code().message() : diag.ours);
        return {why.code(), phase::token, why.delivery(), std::move(diag)};
    }

    void tell(std::string const& kind) const
    {
        if (!watcher_)
            return;
        happenings::token_requested what;
        what.endpoint = write_.name();
        what.grant = kind;
        try {
            watcher_->on(what);
        } catch (...) {
            // An observer only looks on.
        }
    }

    std::shared_ptr<http::transport> const over_;
    serial const home_;
    token_request const write_;
    identity_source const identity_;
    std::shared_ptr<clock> const time_;
    std::shared_ptr<observer> const watcher_;
    std::shared_ptr<secret const> refresh_token_{};
};

class grant_source final : public token_source {
public:
    explicit grant_source(std::shared_ptr<grant> g) : grant_(std::move(g)) {}

    awaitable<result<token_ptr>> get(token_demand demand) override
    {
        auto const self = grant_;
        auto const caller = co_await asio::this_coro::executor;
        bool const throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        auto fetching = start(self, demand.deadline(), caller == self->home());
        auto got = co_await std::move(fetching);
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return token_slot::share(got, demand, self->now());
    }

private:
    static awaitable<result<token_ptr>> start(std::shared_ptr<grant> g, std::optional<time_point> by, bool at_home)
    {
        auto const home = g->home();
        auto fetching = grant::fetch(std::move(g), by);
        if (at_home)
            return fetching;
        return hop(home, std::move(fetching));
    }

    std::shared_ptr<grant> const grant_;
};

}  // namespace

std::shared_ptr<token_source> make_grant_source(std::shared_ptr<http::transport> over, serial home,
                                                token_endpoint endpoint, identity_source identity,
                                                std::shared_ptr<clock> time, std::shared_ptr<observer> watcher)
{
    if (!over || !identity || !time)
        throw std::invalid_argument("jeton: make_grant_source: no transport, identity or clock");
    return std::make_shared<grant_source>(std::make_shared<grant>(std::move(over), std::move(home), std::move(endpoint),
                                                                  std::move(identity), std::move(time),
                                                                  std::move(watcher)));
}

}  // namespace jeton::oauth2
