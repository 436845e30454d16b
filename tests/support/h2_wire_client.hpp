// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/h2_listener.hpp"
#include "support/wire_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace jeton::testing {

/// `wire_client` with HTTP/2 agreed upon: sends frames as they are, and listens. Never gives window back by itself.
class h2_wire_client {
public:
    h2_wire_client(std::uint16_t port, std::string const& ca_pem)
        : wire(port, ca_pem, "localhost", "h2"), authority_("localhost:" + std::to_string(port))
    {
        wire.send(std::string(h2::preface) + h2::set());
    }

    /// Sends a request on the next stream. \returns its number
    std::uint32_t ask(std::string_view path, std::string_view token = {}, h2::fields const& more = {},
                      std::string_view method = "GET", std::string_view body = {})
    {
        h2::fields all{{":method", method}, {":scheme", "https"}, {":authority", authority_}, {":path", path}};
        auto const bearer = "Bearer " + std::string(token);
        if (!token.empty())
            all.emplace_back("authorization", bearer);
        all.insert(all.end(), more.begin(), more.end());
        auto const id = next_;
        next_ += 2;
        wire.send(h2::head(id, all, body.empty()) + (body.empty() ? std::string() : h2::body(id, body)));
        return id;
    }
    void send(std::string_view frames) { wire.send(frames); }

    /// Listens until `enough`; false: the connection ended before, or said nothing for 5 s.
    template <class Predicate>
    bool until(Predicate enough)
    {
        for (;;) {
            bool const more = wire.more();
            listener.hear(wire.take());
            // RFC 9113 §6.5.3
            for (; listener.settings_to_acknowledge > 0; --listener.settings_to_acknowledge)
                if (acknowledges)
                    wire.send(h2::settings_ack());
            if (enough())
                return true;
            if (!more)
                return false;
        }
    }

    /// What came on that stream when it was over, or when the connection was.
    h2_listener::answer const& answer(std::uint32_t stream)
    {
        if (!listener.answers[stream].over())
            until([&] { return listener.answers[stream].over(); });
        return listener.answers[stream];
    }

    /// A PING that is answered: what was sent before has been dealt with, and what it led to has come.
    bool settled()
    {
        auto const before = listener.pongs.size();
        wire.send(h2::frame(h2::ping, 0, 0, "settled?"));
        return until([&] { return listener.pongs.size() > before; });
    }

    wire_client::end how_it_ends()
    {
        until([] { return false; });
        return wire.how_it_ends();
    }

    wire_client wire;
    h2_listener listener{};
    bool acknowledges = true;

private:
    std::string authority_;
    std::uint32_t next_ = 1;
};

}  // namespace jeton::testing
