// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

// Answers as they stand on the wire.
namespace bench {

inline std::string json_answer_body() { return R"({"status":"ok","padding":")" + std::string(430, 'x') + R"("})"; }

/// What the server of bench/serve answers.
inline std::string small_answer()
{
    auto const body = json_answer_body();
    return "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
           "Content-Type: application/json\r\nContent-Length: "
           + std::to_string(body.size()) + "\r\nConnection: keep-alive\r\n\r\n" + body;
}

/// The same body with a head as a CDN puts it on: 30 fields, some 2 KB.
inline std::string cdn_answer()
{
    auto const body = json_answer_body();
    return "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json; charset=utf-8\r\n"
           "Content-Length: "
           + std::to_string(body.size())
           + "\r\nConnection: keep-alive\r\n"
             "Cache-Control: private, no-cache, no-store, must-revalidate, max-age=0\r\nPragma: no-cache\r\n"
             "Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\nETag: W/\"1ca-Qk3mVb0tZp7yXr5sLw9uHn2eJd8\"\r\n"
             "Last-Modified: Sun, 22 Nov 2026 09:59:58 GMT\r\nVary: Accept-Encoding, Origin, Authorization\r\n"
             "Set-Cookie: __sid=b7Yk2Qw9ZrT4uXe1Vn8mLp5sHc3aJd6f-1795341600-1.0.1.1-"
             "kP3vT8zN1xR6bM9qW4yC7sL2gH5jD0fA8eU3iO6pK1tB4nV7; path=/; expires=Sun, 22-Nov-26 10:30:00 GMT; "
             "domain=.api.example; HttpOnly; Secure; SameSite=None\r\n"
             "Set-Cookie: region=eu-central-1; Path=/; Max-Age=86400; Secure; SameSite=Lax\r\n"
             "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"
             "Content-Security-Policy: default-src 'none'; base-uri 'self'; connect-src 'self' https://api.example "
             "https://events.api.example wss://stream.api.example; form-action 'none'; frame-ancestors 'none'; "
             "img-src 'self' data: https://cdn.api.example; script-src 'self'; style-src 'self' 'unsafe-inline'\r\n"
             "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nX-XSS-Protection: 0\r\n"
             "Referrer-Policy: strict-origin-when-cross-origin\r\n"
             "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=()\r\n"
             "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-site\r\n"
             "Access-Control-Expose-Headers: X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining\r\n"
             "X-RateLimit-Limit: 5000\r\nX-RateLimit-Remaining: 4987\r\nX-RateLimit-Reset: 1795345200\r\n"
             "X-Request-Id: 7f3c9a52-1be4-4d08-9c67-2a5d8e10b3f4\r\n"
             "Report-To: {\"endpoints\":[{\"url\":\"https://reports.api.example/v4?s=Zk3\"}],\"group\":\"nel\","
             "\"max_age\":604800}\r\n"
             "NEL: {\"success_fraction\":0,\"report_to\":\"nel\",\"max_age\":604800}\r\n"
             "Server: cdn\r\nX-Cache: Miss from edge\r\nVia: 1.1 edge-fra2\r\nAlt-Svc: h3=\":443\"; ma=86400\r\n\r\n"
           + body;
}

}  // namespace bench
