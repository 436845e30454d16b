// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "exit_code.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace jeton::tool {

/// What a chosen command does once the command line has been read.
using action = std::function<exit_code()>;

/// Each adds its command to `app`; parsing the command sets `run`.
void add_token_command(CLI::App& app, action& run);
void add_call_command(CLI::App& app, action& run);
void add_sandbox_command(CLI::App& app, action& run);
void add_bench_command(CLI::App& app, action& run);
void add_demo_command(CLI::App& app, action& run);

}  // namespace jeton::tool
