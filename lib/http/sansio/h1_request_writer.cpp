// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h1_request_writer.hpp"

#include "http/request_access.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <limits>

namespace jeton::http {

namespace {

// What fits into one TLS record together with a head of usual size is cheaper copied than written apart.
constexpr std::size_t small_body = 16 * 1024;

// RFC 9110 §8.6: says that its content is empty rather than that it has none.
bool expects_content(std::string_view method) noexcept
{
    return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

std::string h1_origin_head(origin const& to, std::string_view user_agent)
{
    auto head = "Host: " + to.authority() + "\r\n";
    if (!user_agent.empty())
        head.append("User-Agent: ").append(user_agent).append("\r\n");
    return head;
}

std::string_view write_request(wire_buffer& out, request const& what, std::string_view origin_head)
{
    std::string_view authorization;
    if (auto const& line = request_access::authorization_of(what); line && !what.has_header("Authorization"))
        authorization = line->reveal();
    if (what.has_header("User-Agent"))
        origin_head = origin_head.substr(0, origin_head.find("\r\n") + 2);  // only Host
    std::string_view const accept = what.has_header("Accept") ? "" : "Accept: application/json\r\n";

    auto const body = what.body();
    std::array<char, std::numeric_limits<std::size_t>::digits10 + 1> digits{};
    std::string_view name;
    std::string_view length;
    if (what.has_body() || expects_content(what.method())) {
        name = "Content-Length: ";
        auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), body.size()).ptr;
        length = {digits.data(), end};
    }
    auto const inlined = body.size() <= small_body ? body : std::string_view();

    std::string_view const pieces[] = {
        what.method(),
        " ",
        what.target(),
        " HTTP/1.1\r\n",
        origin_head,
        accept,
        authorization,
        what.fields(),
        name,
        length,
        name.empty() ? std::string_view() : "\r\n",
        "\r\n",
        inlined,
    };
    std::size_t size = 0;
    for (auto const piece : pieces)
        size += piece.size();
    auto* to = out.prepare(size).data();
    for (auto const piece : pieces) {
        if (!piece.empty())
            std::memcpy(to, piece.data(), piece.size());
        to += piece.size();
    }
    out.commit(size);
    return body.substr(inlined.size());
}

}  // namespace jeton::http
