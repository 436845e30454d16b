// SPDX-License-Identifier: BSL-1.0
#include <jeton/testing/fault.hpp>

namespace jeton::testing {

fault& fault::refuse_token() { return status(401).header("WWW-Authenticate", R"(Bearer error="invalid_token")"); }

fault& fault::header(std::string_view name, std::string_view value)
{
    fields_.append(name).append(": ").append(value).append("\r\n");
    return *this;
}

fault& fault::member(std::string_view name, std::string_view json)
{
    members_.emplace_back(name, json);
    return *this;
}

fault& fault::without_member(std::string_view name)
{
    members_.emplace_back(name, std::nullopt);
    return *this;
}

fault& fault::token(std::string_view text)
{
    return member("access_token", std::string(1, '"').append(text).append(1, '"'));
}

}  // namespace jeton::testing
