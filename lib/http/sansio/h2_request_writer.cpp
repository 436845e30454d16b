// SPDX-License-Identifier: BSL-1.0
#include "http/sansio/h2_request_writer.hpp"

#include "http/request_access.hpp"
#include "http/sansio/h1_characters.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <tuple>
#include <utility>

namespace jeton::http {

namespace {

// The next line of a head, cut in two; the views are empty at its end.
std::pair<std::string_view, std::string_view> next_field(std::string_view& lines) noexcept
{
    auto const end = lines.find("\r\n");
    if (end == std::string_view::npos)
        return {};
    auto const line = lines.substr(0, end);
    lines.remove_prefix(end + 2);
    auto const colon = line.find(':');
    return {line.substr(0, colon), trimmed(line.substr(colon + 1))};
}

// Any other field of a caller's may hold a secret, or a value that never comes again: it is not for the table, which would keep it.
bool worth_indexing(std::string_view name) noexcept
{
    static constexpr std::string_view names[] = {"content-type", "user-agent", "accept", "accept-encoding",
                                                 "accept-language"};
    return std::any_of(std::begin(names), std::end(names), [&](auto n) { return is_word(name, n); });
}

}  // namespace

std::vector<h2_field> const& h2_request_writer::fields(request const& what, std::string_view origin_head, bool secure)
{
    all_.clear();
    auto const authority = next_field(origin_head).second;
    all_.push_back({":method", what.method()});
    all_.push_back({":scheme", secure ? "https" : "http"});
    all_.push_back({":authority", authority});
    path_.assign(request_access::base_path_of(what)).append(what.target());
    all_.push_back({":path", path_});

    bool agent = false;
    bool accept = false;
    bool authorization = false;
    auto const pseudo = all_.size();
    std::string_view lines = what.fields();
    for (auto [name, value] = next_field(lines); !name.empty(); std::tie(name, value) = next_field(lines)) {
        agent = agent || is_word(name, "user-agent");
        accept = accept || is_word(name, "accept");
        authorization = authorization || is_word(name, "authorization");
        all_.push_back({name, value, !worth_indexing(name)});
    }
    // What every request has stands before, as over HTTP/1.1.
    std::array<h2_field, 3> own{};
    std::size_t count = 0;
    if (auto const [name, value] = next_field(origin_head); !name.empty() && !agent)
        own[count++] = {"user-agent", value};
    if (!accept)
        own[count++] = {"accept", "application/json"};
    if (auto const& line = request_access::authorization_of(what); line && !authorization) {
        auto ready = line->reveal();
        own[count++] = {"authorization", next_field(ready).second, true};
    }
    all_.insert(all_.begin() + static_cast<std::ptrdiff_t>(pseudo), own.begin(),
                own.begin() + static_cast<std::ptrdiff_t>(count));

    auto const method = what.method();
    if (what.has_body() || method == "POST" || method == "PUT" || method == "PATCH") {
        auto* const end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), what.body().size()).ptr;
        all_.push_back({"content-length", {digits_.data(), end}});
    }
    return all_;
}

}  // namespace jeton::http
