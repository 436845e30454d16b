// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <jeton/base/clock.hpp>
#include <jeton/http/transport.hpp>

#include <asio/any_io_executor.hpp>

#include <memory>
#include <span>
#include <vector>

namespace jeton::http {

/// What a decorator of a transport does to a request, cut into parts: a request for which nobody has to wait, and whose
/// answer is as it should be, passes all its decorators in the one coroutine that sends it. Each of them having a
/// coroutine of its own costs an allocation and a resumption.
///
///     enter ... enter -> sent -> passes ... passes
///        | no                       | no
///      whole                      amend
///
/// All of it on the home of who sends.
class stage {
public:
    /// Makes the request ready to be sent now. False: that takes more; nothing has been done, and it goes to `whole`.
    virtual bool enter(request& what, time_point now) = 0;

    /// Whether that outcome of a request that has entered goes to the caller.
    virtual bool passes(request const& what, result<response> const& outcome) const noexcept = 0;

    /// What comes of one that does not.
    virtual awaitable<result<response>> amend(request what, result<response> first) = 0;

    /// The decorator as a coroutine, with all that is below it.
    virtual awaitable<result<response>> whole(request what) = 0;

protected:
    ~stage() = default;
};

/// Who sends in the end.
class sender {
public:
    virtual ~sender() = default;

    /// Any thread. `stages`, outermost first, live as long as `keeper`.
    virtual awaitable<result<response>> send(request what, std::shared_ptr<transport const> keeper,
                                             std::span<stage* const> stages) = 0;

    virtual asio::any_io_executor const& home() const noexcept = 0;
};

/// The way of a request through a transport.
struct passage {
    std::vector<stage*> stages{};
    std::shared_ptr<sender> last{};  ///< null: nobody knows a way but `transport::send`
};

/// What a transport is besides, if it knows the way.
class has_passage {
public:
    virtual passage way() = 0;

protected:
    ~has_passage() = default;
};

/// The way through a decorator of `inner`.
inline passage way_through(stage& outer, transport& inner)
{
    passage all;
    if (auto* const below = dynamic_cast<has_passage*>(&inner))
        all = below->way();
    all.stages.insert(all.stages.begin(), &outer);
    return all;
}

}  // namespace jeton::http
