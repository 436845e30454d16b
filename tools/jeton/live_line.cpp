// SPDX-License-Identifier: BSL-1.0
#include "live_line.hpp"

#include <algorithm>
#include <iostream>

#include <unistd.h>

namespace jeton::tool {

namespace {

constexpr double plain_step = 0.25;

std::string bar(double share)
{
    constexpr int width = 24;
    auto const full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * width);
    return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

}  // namespace

live_line::live_line(bool silent) : silent_(silent), terminal_(!silent && ::isatty(STDOUT_FILENO) != 0) {}

void live_line::begin(std::string_view act)
{
    act_ = act;
    next_plain_ = plain_step;
    if (!silent_ && !terminal_)
        std::cout << act_ << ": started" << std::endl;
    show(0, "");
}

void live_line::show(double share, std::string_view text)
{
    if (silent_)
        return;
    if (terminal_) {
        std::cout << "\r\033[K" << act_ << ' ' << bar(share) << ' ' << text << std::flush;
    } else if (share >= next_plain_ && share < 1) {
        std::cout << act_ << ": " << static_cast<int>(share * 100) << " % " << text << std::endl;
        next_plain_ += plain_step;
    }
}

void live_line::end(std::string_view text)
{
    if (silent_)
        return;
    if (terminal_)
        std::cout << "\r\033[K" << act_ << ' ' << bar(1) << ' ' << text << std::endl;
    else
        std::cout << act_ << ": " << text << std::endl;
}

}  // namespace jeton::tool
