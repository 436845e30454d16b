// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/time.hpp>

#include <string>
#include <string_view>

namespace jeton::tool {

/// What a long act shows while it runs: on a terminal one line with a bar that is drawn over, otherwise a plain line now
/// and then, and nothing at all where only the result is wanted.
class live_line {
public:
    explicit live_line(bool silent);

    void begin(std::string_view act);

    /// \param share  how much is done, 0 to 1
    void show(double share, std::string_view text);
    void end(std::string_view text);

private:
    bool silent_;
    bool terminal_;
    std::string act_{};
    double next_plain_ = 0;
};

}  // namespace jeton::tool
