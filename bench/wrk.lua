-- SPDX-License-Identifier: BSL-1.0
-- For wrk: the workload's request, and its figures as one line of JSON.

wrk.headers["Authorization"] = "Bearer " .. string.rep("t", 800)
wrk.headers["Accept"] = "application/json"
wrk.headers["User-Agent"] = "jeton/0.1.0"

function init(words)
    if words[1] == "post" then
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "application/json"
        wrk.body = '{"order":"' .. string.rep("o", 188) .. '"}'
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.stdout:write(string.format(
        '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"p999_us":%d,"failed":%d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
