// SPDX-License-Identifier: BSL-1.0
#include "interop/servers/server.hpp"

#include <unistd.h>

#include <csignal>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace jeton::testing {

namespace {

// A function, for the table of servers is looked at before main() begins.
std::filesystem::path configuration(std::string const& name)
{
    return std::filesystem::path(JETON_INTEROP_SERVERS) / name;
}

// What nghttpd serves; the origin makes it itself.
void write_files(std::filesystem::path const& folder)
{
    std::filesystem::create_directories(folder);
    write_file(folder / "get", "got\n");
    write_file(folder / "slow", "got\n");
    write_file(folder / "304", "it\n");
    write_file(folder / "megabyte", megabyte());
}

void replace_all(std::string& text, std::string_view what, std::string const& by)
{
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

}  // namespace

std::string megabyte()
{
    std::string all(std::size_t(1) << 20, '\0');
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<char>('a' + (i + (i >> 8)) % 26);
    return all;
}

std::vector<server_kind> const& server_kinds()
{
    using std::chrono::milliseconds;
    static std::vector<server_kind> const all{
        {.name = "nginx",
         .package = "nginx-light",
         .configuration = "nginx.conf",
         .command = {"nginx", "-p", "{at}", "-c", "{configuration}", "-e", "{at}/error.log"},
         .reload = {"nginx", "-p", "{at}", "-c", "{configuration}", "-e", "{at}/error.log", "-s", "reload"}},
        {.name = "haproxy",
         .package = "haproxy",
         .configuration = "haproxy.cfg",
         .command = {"haproxy", "-db", "-f", "{configuration}"}},
        {.name = "h2o",
         .package = "h2o",
         .configuration = "h2o.conf",
         .command = {"h2o", "-c", "{configuration}"},
         .streams = 100,
         .shortest_idle = milliseconds(1000)},
        {.name = "caddy",
         .package = "caddy",
         .configuration = "Caddyfile",
         .command = {"env", "HOME={at}", "caddy", "run", "--config", "{configuration}", "--adapter", "caddyfile"},
         .streams = 250},
        {.name = "apache",
         .package = "apache2-bin",
         .configuration = "apache.conf",
         .command = {"apache2", "-X", "-f", "{configuration}"}},
        {.name = "node",
         .package = "nodejs",
         .configuration = "",
         .command = {"node", configuration("origin.mjs").string(), "{port}", "{at}/requests", "{protocol}",
                     "{certificate}", "{key}", "{requests}", "{milliseconds}", "{streams}"},
         .proxy = false},
        // It serves files, and echoes what is posted; it never tells how long an answer will be.
        {.name = "nghttpd",
         .package = "nghttp2-server",
         .configuration = "",
         .command = {"nghttpd", "-v", "-a", "127.0.0.1", "-d", "{at}/files", "--echo-upload", "--no-content-length",
                     "--max-concurrent-streams={streams}", "{port}", "{key}", "{certificate}"},
         .http_1_1 = false,
         .proxy = false,
         .echoes = true,
         .closes_connections = false},
        // The proxy beside it has the answers that nghttpd cannot give.
        {.name = "nghttpx",
         .package = "nghttp2-proxy",
         .configuration = "",
         .command = {"nghttpx", "--conf=/dev/null", "--single-process", "--workers=1", "--no-ocsp",
                     "--frontend=127.0.0.1,{port}", "--backend=127.0.0.1,{origin}",
                     "--frontend-http2-max-concurrent-streams={streams}",
                     "--frontend-keep-alive-timeout={milliseconds}ms", "--frontend-http2-read-timeout={milliseconds}ms",
                     "--frontend-max-requests={requests}", "{key}", "{certificate}"}},
    };
    return all;
}

server::server(server_kind const& kind, openssl_authority const& authority, std::string protocol, manner how)
    : kind_(kind), authority_(authority), protocol_(std::move(protocol)), how_(how)
{
    auto const& program = kind.command.front() == "env" ? kind.command[2] : kind.command.front();
    if (!find_program(program))
        skip(std::string(kind.name) + " (Debian package " + std::string(kind.package) + ')');
    if (kind.proxy && !find_program("node"))
        skip("node (Debian package nodejs)");
    write_file(files_ / "both.pem",
               read_file(authority.certificate("localhost")) + read_file(authority.key("localhost")));
    if (!kind.configuration.empty())
        write_file(files_ / "configuration", filled_in(read_file(configuration(std::string(kind.configuration)))));
    if (kind.echoes)
        write_files(files_ / "files");
    if (kind.proxy) {
        std::vector<std::string> const command{"node", configuration("origin.mjs").string(),
                                               std::to_string(origin_port_), (files_ / "requests").string()};
        origin_ = std::make_unique<peer>(command, files_ / "origin-output");
        if (!eventually([&] { return answers(origin_port_) || !origin_->running(); }) || !origin_->running())
            throw std::runtime_error("the origin does not start: " + origin_->output());
    }
    start();
}

void server::start()
{
    // A server with processes of its own has to end them, should this one die.
    process_ =
        std::make_unique<peer>(filled_in(kind_.command), files_ / ("output-" + std::to_string(++starts_)), SIGTERM);
    if (!eventually([&] { return answers(port_) || !process_->running(); }) || !process_->running())
        throw std::runtime_error(std::string(kind_.name) + " does not start: " + complaints());
}

void server::restart()
{
    process_.reset();
    start();
}

std::unique_ptr<peer> server::reload()
{
    return std::make_unique<peer>(filled_in(kind_.reload), files_ / "reload-output");
}

std::string server::url(std::string_view path) const { return origin() + std::string(path); }

std::string server::complaints() const
{
    auto all = process_->output() + read_file(files_ / "error.log");
    if (origin_)
        all += origin_->output();
    return all;
}

std::vector<seen_request> server::seen() const
{
    std::vector<seen_request> all;
    std::istringstream lines(read_file(files_ / "requests"));
    for (seen_request one; lines >> one.method >> one.target >> one.in_flight;)
        all.push_back(one);
    // nghttpd tells all that it receives: "recv (stream_id=13) :path: /get".
    for (int i = 1; i <= starts_ && kind_.echoes; ++i) {
        std::istringstream told(read_file(files_ / ("output-" + std::to_string(i))));
        std::string method;
        for (std::string line; std::getline(told, line);) {
            if (auto const at = line.find(" :method: "); at != std::string::npos)
                method = line.substr(at + 10);
            if (auto const at = line.find(" :path: "); at != std::string::npos)
                all.push_back({method, line.substr(at + 8)});
        }
    }
    return all;
}

std::string server::filled_in(std::string_view text) const
{
    auto filled = std::string(text);
    replace_all(filled, "{at}", files_.path().string());
    replace_all(filled, "{configuration}", (files_ / "configuration").string());
    replace_all(filled, "{port}", std::to_string(port_));
    replace_all(filled, "{origin}", std::to_string(origin_port_));
    replace_all(filled, "{certificate}", authority_.certificate("localhost").string());
    replace_all(filled, "{key}", authority_.key("localhost").string());
    replace_all(filled, "{both}", (files_ / "both.pem").string());
    replace_all(filled, "{requests}", std::to_string(how_.requests));
    replace_all(filled, "{milliseconds}", std::to_string(how_.idle.count()));
    replace_all(filled, "{seconds}", std::to_string((how_.idle.count() + 999) / 1000));
    replace_all(filled, "{protocol}", protocol_);
    replace_all(filled, "{streams}", std::to_string(how_.streams != 0 ? how_.streams : kind_.streams));
    replace_all(filled, "{processes}", std::string(how_.processes));
    replace_all(filled, "{as_root}", ::geteuid() == 0 ? "user: root" : "");
    return filled;
}

std::vector<std::string> server::filled_in(std::vector<std::string> words) const
{
    for (auto& word : words)
        word = filled_in(std::string_view(word));
    return words;
}

}  // namespace jeton::testing
