// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/credentials.hpp>

#include <jeton/oauth2/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace jeton {

namespace {

constexpr std::size_t longest_file = 64 * 1024;

failure bad_source(std::string ours)
{
    return {make_error_code(oauth2::errc::bad_credentials_source), phase::token, delivery::not_sent, std::move(ours)};
}

class descriptor {
public:
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

// A buffer on the stack that a secret passes through.
struct wiped_buffer {
    std::array<char, 4096> bytes;
    ~wiped_buffer() { wipe(bytes.data(), bytes.size()); }
};

std::string_view without_line_break(std::string_view text)
{
    if (text.ends_with("\r\n"))
        text.remove_suffix(2);
    else if (text.ends_with('\n'))
        text.remove_suffix(1);
    return text;
}

std::string reason(int error) { return std::generic_category().message(error); }

enum class kind { confidential, open };

// Why the file is not fit to hold credentials; empty if it is. Asked of the open file, so that the answer is about what
// will be read.
std::string objection(struct stat const& file, kind what)
{
    if (!S_ISREG(file.st_mode))
        return "is not a regular file";
    if (file.st_uid != ::geteuid() && file.st_uid != 0)
        return "belongs to another user";
    if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "can be written by others than its owner (chmod go-w)";
    if (what == kind::confidential && (file.st_mode & S_IRWXO) != 0)
        return "is open to everybody (chmod o-rwx; Kubernetes: defaultMode 0440)";
    if (file.st_size > static_cast<off_t>(longest_file))
        return "is larger than 64 KiB";
    return {};
}

/// \param named  how messages call the file, e.g. "the file that ALLUVIAL_CLIENT_SECRET_FILE names, /run/secrets/x,"
result<secret> read_file(std::string const& path, kind what, std::string const& named)
{
    // Not blocking: opening a FIFO would otherwise wait for somebody to write into it.
    descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0)
        return bad_source(named + " cannot be opened: " + reason(errno));
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0)
        return bad_source(named + " cannot be examined: " + reason(errno));
    if (auto const why = objection(facts, what); !why.empty())
        return bad_source(named + ' ' + why);

    secret content;
    wiped_buffer chunk;
    for (;;) {
        auto const got = ::read(file.get(), chunk.bytes.data(), chunk.bytes.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return bad_source(named + " cannot be read: " + reason(errno));
        if (got == 0)
            break;
        content.append({chunk.bytes.data(), static_cast<std::size_t>(got)});
        if (content.size() > longest_file)
            return bad_source(named + " is larger than 64 KiB");
    }
    auto const text = without_line_break(content.reveal());
    if (text.empty())
        return bad_source(named + " is empty");
    return secret(text);
}

// The value of a variable, or of the file that the variable with the suffix _FILE names.
result<secret> read_variable(std::string const& name, kind what)
{
    auto const file_name = name + "_FILE";
    char const* const value = std::getenv(name.c_str());
    char const* const file = std::getenv(file_name.c_str());
    if (value && file)
        return bad_source(name + " and " + file_name + " are both set; one of them must go");
    if (file) {
        if (*file == '\0')
            return bad_source(file_name + " is empty");
        return read_file(file, what, "the file that " + file_name + " names, " + file + ",");
    }
    if (!value)
        return bad_source("neither " + name + " nor " + file_name + " is set");
    if (*value == '\0')
        return bad_source(name + " is empty");
    return secret(std::string_view(value));
}

}  // namespace

credentials credentials::from_value(std::string id, secret key)
{
    // std::function wants to be copied and a secret does not.
    auto const kept = std::make_shared<secret const>(std::move(key));
    return credentials([id = std::move(id), kept]() -> result<oauth2::client_identity> {
        return oauth2::client_identity{.id = id, .key = kept->duplicate()};
    });
}

credentials credentials::from_environment(std::string_view prefix)
{
    return credentials([prefix = std::string(prefix)]() -> result<oauth2::client_identity> {
        auto const id = read_variable(prefix + "_CLIENT_ID", kind::open);
        if (!id)
            return id.error();
        auto key = read_variable(prefix + "_CLIENT_SECRET", kind::confidential);
        if (!key)
            return key.error();
        return oauth2::client_identity{.id = std::string(id->reveal()), .key = std::move(*key)};
    });
}

credentials credentials::from_file(std::string id, std::string secret_file)
{
    return credentials([id = std::move(id), path = std::move(secret_file)]() -> result<oauth2::client_identity> {
        auto key = read_file(path, kind::confidential, "the file of the client secret, " + path + ",");
        if (!key)
            return key.error();
        return oauth2::client_identity{.id = id, .key = std::move(*key)};
    });
}

credentials credentials::from(oauth2::identity_source source)
{
    if (!source)
        throw std::invalid_argument("jeton: credentials::from: no function");
    return credentials(std::move(source));
}

credentials::credentials(oauth2::identity_source source) : source_(std::move(source)) {}

result<oauth2::client_identity> credentials::read() const { return source_(); }

}  // namespace jeton
