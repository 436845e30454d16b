// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/fake_transport.hpp>

#include "http/request_access.hpp"
#include "http/response_builder.hpp"
#include "testing/gate.hpp"

#include <jeton/http/headers.hpp>

#include <deque>
#include <mutex>

namespace jeton::testing {

namespace {

fake_transport::seen look_at(http::request const& r)
{
    fake_transport::seen s;
    s.method = r.method();
    s.target = r.target();
    if (auto const& origin = http::request_access::origin_of(r))
        s.origin = origin->to_string();
    s.fields = r.fields();
    if (auto const& line = http::request_access::authorization_of(r)) {
        std::string_view value = line->reveal();
        value.remove_prefix(std::string_view("Authorization: ").size());
        value.remove_suffix(std::string_view("\r\n").size());
        s.authorization = value;
    }
    s.body = r.body();
    s.has_body = r.has_body();
    s.has_secret_body = r.has_secret_body();
    s.wants_token = r.wants_token();
    s.within = r.within();
    s.until = r.until();
    s.attempt = http::request_access::attempt_of(r);
    return s;
}

}  // namespace

std::string fake_transport::seen::header(std::string_view name) const
{
    std::string_view rest = fields;
    while (!rest.empty()) {
        auto const end = rest.find("\r\n");
        auto const line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
        auto const colon = line.find(':');
        if (colon == std::string_view::npos || !http::same_field_name(line.substr(0, colon), name))
            continue;
        auto value = line.substr(colon + 1);
        while (!value.empty() && value.front() == ' ')
            value.remove_prefix(1);
        return std::string(value);
    }
    return {};
}

struct fake_transport::script {
    explicit script(serial home) : hold(std::make_shared<gate>(std::move(home))) {}

    std::shared_ptr<gate> const hold;

    std::mutex mutex{};
    std::deque<result<http::response>> answers{};
    handler otherwise{};
    std::vector<seen> requests{};

    result<http::response> next(seen const& what)
    {
        std::unique_lock lock(mutex);
        if (!answers.empty()) {
            auto answer = std::move(answers.front());
            answers.pop_front();
            return answer;
        }
        auto const ask = otherwise;
        lock.unlock();
        if (ask)
            return ask(what);
        return failure(errc::misuse, phase::none, delivery::not_sent, "fake_transport: nothing is scripted");
    }
};

fake_transport::fake_transport(serial home) : script_(std::make_shared<script>(std::move(home))) {}

fake_transport::~fake_transport() = default;

void fake_transport::will_answer(result<http::response> answer)
{
    std::lock_guard const lock(script_->mutex);
    script_->answers.push_back(std::move(answer));
}

void fake_transport::will_answer(int status, std::string_view body)
{
    will_answer(answer(status, {{"Content-Type", "application/json"}}, body));
}

void fake_transport::otherwise(handler answer)
{
    std::lock_guard const lock(script_->mutex);
    script_->otherwise = std::move(answer);
}

void fake_transport::hold() { script_->hold->hold(); }

void fake_transport::release() { script_->hold->release(); }

std::vector<fake_transport::seen> fake_transport::requests() const
{
    std::lock_guard const lock(script_->mutex);
    return script_->requests;
}

std::size_t fake_transport::calls() const
{
    std::lock_guard const lock(script_->mutex);
    return script_->requests.size();
}

std::size_t fake_transport::waiting() const { return script_->hold->waiting(); }

http::response fake_transport::answer(int status, std::vector<std::pair<std::string, std::string>> fields,
                                      std::string_view body)
{
    std::string head;
    std::vector<http::field_position> positions;
    for (auto const& [name, value] : fields) {
        http::field_position at;
        at.name = static_cast<std::uint32_t>(head.size());
        at.name_size = static_cast<std::uint16_t>(name.size());
        head.append(name).append(": ");
        at.value = static_cast<std::uint32_t>(head.size());
        at.value_size = static_cast<std::uint32_t>(value.size());
        head.append(value).append("\r\n");
        positions.push_back(at);
    }
    http::response_builder builder;
    builder.start(status, head, positions, body.size());
    builder.append(body);
    return builder.finish();
}

asio::awaitable<result<http::response>> fake_transport::send(http::request what)
{
    auto const self = script_;
    if (auto const* mistake = what.mistake())
        co_return *mistake;
    auto const as_seen = look_at(what);
    {
        std::lock_guard const lock(self->mutex);
        self->requests.push_back(as_seen);
    }
    if (self->hold->shut()) {
        bool const released = co_await gate::pass(self->hold);
        if (!released)
            co_return failure(errc::cancelled, phase::first_byte, delivery::maybe_processed,
                              "fake_transport: cancelled while held");
    }
    co_return self->next(as_seen);
}

}  // namespace jeton::testing
