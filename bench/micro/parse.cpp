// SPDX-License-Identifier: BSL-1.0

// An answer over HTTP/1.1, from bytes in a buffer to a message that owns head and body, with two fields looked up; by
// jeton, and by Boost.Beast. Both copy the bytes into their buffer first, as a socket would.

#include "micro/answer_reader.hpp"
#include "micro/answers.hpp"
#include "micro/measuring.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace {

void look_at(int status, std::string_view type, std::string_view connection, std::string_view body)
{
    if (status != 200 || !type.starts_with("application/json") || connection != "keep-alive" || !body.ends_with("x\"}"))
        throw std::runtime_error("read wrongly");
}

void read_by_jeton(bench::answer_reader& reader, std::string_view wire)
{
    auto const answer = reader.read(wire);
    look_at(answer.status(), answer.header("Content-Type").value_or(""), answer.header("Connection").value_or(""),
            answer.text());
}

void read_by_beast(boost::beast::flat_buffer& in, std::string_view wire)
{
    namespace http = boost::beast::http;
    auto const room = in.prepare(wire.size());
    boost::asio::buffer_copy(room, boost::asio::buffer(wire));
    in.commit(wire.size());
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    boost::system::error_code error;
    while (!parser.is_done()) {
        in.consume(parser.put(in.data(), error));
        if (error)
            throw std::runtime_error(error.message());
    }
    auto const answer = parser.release();
    look_at(answer.result_int(), answer[http::field::content_type], answer[http::field::connection], answer.body());
}

template <class Reader>
void parse(benchmark::State& state, std::string const& wire, void (*read)(Reader&, std::string_view))
{
    Reader reader;
    for (auto _ : state)
        read(reader, wire);
    bench::report_allocations(state, [&] { read(reader, wire); });
    state.counters["head_bytes"] = static_cast<double>(wire.find("\r\n\r\n") + 4);
}

BENCHMARK_CAPTURE(parse, small_jeton, bench::small_answer(), read_by_jeton);
BENCHMARK_CAPTURE(parse, small_beast, bench::small_answer(), read_by_beast);
BENCHMARK_CAPTURE(parse, cdn_jeton, bench::cdn_answer(), read_by_jeton);
BENCHMARK_CAPTURE(parse, cdn_beast, bench::cdn_answer(), read_by_beast);

}  // namespace
