// SPDX-License-Identifier: BSL-1.0
#include <jeton/client/credentials.hpp>

#include <jeton/oauth2/error.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

using namespace jeton;

namespace {

// A directory of its own, and variables that are gone afterwards.
struct fixture {
    fixture()
    {
        std::string name = (std::filesystem::temp_directory_path() / "jeton-credentials-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        directory = name;
    }
    ~fixture()
    {
        clear();
        std::filesystem::remove_all(directory);
    }

    static void clear()
    {
        for (char const* v : {"T_CLIENT_ID", "T_CLIENT_ID_FILE", "T_CLIENT_SECRET", "T_CLIENT_SECRET_FILE"})
            ::unsetenv(v);
    }
    static void set(char const* name, std::string const& value) { ::setenv(name, value.c_str(), 1); }

    std::string file(std::string const& content, mode_t mode = 0600)
    {
        auto const path = (directory / std::to_string(++files)).string();
        std::ofstream(path, std::ios::binary) << content;
        BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
        return path;
    }

    std::filesystem::path directory;
    int files = 0;
};

void check_refused(credentials const& who, std::string_view named)
{
    auto const got = who.read();
    BOOST_TEST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().code() == oauth2::errc::bad_credentials_source));
    BOOST_TEST((got.error().phase() == phase::token));
    BOOST_TEST(got.error().safe_to_resend());
    BOOST_TEST(got.error().diag().ours.find(named) != std::string::npos, got.error().diag().ours);
    BOOST_TEST(got.error().to_string().find("hunter2") == std::string::npos, got.error().to_string());
}

void check_read(credentials const& who, std::string_view id, std::string_view key)
{
    auto const got = who.read();
    BOOST_TEST_REQUIRE(got.has_value(), (got ? "" : got.error().to_string()));
    BOOST_TEST(got->id == id);
    BOOST_TEST(got->key.reveal() == key);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_credentials, fixture)

BOOST_AUTO_TEST_CASE(a_value_can_be_read_again_and_again_also_from_a_copy)
{
    auto const who = credentials::from_value("me", secret("hunter2"));
    auto const copy = who;
    check_read(who, "me", "hunter2");
    check_read(who, "me", "hunter2");
    check_read(copy, "me", "hunter2");
}

BOOST_AUTO_TEST_CASE(the_environment_is_read_anew_each_time)
{
    auto const who = credentials::from_environment("T");
    check_refused(who, "neither T_CLIENT_ID nor T_CLIENT_ID_FILE is set");
    set("T_CLIENT_ID", "me");
    check_refused(who, "neither T_CLIENT_SECRET nor T_CLIENT_SECRET_FILE is set");
    set("T_CLIENT_SECRET", "hunter2");
    check_read(who, "me", "hunter2");
    set("T_CLIENT_SECRET", "hunter3");
    check_read(who, "me", "hunter3");
}

BOOST_AUTO_TEST_CASE(each_variable_may_name_a_file_instead)
{
    set("T_CLIENT_ID_FILE", file("me\n", 0644));  // an id is no secret
    set("T_CLIENT_SECRET_FILE", file("hunter2\n", 0400));
    check_read(credentials::from_environment("T"), "me", "hunter2");
}

BOOST_AUTO_TEST_CASE(a_variable_and_its_file_together_are_refused)
{
    struct {
        char const* variable;
        std::string value;
        char const* complaint;
    } const cases[] = {
        {"T_CLIENT_ID_FILE", file("me"), "T_CLIENT_ID and T_CLIENT_ID_FILE are both set"},
        {"T_CLIENT_SECRET_FILE", file("hunter2"), "T_CLIENT_SECRET and T_CLIENT_SECRET_FILE are both set"},
    };
    for (auto const& c : cases) {
        clear();
        set("T_CLIENT_ID", "me");
        set("T_CLIENT_SECRET", "hunter2");
        set(c.variable, c.value);
        check_refused(credentials::from_environment("T"), c.complaint);
    }
}

BOOST_AUTO_TEST_CASE(an_empty_variable_is_refused_and_named)
{
    set("T_CLIENT_ID", "");
    set("T_CLIENT_SECRET", "hunter2");
    check_refused(credentials::from_environment("T"), "T_CLIENT_ID is empty");
    set("T_CLIENT_ID", "me");
    set("T_CLIENT_SECRET", "");
    check_refused(credentials::from_environment("T"), "T_CLIENT_SECRET is empty");
    ::unsetenv("T_CLIENT_SECRET");
    set("T_CLIENT_SECRET_FILE", "");
    check_refused(credentials::from_environment("T"), "T_CLIENT_SECRET_FILE is empty");
}

BOOST_AUTO_TEST_CASE(one_line_break_at_the_end_of_a_file_is_not_part_of_the_secret)
{
    struct {
        std::string content, key;
    } const cases[] = {
        {"hunter2", "hunter2"},       {"hunter2\n", "hunter2"},   {"hunter2\r\n", "hunter2"},
        {"hunter2\n\n", "hunter2\n"}, {"hunter2\r", "hunter2\r"}, {" hunter2 \n", " hunter2 "},
    };
    for (auto const& c : cases)
        check_read(credentials::from_file("me", file(c.content)), "me", c.key);
}

BOOST_AUTO_TEST_CASE(the_mode_of_a_secret_file_decides_whether_it_is_read)
{
    struct {
        mode_t mode;
        bool fit;
    } const cases[] = {
        {0400, true},  {0600, true},  {0440, true},  {0640, true},  {0700, true},  {0660, false},
        {0604, false}, {0444, false}, {0602, false}, {0601, false}, {0644, false}, {0666, false},
    };
    for (auto const& c : cases) {
        BOOST_TEST_CONTEXT("mode " << std::oct << c.mode)
        {
            auto const path = file("hunter2\n", c.mode);
            if (c.fit)
                check_read(credentials::from_file("me", path), "me", "hunter2");
            else
                check_refused(credentials::from_file("me", path), path);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_id_file_may_be_read_but_not_written_by_others)
{
    set("T_CLIENT_SECRET", "hunter2");
    set("T_CLIENT_ID_FILE", file("me", 0444));
    check_read(credentials::from_environment("T"), "me", "hunter2");
    set("T_CLIENT_ID_FILE", file("me", 0664));
    check_refused(credentials::from_environment("T"), "T_CLIENT_ID_FILE");
}

BOOST_AUTO_TEST_CASE(a_file_of_another_user_is_refused)
{
    if (::geteuid() != 0)
        return;  // only root can give files away
    auto const path = file("hunter2");
    BOOST_REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
    check_refused(credentials::from_file("me", path), "belongs to another user");
}

BOOST_AUTO_TEST_CASE(what_is_no_regular_file_is_refused_and_a_fifo_does_not_hang)
{
    auto const fifo = (directory / "fifo").string();
    BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    check_refused(credentials::from_file("me", fifo), "is not a regular file");
    check_refused(credentials::from_file("me", directory), "is not a regular file");
    check_refused(credentials::from_file("me", "/dev/zero"), "is not a regular file");
    check_refused(credentials::from_file("me", directory / "none"), "cannot be opened");
    check_refused(credentials::from_file("me", ""), "cannot be opened");
}

BOOST_AUTO_TEST_CASE(a_link_to_a_regular_file_is_followed)
{
    auto const link = directory / "link";
    std::filesystem::create_symlink(file("hunter2\n", 0440), link);
    check_read(credentials::from_file("me", link), "me", "hunter2");

    auto const dangling = directory / "dangling";
    std::filesystem::create_symlink(directory / "none", dangling);
    check_refused(credentials::from_file("me", dangling), "cannot be opened");
}

BOOST_AUTO_TEST_CASE(a_file_holds_between_one_byte_and_64_kib)
{
    check_refused(credentials::from_file("me", file("")), "is empty");
    check_refused(credentials::from_file("me", file("\n")), "is empty");
    std::string const most(64 * 1024, 'k');
    check_read(credentials::from_file("me", file(most)), "me", most);
    check_refused(credentials::from_file("me", file(most + 'k')), "is larger than 64 KiB");
}

BOOST_AUTO_TEST_CASE(a_rotated_file_is_picked_up)
{
    auto const path = file("hunter2\n");
    auto const who = credentials::from_file("me", path);
    check_read(who, "me", "hunter2");
    std::filesystem::rename(file("hunter3\n"), path);
    check_read(who, "me", "hunter3");
}

BOOST_AUTO_TEST_CASE(a_function_is_asked_each_time_and_must_be_one)
{
    int asked = 0;
    auto const who = credentials::from([&]() -> result<oauth2::client_identity> {
        ++asked;
        return oauth2::client_identity{.id = "me", .key = secret("hunter2")};
    });
    check_read(who, "me", "hunter2");
    check_read(who, "me", "hunter2");
    BOOST_TEST(asked == 2);
    BOOST_CHECK_THROW(credentials::from({}), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
