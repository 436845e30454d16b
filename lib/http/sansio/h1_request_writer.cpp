// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h1_request_writer.hpp"

#include "http/request_access.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <limits>

namespace jeton::http {

namespace {

// What fits into one TLS record together with a head of usual size is cheaper copied than written apart.
constexpr std::size_t small_body = 16 * 1024;

constexpr std::string_view version = " HTTP/1.1\r\n";
constexpr std::string_view length_name = "Content-Length: ";

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
    std::string_view accept = "Accept: application/json\r\n";
    std::string_view authorization;
    if (auto const* const line = request_access::authorization_of(what))
        authorization = line->reveal();
    std::string_view const fields = what.fields();
    if (!fields.empty()) {
        if (what.has_header("Authorization"))
            authorization = {};
        if (what.has_header("User-Agent"))
            origin_head = origin_head.substr(0, origin_head.find("\r\n") + 2);  // only Host
        if (what.has_header("Accept"))
            accept = {};
    }

    auto const body = what.body();
    auto const inlined = body.size() <= small_body ? body : std::string_view();
    std::array<char, length_name.size() + std::numeric_limits<std::size_t>::digits10 + 3> of_length{};
    std::string_view length;
    if (what.has_body() || expects_content(what.method())) {
        auto* end = std::copy(length_name.begin(), length_name.end(), of_length.begin());
        end = std::to_chars(end, of_length.end(), body.size()).ptr;
        *end++ = '\r';
        *end++ = '\n';
        length = {of_length.data(), end};
    }

    auto const method = what.method();
    auto const base_path = request_access::base_path_of(what);
    std::string_view const target = what.target();
    auto const size = method.size() + 1 + base_path.size() + target.size() + version.size() + origin_head.size()
                      + accept.size() + authorization.size() + fields.size() + length.size() + 2 + inlined.size();
    auto* to = out.prepare(size).data();
    auto const put = [&to](std::string_view piece) {
        if (!piece.empty())
            std::memcpy(to, piece.data(), piece.size());
        to += piece.size();
    };
    put(method);
    put(" ");
    put(base_path);
    put(target);
    put(version);
    put(origin_head);
    put(accept);
    put(authorization);
    put(fields);
    put(length);
    put("\r\n");
    put(inlined);
    out.commit(size);
    return body.substr(inlined.size());
}

}  // namespace jeton::http
