// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "testing/sansio/server_message.hpp"

#include <cstddef>
#include <string_view>

namespace jeton::testing {

/// Reads HTTP/1.1 requests as a strict server does: what a client of ours must never send is refused, so that a test sees
/// it. Bodies come with a Content-Length; transfer codings are answered with 501 (RFC 9112 §6.1).
///
/// Keeps nothing but how far it has looked, so the buffer may move between calls.
class request_parser {
public:
    static constexpr std::size_t longest_head = 64 * 1024;
    static constexpr std::size_t longest_body = 4 * 1024 * 1024;

    struct outcome {
        enum class kind { more, whole, bad };
        kind what = kind::more;
        std::size_t consumed = 0;  ///< `whole`: bytes of this request; what follows is the next one's
        int status = 0;            ///< `bad`: what to answer before closing
        std::string_view why{};    ///< `bad`: for people
    };

    /// \param received  everything from the first byte of the request on; grows from call to call until it is whole.
    /// \param into      views into `received`
    outcome parse(std::string_view received, server_request& into);

private:
    std::size_t looked_at_ = 0;  // no end of head begins before here
};

}  // namespace jeton::testing
