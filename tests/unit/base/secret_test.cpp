// SPDX-License-Identifier: BSL-1.0
#include <jeton/base/secret.hpp>

#include <boost/test/unit_test.hpp>

#include <malloc.h>

#include <algorithm>
#include <concepts>
#include <cstdlib>
#include <new>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

using namespace jeton;

namespace {

/// Looks at every block in the moment in which it is freed, for a text that must not be in it.
struct watch {
    std::string_view forbidden;
    int blocks_with_it = 0;
    int blocks = 0;

    explicit watch(std::string_view text) : forbidden(text) { current = this; }
    watch(watch const&) = delete;
    watch& operator=(watch const&) = delete;
    ~watch() { current = nullptr; }

    static thread_local watch* current;
};

thread_local watch* watch::current = nullptr;

template <class T>
concept printable = requires(std::ostream& out, T const& value)
{
    out << value;
};

}  // namespace

// Not inlined: GCC would take the pairing of malloc and operator delete for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size)
{
    if (auto* const block = std::malloc(size))
        return block;
    throw std::bad_alloc();
}

[[gnu::noinline]] void* operator new(std::size_t size, std::nothrow_t const&) noexcept { return std::malloc(size); }

[[gnu::noinline]] void operator delete(void* block) noexcept
{
    if (block != nullptr && watch::current != nullptr) {
        std::string_view const contents(static_cast<char const*>(block), malloc_usable_size(block));
        ++watch::current->blocks;
        watch::current->blocks_with_it += contents.find(watch::current->forbidden) != std::string_view::npos;
    }
    std::free(block);
}

void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

void operator delete(void* block, std::nothrow_t const&) noexcept { operator delete(block); }

BOOST_AUTO_TEST_SUITE(base_secret)

BOOST_AUTO_TEST_CASE(it_cannot_be_copied_printed_or_turned_into_a_string)
{
    static_assert(!std::copy_constructible<secret>);
    static_assert(!std::is_copy_assignable_v<secret>);
    static_assert(!std::convertible_to<secret, std::string>);
    static_assert(!std::convertible_to<secret, std::string_view>);
    static_assert(!std::constructible_from<std::string, secret>);
    static_assert(!printable<secret>);
    static_assert(std::is_nothrow_move_constructible_v<secret>);
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(whoever_needs_it_says_reveal)
{
    BOOST_TEST(secret("abc").reveal() == "abc");
    BOOST_TEST(secret(std::string("abc")).reveal() == "abc");
    BOOST_TEST(secret(std::string_view("a\0c", 3)).size() == 3U);
    BOOST_TEST(secret().empty());
    BOOST_TEST(secret("").reveal().empty());
    BOOST_TEST(secret("abc").duplicate().reveal() == "abc");
}

BOOST_AUTO_TEST_CASE(the_string_it_was_made_from_is_wiped)
{
    std::string text = "short";
    char const* const at = text.data();
    secret const taken(std::move(text));
    BOOST_TEST(text.empty());
    BOOST_TEST(std::all_of(at, at + 5, [](char c) { return c == '\0'; }));
    BOOST_TEST(taken.reveal() == "short");
}

BOOST_AUTO_TEST_CASE(wiping_a_string_reaches_what_was_behind_its_end)
{
    std::string text(100, 'x');
    text.resize(3);
    char const* const at = text.data();
    wipe(text);
    BOOST_TEST(text.empty());
    BOOST_TEST(std::all_of(at, at + 100, [](char c) { return c == '\0'; }));
}

BOOST_AUTO_TEST_CASE(wiping_nothing_is_fine)
{
    wipe(nullptr, 0);
    std::string empty;
    wipe(empty);
    BOOST_TEST(empty.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_wiped_would_be_seen)
{
    watch look("letmein");
    {
        std::string const careless = std::string(100, '.').append("letmein");
    }
    BOOST_TEST(look.blocks_with_it >= 1);
}

BOOST_AUTO_TEST_CASE(no_freed_memory_has_it_after_it_died)
{
    watch look("hunter2");
    {
        secret const one(std::string(100, '.') + "hunter2");
    }
    BOOST_TEST(look.blocks >= 1);
    BOOST_TEST(look.blocks_with_it == 0);
}

BOOST_AUTO_TEST_CASE(growing_leaves_nothing_behind_in_outgrown_memory)
{
    watch look("hunter2");
    {
        secret one("hunter2");
        for (int i = 0; i != 100; ++i)
            one.append("0123456789");
        BOOST_TEST(one.size() == 1007U);
        BOOST_TEST(one.reveal().starts_with("hunter201234"));
        BOOST_TEST(one.reveal().ends_with("456789"));
    }
    BOOST_TEST(look.blocks >= 2);
    BOOST_TEST(look.blocks_with_it == 0);
}

BOOST_AUTO_TEST_CASE(assigning_wipes_what_was_there)
{
    watch look("hunter2");
    {
        secret one("hunter2");
        one = secret("a longer one than the one before");
        BOOST_TEST(one.reveal() == "a longer one than the one before");
    }
    BOOST_TEST(look.blocks_with_it == 0);
}

BOOST_AUTO_TEST_CASE(moving_leaves_the_source_empty_and_moving_to_itself_changes_nothing)
{
    secret one("abc");
    secret two(std::move(one));
    BOOST_TEST(one.empty());  // NOLINT(bugprone-use-after-move)
    auto& same = two;
    two = std::move(same);
    BOOST_TEST(two.reveal() == "abc");
}

BOOST_AUTO_TEST_CASE(its_own_text_can_be_appended_to_it)
{
    secret one("abc");
    for (int i = 0; i != 6; ++i)
        one.append(one.reveal());
    BOOST_TEST(one.size() == 192U);
    for (std::size_t i = 0; i != one.size(); ++i)
        BOOST_TEST(one.reveal()[i] == "abc"[i % 3]);
    one.append("");
    BOOST_TEST(one.size() == 192U);
}

BOOST_AUTO_TEST_CASE(equal_texts_are_equal_and_others_are_not)
{
    BOOST_TEST((secret("abc") == secret("abc")));
    BOOST_TEST((secret("abc") != secret("abd")));
    BOOST_TEST((secret("abc") != secret("ab")));
    BOOST_TEST((secret() == secret("")));
    BOOST_TEST((secret() != secret("a")));
}

BOOST_AUTO_TEST_SUITE_END()
