// SPDX-License-Identifier: BSL-1.0
#include "exit_code.hpp"

#include <jeton/http/error.hpp>
#include <jeton/oauth2/error.hpp>

namespace jeton::tool {

exit_code exit_code_of(int http_status) noexcept
{
    if (http_status == 401)
        return exit_code::authentication;
    if (http_status == 404)
        return exit_code::not_found;
    if (http_status == 429)
        return exit_code::rate_limited;
    if (http_status >= 500)
        return exit_code::server_error;
    if (http_status >= 400)
        return exit_code::client_error;
    return exit_code::ok;
}

exit_code exit_code_of(failure const& why) noexcept
{
    if (why.code() == cond::cancelled)
        return exit_code::interrupted;
    if (why.code() == cond::timeout)
        return exit_code::timeout;
    if (why.phase() == phase::configure || why.code() == oauth2::errc::bad_credentials_source)
        return exit_code::usage;
    if (why.diag().http_status == 429)
        return exit_code::rate_limited;
    if (why.code() == oauth2::errc::server_error || why.code() == oauth2::errc::temporarily_unavailable)
        return exit_code::server_error;
    if (why.code() == cond::credentials || why.code().category() == make_error_code(oauth2::errc::refused).category())
        return exit_code::authentication;
    if (why.code().category() == make_error_code(errc::unexpected).category())
        return exit_code::internal;
    return exit_code::network;
}

std::string_view condition_of(std::error_code code) noexcept
{
    struct {
        cond condition;
        std::string_view name;
    } const known[] = {
        {cond::cancelled, "cancelled"},     {cond::timeout, "timeout"},     {cond::overloaded, "overloaded"},
        {cond::credentials, "credentials"}, {cond::malformed, "malformed"}, {cond::transient, "transient"},
    };
    for (auto const& [condition, name] : known)
        if (code == condition)
            return name;
    return {};
}

}  // namespace jeton::tool
