// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/async.hpp>

#include "base/asio_moved.hpp"
#include "unit/client/offline_client.hpp"

#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

using namespace jeton;
using namespace jeton::testing;
using namespace std::chrono_literals;

namespace {

template <class T>
using sink = std::optional<result<T>>;

// The two operations, for the table of tokens below: each takes a completion token.
struct sending {
    using value = http::response;

    static void let_fail(offline_client& world)
    {
        world.server->answers([](auto const&) { return memory_server::answer(400, "{\"error\":\"invalid_scope\"}"); });
    }
    static void let_hang(offline_client& world) { world.api_hangs = true; }

    template <class Token>
    auto operator()(Token&& token)
    {
        return async_send(api, http::request::get("/orders"), std::forward<Token>(token));
    }

    client& api;
};

struct getting_a_token {
    using value = oauth2::token_ptr;

    static void let_fail(offline_client& world) { sending::let_fail(world); }
    static void let_hang(offline_client& world) { world.token_endpoint_hangs = true; }

    template <class Token>
    auto operator()(Token&& token)
    {
        return async_token(api, oauth2::token_demand(), std::forward<Token>(token));
    }

    client& api;
};

template <class T>
asio::awaitable<void> write_down(asio::awaitable<result<T>> op, sink<T>& into)
{
    into.emplace(co_await std::move(op));
}

template <class T>
asio::awaitable<void> write_down(asio::awaitable<std::tuple<result<T>>> op, sink<T>& into)
{
    auto got = co_await std::move(op);
    into.emplace(std::move(std::get<0>(got)));
}

// The tokens. Each begins `op` so that its outcome comes into `out` and `slot` can stop it; what it gives back is called
// once all is done.
struct callback {
    template <class Operation, class T>
    static auto begin(offline_client&, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        op(asio::bind_cancellation_slot(slot, [&out](result<T> r) { out.emplace(std::move(r)); }));
        return [] {};
    }
};

struct movable_only_callback {
    template <class Operation, class T>
    static auto begin(offline_client&, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        op(asio::bind_cancellation_slot(
            slot, [&out, own = std::make_unique<int>(7)](result<T> r) mutable { out.emplace(std::move(r)); }));
        return [] {};
    }
};

struct future {
    template <class Operation, class T>
    static auto begin(offline_client&, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        return [&out, outcome = op(asio::bind_cancellation_slot(slot, asio::use_future))]() mutable {
            BOOST_REQUIRE((outcome.wait_for(0s) == std::future_status::ready));
            out.emplace(outcome.get());
        };
    }
};

struct awaitable {
    template <class Operation, class T>
    static auto begin(offline_client& world, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        asio::co_spawn(world.io, write_down(op(asio::use_awaitable), out),
                       asio::bind_cancellation_slot(slot, asio::detached));
        return [] {};
    }
};

struct awaited_elsewhere {
    template <class Operation, class T>
    static auto begin(offline_client& world, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        asio::co_spawn(asio::make_strand(world.io), write_down(op(asio::use_awaitable), out),
                       asio::bind_cancellation_slot(slot, asio::detached));
        return [] {};
    }
};

struct in_a_tuple {
    template <class Operation, class T>
    static auto begin(offline_client& world, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        asio::co_spawn(world.io, write_down(op(jeton::as_tuple(asio::use_awaitable)), out),
                       asio::bind_cancellation_slot(slot, asio::detached));
        return [] {};
    }
};

struct begun_later {
    template <class Operation, class T>
    static auto begin(offline_client& world, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        auto later = op(jeton::deferred);
        settle(world.io);
        BOOST_TEST(!out);  // nothing has begun yet
        std::move(later)(asio::bind_cancellation_slot(slot, [&out](result<T> r) { out.emplace(std::move(r)); }));
        return [] {};
    }
};

struct on_a_strand {
    template <class Operation, class T>
    static auto begin(offline_client& world, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        auto const strand = asio::make_strand(world.io);
        op(asio::bind_cancellation_slot(slot, asio::bind_executor(strand, [&out, strand](result<T> r) {
                                            BOOST_TEST(strand.running_in_this_thread());
                                            out.emplace(std::move(r));
                                        })));
        return [] {};
    }
};

struct appended {
    template <class Operation, class T>
    static auto begin(offline_client&, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        op(jeton::append(asio::bind_cancellation_slot(slot,
                                                      [&out](result<T> r, int more) {
                                                          BOOST_TEST(more == 7);
                                                          out.emplace(std::move(r));
                                                      }),
                         7));
        return [] {};
    }
};

// It looks for an error code as the first argument, and there is none: the outcome comes through as it is.
struct redirected {
    template <class Operation, class T>
    static auto begin(offline_client&, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        auto const code = std::make_shared<std::error_code>();
        op(asio::redirect_error(asio::bind_cancellation_slot(slot, [&out](result<T> r) { out.emplace(std::move(r)); }),
                                *code));
        return [code] { BOOST_TEST(!*code); };
    }
};

// Counts what has been taken and given back.
template <class T>
struct counting_allocator {
    using value_type = T;

    explicit counting_allocator(std::shared_ptr<std::pair<int, int>> where) : counts(std::move(where)) {}
    template <class U>
    counting_allocator(counting_allocator<U> const& other) : counts(other.counts)
    {}

    T* allocate(std::size_t n)
    {
        ++counts->first;
        return static_cast<T*>(::operator new(n * sizeof(T)));
    }
    void deallocate(T* p, std::size_t) noexcept
    {
        ++counts->second;
        ::operator delete(p);
    }
    template <class U>
    bool operator==(counting_allocator<U> const& other) const noexcept
    {
        return counts == other.counts;
    }

    std::shared_ptr<std::pair<int, int>> counts;
};

struct own_memory {
    template <class Operation, class T>
    static auto begin(offline_client&, Operation op, asio::cancellation_slot slot, sink<T>& out)
    {
        auto const counts = std::make_shared<std::pair<int, int>>();
        op(asio::bind_cancellation_slot(
            slot, asio::bind_allocator(counting_allocator<std::byte>(counts), [&out, counts](result<T> r) {
                BOOST_TEST(counts->second == counts->first);  // all given back before the handler runs
                out.emplace(std::move(r));
            })));
        return [counts] { BOOST_TEST(counts->first >= 1); };
    }
};

using tokens = std::tuple<callback, movable_only_callback, future, awaitable, awaited_elsewhere, in_a_tuple,
                          begun_later, on_a_strand, appended, redirected, own_memory>;

template <class Visitor>
void for_each_operation(Visitor visit)
{
    visit(static_cast<sending*>(nullptr));
    visit(static_cast<getting_a_token*>(nullptr));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_async_tokens)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_token_gets_the_value, Token, tokens)
{
    for_each_operation([]<class Operation>(Operation*) {
        offline_client world;
        asio::cancellation_signal stop;
        sink<typename Operation::value> out;
        auto look = Token::begin(world, Operation{world.make()}, stop.slot(), out);
        BOOST_TEST(!out);
        world.server->settle();
        look();
        BOOST_REQUIRE(out);
        BOOST_REQUIRE(out->has_value());
        if constexpr (std::is_same_v<Operation, sending>)
            BOOST_TEST((**out).status() == 200);
        else
            BOOST_TEST(**out != nullptr);
        stop.emit(asio::cancellation_type::terminal);  // too late
        world.server->settle();
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_token_gets_the_whole_failure, Token, tokens)
{
    for_each_operation([]<class Operation>(Operation*) {
        offline_client world;
        Operation::let_fail(world);
        asio::cancellation_signal stop;
        sink<typename Operation::value> out;
        auto look = Token::begin(world, Operation{world.make()}, stop.slot(), out);
        world.server->settle();
        look();
        BOOST_REQUIRE(out);
        BOOST_REQUIRE(!out->has_value());
        auto const& why = out->error();
        BOOST_TEST((why.code() == cond::credentials));
        BOOST_TEST((why.phase() == phase::token));
        BOOST_TEST((why.delivery() == delivery::not_sent));
        BOOST_TEST(why.diag().peer_code == "invalid_scope");
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_token_can_cancel, Token, tokens)
{
    for_each_operation([]<class Operation>(Operation*) {
        offline_client world;
        Operation::let_hang(world);
        asio::cancellation_signal stop;
        sink<typename Operation::value> out;
        auto look = Token::begin(world, Operation{world.make()}, stop.slot(), out);
        world.server->settle();
        BOOST_TEST(!out);
        stop.emit(asio::cancellation_type::terminal);
        world.server->settle();
        look();
        BOOST_REQUIRE(out);
        BOOST_REQUIRE(!out->has_value());
        BOOST_TEST((out->error().code() == cond::cancelled));
        bool const on_the_wire = std::is_same_v<Operation, sending>;
        BOOST_TEST((out->error().delivery() == (on_the_wire ? delivery::maybe_processed : delivery::not_sent)));
    });
}

BOOST_AUTO_TEST_SUITE_END()
