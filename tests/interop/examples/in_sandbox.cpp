// SPDX-License-Identifier: BSL-1.0

// Runs an example, untouched, against the sandbox: what the linker puts around the example's main() starts one, and what it
// puts in the place of the providers' functions returns the same data with the sandbox's URLs; the sandbox's CA stands in
// for the system's.
//
//     example_in_sandbox WORDS...   fails unless each of the words is in what the example prints

#include <jeton/jeton.hpp>
#include <jeton/testing/sandbox.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

namespace {

std::unique_ptr<jeton::testing::sandbox> world;
std::filesystem::path ca_file;

// The sandbox makes its presets from the real ones: while it does, the real ones must answer.
bool asking_the_sandbox = false;

template <class Ask>
jeton::provider from_sandbox(Ask ask)
{
    asking_the_sandbox = true;
    auto found = ask(*world);
    asking_the_sandbox = false;
    return found;
}

void set(std::string const& name, std::string const& value) { ::setenv(name.c_str(), value.c_str(), 1); }

}  // namespace

// GNU ld's --wrap: calls of X go to __wrap_X, and __real_X is X.
jeton::provider real_alluvial(jeton::environment) asm("__real__ZN5jeton8alluvialENS_11environmentE");
jeton::provider wrap_alluvial(jeton::environment) asm("__wrap__ZN5jeton8alluvialENS_11environmentE");
jeton::provider real_datacrunch(jeton::environment) asm("__real__ZN5jeton10datacrunchENS_11environmentE");
jeton::provider wrap_datacrunch(jeton::environment) asm("__wrap__ZN5jeton10datacrunchENS_11environmentE");

jeton::provider wrap_alluvial(jeton::environment where)
{
    return asking_the_sandbox ? real_alluvial(where) : from_sandbox([](auto& of) { return of.alluvial(); });
}

jeton::provider wrap_datacrunch(jeton::environment where)
{
    return asking_the_sandbox ? real_datacrunch(where) : from_sandbox([](auto& of) { return of.datacrunch(); });
}

extern "C" {
struct ssl_ctx_st;
int real_load(ssl_ctx_st*, char const*) asm("__real_SSL_CTX_load_verify_file");
int wrap_load(ssl_ctx_st*, char const*) asm("__wrap_SSL_CTX_load_verify_file");

int wrap_load(ssl_ctx_st* context, char const*) { return real_load(context, ca_file.c_str()); }
}

int example_main() asm("__real_main");
int wrap_main(int count, char** words) asm("__wrap_main");

int wrap_main(int count, char** words)
{
    asking_the_sandbox = true;
    world = std::make_unique<jeton::testing::sandbox>();
    asking_the_sandbox = false;

    auto pattern = (std::filesystem::temp_directory_path() / "jeton-example-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
        return 2;
    ca_file = std::filesystem::path(pattern) / "ca.pem";
    world->write_ca_file(ca_file);
    for (std::string const name : {"alluvial", "datacrunch", "restoration"}) {
        auto const who = world->identity_of(name);
        auto const prefix = from_sandbox([&](auto& of) { return of.provider_named(name); }).variables;
        set(prefix + "_CLIENT_ID", who.id);
        set(prefix + "_CLIENT_SECRET", std::string(who.key.reveal()));
    }
    set("RESTORATION_BASE_URL", from_sandbox([](auto& of) { return of.restoration(); }).base_url);

    std::ostringstream printed;
    auto* const screen = std::cout.rdbuf(printed.rdbuf());
    auto status = example_main();
    std::cout.rdbuf(screen);
    std::cout << printed.str();
    for (int i = 1; i < count; ++i) {
        if (printed.str().find(words[i]) == std::string::npos) {
            std::cout << "it does not say: " << words[i] << '\n';
            status = 1;
        }
    }
    std::filesystem::remove_all(pattern);
    return status;
}
