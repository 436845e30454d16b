// SPDX-License-Identifier: BSL-1.0
#include "support/peer.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace jeton::testing {

namespace {

class descriptor {
public:
    explicit descriptor(int number) : number_(number)
    {
        if (number_ < 0)
            throw std::system_error(errno, std::generic_category());
    }
    ~descriptor() { ::close(number_); }
    descriptor(descriptor const&) = delete;
    int number() const noexcept { return number_; }

private:
    int number_;
};

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

descriptor tcp_socket() { return descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

void pause_for(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

pid_t start(std::vector<std::string> const& command, std::filesystem::path const& output, int last = SIGKILL)
{
    std::vector<char*> arguments;
    for (auto const& word : command)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    descriptor const out(::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    descriptor const in(::open("/dev/null", O_RDONLY | O_CLOEXEC));

    auto const parent = ::getpid();
    auto const child = ::fork();
    if (child < 0)
        throw std::system_error(errno, std::generic_category(), command.front());
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, last);
        if (::getppid() != parent)  // it died before the line above
            ::_exit(126);
        ::dup2(in.number(), 0);
        ::dup2(out.number(), 1);
        ::dup2(out.number(), 2);
        ::execvp(arguments.front(), arguments.data());
        ::_exit(127);
    }
    return child;
}

}  // namespace

scratch_folder::scratch_folder()
{
    auto pattern = (std::filesystem::temp_directory_path() / "jeton-test-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
        throw std::system_error(errno, std::generic_category(), pattern);
    path_ = pattern;
}

scratch_folder::~scratch_folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

peer::peer(std::vector<std::string> const& command, std::filesystem::path output, int last)
    : process_(start(command, output, last)), output_(std::move(output))
{}

peer::~peer()
{
    if (process_ <= 0)
        return;
    ::kill(process_, SIGTERM);
    if (!eventually([this] { return !running(); })) {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
}

bool peer::running()
{
    if (process_ > 0 && ::waitpid(process_, nullptr, WNOHANG) == process_)
        process_ = -1;
    return process_ > 0;
}

std::string peer::output() const { return read_file(output_); }

bool eventually(std::function<bool()> const& seen)
{
    auto const give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!seen()) {
        if (std::chrono::steady_clock::now() > give_up)
            return false;
        pause_for(5);
    }
    return true;
}

bool answers(std::uint16_t port)
{
    auto const socket = tcp_socket();
    auto const to = loopback(port);
    return ::connect(socket.number(), reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0;
}

std::uint16_t unused_port()
{
    // Kept bound until this process ends, so that nobody is given the same one. Since it does not listen, and both sides
    // set SO_REUSEADDR, the peer can take the port nevertheless.
    static std::vector<int> kept;
    auto const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int const yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (socket < 0 || ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0
        || ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::system_error(errno, std::generic_category(), "no port");
    kept.push_back(socket);
    return ntohs(address.sin_port);
}

std::optional<std::filesystem::path> find_program(std::string_view name)
{
    auto const* variable = std::getenv("PATH");
    std::istringstream folders((variable ? std::string(variable) : std::string()) + ":/usr/bin:/usr/sbin:/sbin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        auto candidate = std::filesystem::path(folder) / name;
        if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0)
            return candidate;
    }
    return std::nullopt;
}

void run_program(std::vector<std::string> const& command, std::filesystem::path const& output)
{
    int status = 0;
    if (::waitpid(start(command, output), &status, 0) < 0 || status != 0) {
        std::string line;
        for (auto const& word : command)
            line += word + ' ';
        throw std::runtime_error(line + "failed: " + read_file(output));
    }
}

std::string read_file(std::filesystem::path const& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(std::filesystem::path const& file, std::string_view text)
{
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << text;
    if (!out.flush())
        throw std::runtime_error("cannot write " + file.string());
}

void skip(std::string_view why)
{
    auto const required = std::getenv("JETON_TEST_PEERS_REQUIRED") != nullptr;
    std::cerr << (required ? "required, but missing: " : "skipped: ") << why << std::endl;
    std::_Exit(required ? 1 : 77);
}

}  // namespace jeton::testing
