// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/serial.hpp>
#include <jeton/http/transport.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jeton::testing {

/// A transport that answers from a script, in order, or from a function; records what it was asked; and can be made to
/// hang. Nothing goes over a network. Callable from any thread.
class fake_transport final : public http::transport {
public:
    /// What a request looked like when it came here.
    struct seen {
        std::string method{};
        std::string target{};         ///< as the transport got it
        std::string origin{};         ///< "https://api.example" if somebody above has resolved it; otherwise empty
        std::string fields{};         ///< "Name: value\r\n" each, without the Authorization line
        std::string authorization{};  ///< value of the Authorization line that somebody above put on; empty: none
        std::string body{};
        bool has_body = false;
        bool has_secret_body = false;
        bool wants_token = true;
        std::optional<duration> within{};
        std::optional<time_point> until{};
        int attempt = 1;

        /// Value of the first field with that name; empty if there is none.
        std::string header(std::string_view name) const;
    };
    using handler = std::function<result<http::response>(seen const&)>;

    /// Callers who are made to wait do so on `home`.
    explicit fake_transport(serial home);
    ~fake_transport() override;

    /// Queues the answer, or failure, to the next unanswered request.
    void will_answer(result<http::response> answer);
    void will_answer(int status, std::string_view body = {});

    /// Answers whatever finds the queue empty. Without one, an unscripted request fails with `errc::misuse`.
    void otherwise(handler answer);

    /// From now on `send` does not complete until `release`, unless it is cancelled (`maybe_processed`). Both are called
    /// on `home`, or while nothing runs.
    void hold();
    void release();

    std::vector<seen> requests() const;
    std::size_t calls() const;
    std::size_t waiting() const;  ///< held at present; on `home`, or while nothing runs

    /// An answer as it would have come from a server.
    static http::response answer(int status, std::vector<std::pair<std::string, std::string>> fields = {},
                                 std::string_view body = {});

    asio::awaitable<result<http::response>> send(http::request what) override;

private:
    struct script;
    std::shared_ptr<script> script_;
};

}  // namespace jeton::testing
