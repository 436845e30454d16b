// SPDX-License-Identifier: BSL-1.0

// Runs an example, untouched, against the sandbox: what the linker puts around the example's main() starts one, and what it
// puts in the place of the providers' functions returns the same data with the sandbox's URLs; the sandbox's CA stands in
// for the system's.
//
//     example_in_sandbox [--hang "METHOD PATH"]... [--interrupt] WORDS...
//
//     --hang       that path of the restoration provider is not answered, once; {CLIENT_ID} in it is filled in
//     --interrupt  the program gets SIGINT as soon as the first API request has arrived
//     WORDS        fails unless each of them is in what the example prints

#include <jeton/jeton.hpp>
#include <jeton/testing/sandbox.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

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

// "METHOD PATH"
void hang(std::string order)
{
    auto const id = world->identity_of("restoration").id;
    constexpr std::string_view variable = "{CLIENT_ID}";
    if (auto const at = order.find(variable); at != std::string::npos)
        order.replace(at, variable.size(), id);
    auto const blank = order.find(' ');
    world->on_api_request(
        jeton::testing::fault().at("restoration").only(order.substr(0, blank), order.substr(blank + 1)).hang());
}

void interrupt()
{
    if (world->wait_until([](auto const& counted) { return counted.api_requests != 0; }, std::chrono::seconds(30)))
        ::kill(::getpid(), SIGINT);
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

    std::thread interrupter;
    int first_word = 1;
    for (; first_word < count && std::string_view(words[first_word]).starts_with("--"); ++first_word) {
        if (words[first_word] == std::string_view("--interrupt"))
            interrupter = std::thread(interrupt);
        else
            hang(words[++first_word]);
    }

    std::ostringstream printed;
    auto* const screen = std::cout.rdbuf(printed.rdbuf());
    auto status = example_main();
    std::cout.rdbuf(screen);
    std::cout << printed.str();
    if (interrupter.joinable())
        interrupter.join();
    for (int i = first_word; i < count; ++i) {
        if (printed.str().find(words[i]) == std::string::npos) {
            std::cout << "it does not say: " << words[i] << '\n';
            status = 1;
        }
    }
    std::filesystem::remove_all(pattern);
    return status;
}
