// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/io_threads.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <cassert>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace jeton {

namespace {

// Where the current thread belongs.
struct place {
    void const* of = nullptr;
    std::size_t index = 0;
};

thread_local place current{};

class context : public asio::io_context {
public:
    context() : asio::io_context(1) {}

    // Destroys what it holds, and can still be posted to: which a destructor elsewhere may do.
    void clear() { shutdown(); }
};

}  // namespace

struct io_threads::one {
    one() : work(asio::make_work_guard(io)) {}

    void run()
    {
        io.run();
        // From here on, `execute` sees to it itself.
        while (!at_the_end())
            do_all();
    }

    // False: the thread has ended.
    bool take(std::function<void()> const& what)
    {
        {
            std::lock_guard const lock(mutex);
            if (ended)
                return false;
            to_do.push_back(what);
        }
        asio::post(io, [this] { do_all(); });
        return true;
    }

    void do_all()
    {
        std::vector<std::function<void()>> now;
        {
            std::lock_guard const lock(mutex);
            now.swap(to_do);
        }
        for (auto const& what : now)
            what();
    }

    bool at_the_end()
    {
        std::lock_guard const lock(mutex);
        ended = to_do.empty();
        return ended;
    }

    void let_go()
    {
        std::lock_guard const lock(mutex);
        work.reset();
    }

    context io{};
    std::mutex mutex{};
    asio::executor_work_guard<asio::io_context::executor_type> work;
    std::vector<std::function<void()>> to_do{};
    bool ended = false;
    std::thread thread{};
};

struct io_threads::all {
    explicit all(std::size_t n)
    {
        for (std::size_t i = 0; i != n; ++i)
            threads.push_back(std::make_unique<one>());
        try {
            for (std::size_t i = 0; i != n; ++i)
                threads[i]->thread = std::thread([this, i, me = threads[i].get()] {
                    current = {this, i};
                    me->run();
                });
        } catch (...) {
            end();
            throw;
        }
    }
    all(all const&) = delete;
    all& operator=(all const&) = delete;
    ~all()
    {
        end();
        // What a destructor posts to another thread's context is destroyed in the second round.
        for (int round = 0; round != 2; ++round)
            for (auto const& each : threads)
                each->io.clear();
    }

    void stop()
    {
        // From its own queue, so that what is in front of it has its turn.
        for (auto const& each : threads)
            asio::post(each->io, [io = &each->io] { io->stop(); });
    }

    void join()
    {
        for (auto const& each : threads)
            each->let_go();
        for (auto const& each : threads)
            if (each->thread.joinable())
                each->thread.join();
    }

    void end()
    {
        stop();
        join();
    }

    std::vector<std::unique_ptr<one>> threads{};
};

io_threads::io_threads(std::size_t n)
    : all_(std::make_unique<all>(n != 0 ? n : std::max<std::size_t>(1, std::thread::hardware_concurrency())))
{}

io_threads::~io_threads() = default;

std::size_t io_threads::size() const noexcept { return all_->threads.size(); }

asio::any_io_executor io_threads::executor(std::size_t i) const
{
    assert(i < size());
    return all_->threads[i]->io.get_executor();
}

serial io_threads::home(std::size_t i) const
{
    assert(i < size());
    return serial(all_->threads[i]->io);
}

std::optional<std::size_t> io_threads::here() const noexcept
{
    if (current.of != all_.get())
        return {};
    return current.index;
}

void io_threads::execute(std::size_t i, std::function<void()> what)
{
    assert(i < size());
    if (here() == i || !all_->threads[i]->take(what))
        what();
}

void io_threads::stop() { all_->stop(); }

void io_threads::join() { all_->join(); }

}  // namespace jeton
