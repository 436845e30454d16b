// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/response_builder.hpp"
#include "http/sansio/h1_response_decoder.hpp"
#include "http/wire_buffer.hpp"

#include <jeton/http/response.hpp>

#include <cstring>
#include <stdexcept>
#include <string_view>

namespace bench {

/// Reads answers as a connection over HTTP/1.1 does, with what that keeps from one to the next, but from memory.
class answer_reader {
public:
    jeton::http::response read(std::string_view wire)
    {
        using kind = jeton::http::h1_response_decoder::step::kind;
        decoder_.begin(jeton::http::request_kind::other);
        auto const room = in_.prepare(wire.size());
        std::memcpy(room.data(), wire.data(), wire.size());
        in_.commit(wire.size());
        for (;;) {
            auto const step = decoder_.feed(in_.bytes());
            switch (step.what) {
            case kind::head:
                builder_.start(step.status, in_.view().substr(0, step.consumed), step.fields, step.length);
                break;
            case kind::body: builder_.append(step.piece); break;
            case kind::end: in_.consume(step.consumed); return builder_.finish();
            default: throw std::runtime_error("not an answer, or one with chunks");
            }
            in_.consume(step.consumed);
        }
    }

private:
    jeton::http::h1_response_decoder decoder_{};
    jeton::http::response_builder builder_{};
    jeton::http::wire_buffer in_{};
};

}  // namespace bench
