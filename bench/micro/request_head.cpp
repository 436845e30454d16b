// SPDX-License-Identifier: BSL-1.0

// A request with a token of 800 characters, as it goes over HTTP/1.1.

#include "http/request_access.hpp"
#include "http/sansio/h1_request_writer.hpp"
#include "http/wire_buffer.hpp"
#include "micro/measuring.hpp"
#include "workload.hpp"

#include <jeton/base/clock.hpp>
#include <jeton/http/request.hpp>
#include <jeton/http/url.hpp>
#include <jeton/testing/fake_token_source.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace jeton;

struct parts {
    std::shared_ptr<http::origin const> origin =
        std::make_shared<http::origin const>(http::url::parse("https://localhost:18443/").value().origin());
    std::string origin_head = http::h1_origin_head(*origin, "jeton/0.1.0");
    oauth2::token_ptr token =
        testing::fake_token_source::token(bench::bearer_token(), machine_clock()->both(), std::chrono::hours(1));

    http::request make(std::string body) const
    {
        auto what = body.empty() ? http::request::get(bench::workload::path)
                                 : http::request::post(bench::workload::path, std::move(body));
        what.header("Accept", "application/json");
        http::request_access::resolve(what, origin, bench::workload::path);
        return what;
    }
    void authorize(http::request& what) const { http::request_access::authorize(what, token->authorization()); }
};

void write(http::wire_buffer& out, http::request const& what, std::string_view origin_head)
{
    benchmark::DoNotOptimize(http::write_request(out, what, origin_head));
    benchmark::DoNotOptimize(out.data());
    out.clear();
}

// One that is sent again and again, as to a connection that has been used before.
void request_write(benchmark::State& state, std::string const& body)
{
    parts const p;
    http::wire_buffer out;
    auto what = p.make(body);
    p.authorize(what);
    auto const once = [&] { write(out, what, p.origin_head); };
    for (auto _ : state)
        once();
    bench::report_allocations(state, once);
    (void)http::write_request(out, what, p.origin_head);
    state.counters["wire_bytes"] = static_cast<double>(out.size());
}

// One that is made, sent and forgotten.
void request_make_and_write(benchmark::State& state, std::string const& body)
{
    parts const p;
    http::wire_buffer out;
    auto const once = [&] {
        auto what = p.make(body);
        p.authorize(what);
        write(out, what, p.origin_head);
    };
    for (auto _ : state)
        once();
    bench::report_allocations(state, once);
}

BENCHMARK_CAPTURE(request_write, get, std::string());
BENCHMARK_CAPTURE(request_write, post, bench::json_body());
BENCHMARK_CAPTURE(request_make_and_write, get, std::string());
BENCHMARK_CAPTURE(request_make_and_write, post, bench::json_body());

}  // namespace
