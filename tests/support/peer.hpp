// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::testing {

/// A folder for one test; gone with its owner.
class scratch_folder {
public:
    scratch_folder();
    ~scratch_folder();
    scratch_folder(scratch_folder const&) = delete;

    std::filesystem::path const& path() const noexcept { return path_; }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// A server of somebody else's that runs for a test. Ended by its process id with the object, and by the kernel if the
/// test itself dies, so that nothing is left behind.
class peer {
public:
    /// \param command  program and arguments
    /// \param output   file that takes what it prints, and what it complains about
    /// \param last     what the kernel sends it if the test dies; SIGTERM for one that has processes of its own to end
    /// \throws std::system_error  it cannot be started.
    peer(std::vector<std::string> const& command, std::filesystem::path output, int last = SIGKILL);
    ~peer();
    peer(peer const&) = delete;

    bool running();
    std::string output() const;

private:
    pid_t process_;
    std::filesystem::path output_;
};

/// Looks until it sees: for what another process does, of which nobody tells us. False: not within thirty seconds.
bool eventually(std::function<bool()> const& seen);

/// Whether somebody takes connections there.
bool answers(std::uint16_t port);

/// A port of 127.0.0.1 on which nobody listens; a different one each time.
std::uint16_t unused_port();

/// A program, in PATH or where Debian keeps daemons.
std::optional<std::filesystem::path> find_program(std::string_view name);

/// Runs a program to its end. \throws std::runtime_error  with what it printed, if it fails.
void run_program(std::vector<std::string> const& command, std::filesystem::path const& output);

std::string read_file(std::filesystem::path const& file);
void write_file(std::filesystem::path const& file, std::string_view text);

/// Ends this test program as skipped (CTest: SKIP_RETURN_CODE 77), since a peer is not installed; as failed if the variable
/// JETON_TEST_PEERS_REQUIRED is set.
[[noreturn]] void skip(std::string_view why);

}  // namespace jeton::testing
