// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <optional>

namespace jeton::http {

/// How long a server keeps idle connections, as far as it said so (`Keep-Alive: timeout=`, RFC 2068 §19.7.1.1) or it
/// showed by closing them: whoever sends just as the server closes does not know what became of the request (RFC 9112
/// §9.3.1, §9.5), so idle connections are let go of a little earlier.
///
/// One closing teaches nothing, since servers restart. Two do, of connections that were idle for about the same time
/// and were not closed at the same moment. What was learned so is forgotten after a while: a configuration may change.
class idle_lesson {
public:
    /// The server said it keeps idle connections that long.
    void on_hint(duration kept) noexcept;

    /// The server ended a connection that had been idle for so long.
    void on_closed(duration idle_for, time_point now) noexcept;

    void on_time(time_point now) noexcept;

    /// How long an idle connection may be counted on; nothing if that is not known.
    std::optional<duration> limit() const noexcept;

private:
    struct sight {
        duration idle_for{};
        time_point at{};
    };

    std::optional<duration> hinted_{};
    std::optional<duration> learned_{};
    time_point learned_at_{};
    std::optional<sight> last_{};
};

}  // namespace jeton::http
