// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/result.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace jeton {

class cancellable;

/// What a cancellation slot calls: asks an operation to stop, on the executor that the operation runs on. Does nothing
/// if the operation is gone.
class stop_request {
public:
    explicit stop_request(std::weak_ptr<cancellable> whom) noexcept : whom_(std::move(whom)) {}
    void operator()(asio::cancellation_type type) const;

private:
    std::weak_ptr<cancellable> whom_;
};

/// The completion handler of an operation whose outcome is a `result<T>`, whatever its type: what a compiled library
/// takes where a template would have to take the handler itself.
///
/// Called, it goes to the handler's associated executor, whose context it keeps at work until then. The handler's
/// cancellation slot is cleared right before the handler runs; memory comes from the handler's associated allocator and
/// has been given back by then. Destroyed without having been called, it destroys the handler and touches no slot, since
/// the signal behind it may be gone.
template <class T>
class completion {
public:
    /// `home` is where a handler is called that has no executor of its own.
    template <class Handler>
    completion(Handler handler, asio::any_io_executor const& home)
        : held_(handler_box<Handler>::make(std::move(handler), home))
    {}
    completion(completion&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    completion& operator=(completion&&) = delete;
    ~completion()
    {
        if (held_ != nullptr)
            held_->drop();
    }

    /// Lets the handler's cancellation slot, if it has one, stop `operation`. Once, before the operation begins.
    void cancels(std::weak_ptr<cancellable> operation) { held_->assign_slot(stop_request(std::move(operation))); }

    /// Calls the handler. Once, at the end, from any thread.
    void operator()(result<T> outcome) && { std::exchange(held_, nullptr)->call(std::move(outcome)); }

private:
    struct box {
        virtual void assign_slot(stop_request what) = 0;
        virtual void call(result<T> outcome) = 0;  // ends the box
        virtual void drop() noexcept = 0;          // ends the box

    protected:
        ~box() = default;
    };

    template <class Handler>
    class handler_box final : public box {
    public:
        static box* make(Handler handler, asio::any_io_executor const& home)
        {
            auto memory = memory_of(handler);
            auto* const place = std::allocator_traits<decltype(memory)>::allocate(memory, 1);
            try {
                return ::new (static_cast<void*>(place)) handler_box(std::move(handler), home);
            } catch (...) {
                std::allocator_traits<decltype(memory)>::deallocate(memory, place, 1);
                throw;
            }
        }

        void assign_slot(stop_request what) override
        {
            if (slot_.is_connected())
                slot_.assign(std::move(what));
        }

        void call(result<T> outcome) override
        {
            auto const work = std::move(work_);
            final_call last{std::move(handler_), slot_, std::move(outcome)};
            end(memory_of(last.handler));
            asio::dispatch(work.get_executor(), std::move(last));
        }

        void drop() noexcept override
        {
            auto const last = std::move(handler_);
            end(memory_of(last));
        }

    private:
        using executor = asio::associated_executor_t<Handler, asio::any_io_executor>;
        using slot = asio::associated_cancellation_slot_t<Handler>;

        struct final_call {
            using allocator_type = asio::associated_allocator_t<Handler>;
            allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler); }

            void operator()()
            {
                // A signal that is emitted from within the handler, or later, must find nothing.
                if (to_clear.is_connected())
                    to_clear.clear();
                std::move(handler)(std::move(outcome));
            }

            Handler handler;
            slot to_clear;
            result<T> outcome;
        };

        handler_box(Handler&& handler, asio::any_io_executor const& home)
            : work_(asio::get_associated_executor(handler, home)),
              slot_(asio::get_associated_cancellation_slot(handler)),
              handler_(std::move(handler))
        {}

        static auto memory_of(Handler const& handler)
        {
            using theirs = std::allocator_traits<asio::associated_allocator_t<Handler>>;
            return typename theirs::template rebind_alloc<handler_box>(asio::get_associated_allocator(handler));
        }

        template <class Memory>
        void end(Memory memory) noexcept
        {
            std::destroy_at(this);
            std::allocator_traits<Memory>::deallocate(memory, this, 1);
        }

        asio::executor_work_guard<executor> work_;
        slot slot_;
        Handler handler_;
    };

    box* held_;
};

}  // namespace jeton
