// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/openssl_authority.hpp"
#include "support/peer.hpp"

#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace jeton::testing {

/// What nginx wrote into its access log about one exchange.
struct exchange {
    std::uint16_t port{};
    std::string method{};
    std::string target{};
    int status{};
    std::string tls{};       ///< "TLSv1.3"
    int on_connection{};     ///< the how-manieth of its connection
    std::size_t received{};  ///< bytes of the request
    bool resumed{};          ///< over a TLS session of an earlier connection
    std::string protocol{};  ///< "HTTP/1.1", "HTTP/2.0"
    std::uint64_t connection{};
};

/// nginx on ports of 127.0.0.1, one for each certificate and TLS version that a test wants.
///
/// Every server answers 401 without a Bearer token, and otherwise 200; `/token` gives a token that lives an hour to
/// whoever posts there. A connection carries three requests and is closed after a second without one.
class nginx {
public:
    /// Adds a server, before `start`. \returns its port
    std::uint16_t serve(std::filesystem::path const& certificate, std::filesystem::path const& key,
                        std::string_view more = "ssl_protocols TLSv1.2 TLSv1.3;", std::string_view listening = "ssl");

    void start();

    /// Everything that was exchanged so far.
    std::vector<exchange> exchanges() const;

    /// How many connections to that port have ended without an exchange; the first one was `start` looking whether nginx answers.
    int fruitless_connections(std::uint16_t port) const;

    /// What nginx has to say about such connections, and about itself.
    std::string complaints() const { return read_file(files_ / "error.log"); }

    scratch_folder const& files() const noexcept { return files_; }

private:
    scratch_folder files_{};
    std::string servers_{};
    std::vector<std::uint16_t> ports_{};
    std::unique_ptr<peer> process_{};
};

inline std::uint16_t nginx::serve(std::filesystem::path const& certificate, std::filesystem::path const& key,
                                  std::string_view more, std::string_view listening)
{
    auto const port = unused_port();
    std::ostringstream out;
    out << "  server {\n    listen 127.0.0.1:" << port << ' ' << listening << ";\n    ssl_certificate "
        << certificate.string() << ";\n    ssl_certificate_key " << key.string() << ";\n    " << more << R"(
    location / {
      if ($http_authorization !~ "^Bearer .") { return 401; }
      return 200 "{\"path\":\"$uri\"}";
    }
    location = /token {
      return 200 "{\"access_token\":\"made-by-nginx\",\"token_type\":\"Bearer\",\"expires_in\":3600}";
    }
  }
)";
    servers_ += out.str();
    ports_.push_back(port);
    return port;
}

inline void nginx::start()
{
    auto const program = find_program("nginx");
    if (!program)
        skip("nginx (Debian package nginx-light)");
    auto const at = files_.path().string();
    std::ostringstream out;
    out << "daemon off;\nmaster_process off;\npid " << at << "/pid;\nerror_log " << at << "/error.log info;\n"
        << "events { worker_connections 1024; }\nhttp {\n"
        << "  log_format exchange '$server_port $request_method $request_uri $status $ssl_protocol "
           "$connection_requests "
           "$request_length $ssl_session_reused. $server_protocol $connection';\n"
        << "  access_log " << at << "/access.log exchange;\n";
    for (auto const* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
        out << "  " << kind << "_temp_path " << at << '/' << kind << ";\n";
    out << R"(  default_type application/json;
  keepalive_requests 3;
  keepalive_timeout 1s;
  add_header WWW-Authenticate $challenge always;
  map $status $challenge { 401 'Bearer realm="nginx"'; default ''; }
)" << servers_
        << "}\n";
    write_file(files_ / "nginx.conf", out.str());
    std::vector<std::string> const command{program->string(), "-p", at, "-c", at + "/nginx.conf", "-e",
                                           at + "/error.log"};
    process_ = std::make_unique<peer>(command, files_ / "output");
    for (auto const port : ports_)
        if (!eventually([&] { return answers(port) || !process_->running(); }) || !process_->running())
            throw std::runtime_error("nginx does not start: " + process_->output() + complaints());
}

inline std::vector<exchange> nginx::exchanges() const
{
    std::vector<exchange> all;
    std::istringstream lines(read_file(files_ / "access.log"));
    exchange one;
    std::string reused;
    while (lines >> one.port >> one.method >> one.target >> one.status >> one.tls >> one.on_connection >> one.received
           >> reused >> one.protocol >> one.connection) {
        one.resumed = reused == "r.";
        all.push_back(one);
    }
    return all;
}

inline int nginx::fruitless_connections(std::uint16_t port) const
{
    auto const said = complaints();
    auto const words = "while SSL handshaking, client: 127.0.0.1, server: 127.0.0.1:" + std::to_string(port);
    int count = 0;
    for (auto at = said.find(words); at != std::string::npos; at = said.find(words, at + 1))
        ++count;
    return count;
}

}  // namespace jeton::testing
