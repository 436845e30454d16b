// SPDX-License-Identifier: BSL-1.0

// Works with a client, shuts it down, and then looks through every byte of its own writable memory, as a core dump would
// show it, for the client secret and the tokens it used. Says what it found, and exits with the number of finds.
//   secret_probe BASE_URL TOKEN_URL CA_FILE CLIENT_ID SECRET_FILE MASKED_SECRET

#include <jeton/client/client.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

// What is looked for is itself kept only in this form, or the search would find itself.
constexpr unsigned char mask = 0x5a;

using masked_text = std::vector<unsigned char>;

masked_text masked(std::string_view text)
{
    masked_text out;
    for (char const c : text)
        out.push_back(static_cast<unsigned char>(static_cast<unsigned char>(c) ^ mask));
    return out;
}

masked_text from_hex(std::string_view hex)
{
    masked_text out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(static_cast<unsigned char>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
    return out;
}

bool matches(unsigned char const* at, masked_text const& wanted)
{
    for (std::size_t i = 0; i != wanted.size(); ++i)
        if (static_cast<unsigned char>(at[i] ^ mask) != wanted[i])
            return false;
    return true;
}

struct region {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::string name{};
};

std::vector<region> writable_memory()
{
    std::vector<region> out;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        char* end = nullptr;
        auto const from = std::strtoull(line.c_str(), &end, 16);
        auto const to = std::strtoull(end + 1, &end, 16);
        if (std::string_view(end + 1, 2) == "rw")
            out.push_back({from, to, line});
    }
    return out;
}

int count(char const* what, masked_text const& wanted)
{
    int found = 0;
    for (auto const& r : writable_memory()) {
        auto const* const last = reinterpret_cast<unsigned char const*>(r.end) - wanted.size();
        for (auto const* at = reinterpret_cast<unsigned char const*>(r.begin); at <= last; ++at)
            if (static_cast<unsigned char>(*at ^ mask) == wanted[0] && matches(at, wanted)) {
                ++found;
                std::cout << what << " found at " << static_cast<void const*>(at) << " in " << r.name << '\n';
            }
    }
    return found;
}

asio::awaitable<void> work(jeton::client& api, std::vector<masked_text>& tokens)
{
    auto const first = (co_await api.token()).value();
    tokens.push_back(masked(first->access()));
    for (int i = 0; i != 5; ++i)
        std::cout << (co_await api.get("/balance")).value().status() << '\n';
    auto const second = (co_await api.token(jeton::oauth2::token_demand::instead_of(first))).value();
    tokens.push_back(masked(second->access()));
    std::cout << (co_await api.get("/balance")).value().status() << std::endl;
    co_await api.shut_down();
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 7)
        return 2;
    jeton::provider server;
    server.name = "sandbox";
    server.base_url = argv[1];
    server.tokens.url = argv[2];
    server.tokens.body = jeton::oauth2::body_kind::json;
    server.tokens.refresh = jeton::oauth2::refresh_use::without_client;
    jeton::client_options options;
    options.http.tls.ca_file = argv[3];

    std::vector<masked_text> wanted;
    asio::io_context io(1);
    jeton::client api(jeton::serial(io), server, jeton::credentials::from_file(argv[4], argv[5]), options);
    asio::co_spawn(io, work(api, wanted), [](std::exception_ptr e) {
        if (e)
            std::rethrow_exception(e);
    });
    try {
        io.run();
    } catch (std::exception const& e) {
        std::cout << e.what() << '\n';
        return 3;
    }

    int found = count("client secret", from_hex(argv[6]));
    for (auto const& token : wanted)
        found += count("token", token);

    // The search must be able to find something, or it proves nothing.
    std::string control("a text that is there in the clear, ");
    control += std::to_string(reinterpret_cast<std::uintptr_t>(&control));
    if (count("control", masked(control)) == 0)
        return 4;
    return std::min(found, 1) * 100;
}
