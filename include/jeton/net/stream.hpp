// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace jeton::net {

using asio::awaitable;

/// A connection, as non-blocking bytes.
///
/// `read_some` and `write_some` return at once; waiting is a separate step. So a byte that is
/// already there costs no coroutine, and an idle connection holds no buffer.
///
/// Confined to one serial executor, the one it was connected on.
class stream {
public:
    enum class direction { read, write };

    /// What a call that does not wait has to say.
    struct moved {
        std::size_t bytes = 0;
        std::error_code error{};  ///< empty with `bytes` == 0: would block, wait with `ready()`
        bool would_block() const noexcept { return bytes == 0 && !error; }
    };

    virtual ~stream() = default;

    /// Takes what is there, at most `into.size()` bytes (not 0).
    /// Errors: `net::errc::closed` (orderly end), `truncated`, `reset`, or a TLS code.
    virtual moved read_some(std::span<char> into) noexcept = 0;

    /// Hands over some of `from` (not empty). After "would block" the same bytes must be offered again.
    virtual moved write_some(std::string_view from) noexcept = 0;

    /// Completes when the direction may have become possible, or with `cond::cancelled` after `cancel()`
    /// or cancellation of the caller. Logical: TLS may have to wait for the other direction, and does.
    /// At most one wait for each direction at a time. The stream must outlive it.
    virtual awaitable<std::error_code> ready(direction d) = 0;

    /// Who waits again and again, as for every answer on a connection.
    class watcher {
    public:
        /// May throw: it comes out of the executor's run().
        virtual void on_ready() = 0;

        /// There was no memory to wait with.
        virtual void on_starved() = 0;

    protected:
        ~watcher() = default;
    };

    /// As `ready(direction::read)`, without a coroutine where that can be done: calls `who` once, from the queue of `home`, the
    /// executor of the stream. `who` is held until then, and must hold the stream. Throws std::bad_alloc, and then calls nobody.
    virtual void when_readable(std::shared_ptr<watcher> who, asio::any_io_executor const& home);

    /// Ends every outstanding `ready()`. The stream stays usable.
    virtual void cancel() noexcept = 0;

    /// Bytes handed to the kernel so far. Unchanged across a failed write means that nothing of it left.
    virtual std::uint64_t bytes_sent() const noexcept = 0;

    /// What has happened to a connection that nobody reads from. Costs one system call.
    enum class silence {
        kept,    ///< nothing but what TLS itself has to say: as good as new
        broken,  ///< the peer sent bytes that nobody asked for (RFC 9112 §9.2)
        over,    ///< the peer closed or reset
    };
    virtual silence check_silence() noexcept = 0;

    /// Gives back buffers that an idle connection does not need.
    virtual void release_buffers() noexcept = 0;

    /// The application protocol agreed upon (ALPN, RFC 7301); empty if none.
    virtual std::string_view protocol() const noexcept = 0;

    /// Says good-bye as the protocol wants it (TLS: close_notify, RFC 9112 §9.8), without waiting for the peer, and
    /// closes. Outstanding waits end. Further calls do nothing.
    virtual void close() noexcept = 0;
};

}  // namespace jeton::net
