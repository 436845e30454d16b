// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/serial.hpp>

#include <asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace jeton {

/// Threads of which each runs an `asio::io_context` of its own, whether it has work or not: nothing is shared between them,
/// so nothing is locked, and a handler stays on the thread it was posted to.
///
/// An exception that leaves a handler ends the program (`std::terminate`), with the place where it was thrown still on the
/// stack. Whoever awaits or spawns a coroutine gets its exceptions as ever.
///
/// Declared before everything that works on it, so that it is destroyed after. The destructor calls `stop()`, waits for
/// the threads, and only then destroys what is left in the contexts: first the handlers and suspended coroutines of all
/// of them, then the contexts themselves, so that what waits on one thread for something on another may go in any order.
/// Neither `join` nor the destructor may be called on one of the threads.
///
/// All other functions may be called from any thread.
class io_threads {
public:
    /// \param n  0: as many as the machine has cores for this process
    /// \throws std::system_error  no more threads can be had.
    explicit io_threads(std::size_t n = 0);
    ~io_threads();
    io_threads(io_threads const&) = delete;
    io_threads& operator=(io_threads const&) = delete;

    std::size_t size() const noexcept;

    /// What is posted here runs on thread `i`. \pre `i < size()`
    asio::any_io_executor executor(std::size_t i) const;

    /// The same, for what is to live on that thread. \pre `i < size()`
    serial home(std::size_t i) const;

    /// On which of the threads the caller is; empty: on none.
    std::optional<std::size_t> here() const noexcept;

    /// Calls `what` where it is safe to touch what lives on thread `i`: at once if the caller is on that thread, or if the
    /// thread has ended; otherwise on the thread, before it ends. It must not throw. \pre `i < size()`
    void execute(std::size_t i, std::function<void()> what);

    /// Has every thread end soon. What was posted before is still run, what comes later is not; it is kept for the destructor.
    void stop();

    /// Has every thread end that has nothing left to do, and waits until all have ended: for when the clients have been shut
    /// down. What is posted to a thread that has ended is not run.
    void join();

private:
    struct one;
    struct all;
    std::unique_ptr<all> all_;
};

}  // namespace jeton
