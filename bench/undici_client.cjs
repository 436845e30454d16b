// SPDX-License-Identifier: BSL-1.0

// The workload with Node.js and undici: PORT CA_FILE REQUESTS IN_FLIGHT [post]
'use strict';

const fs = require('node:fs');
const { Pool } = require('undici');

const [port, caFile, requestsText, inFlightText, ...words] = process.argv.slice(2);
const requests = Number(requestsText);
const inFlight = Number(inFlightText);
const post = words.includes('post');
if (words.includes('h2')) {
    console.error('this undici has HTTP/1.1 alone');
    process.exit(2);
}

const pool = new Pool(`https://localhost:${port}`, {
    connections: inFlight,
    pipelining: 1,
    connect: { ca: fs.readFileSync(caFile), family: 4 },
});
const token = 't'.repeat(800);
const body = JSON.stringify({ order: 'o'.repeat(188) });

async function send() {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json', 'user-agent': 'jeton/0.1.0' };
    if (post)
        headers['content-type'] = 'application/json';
    const answer = await pool.request({ path: '/api/status', method: post ? 'POST' : 'GET', headers, body: post ? body : null });
    await answer.body.text();
    if (answer.statusCode !== 200)
        throw new Error(`answered with ${answer.statusCode}`);
}

// As measured.hpp has it: first the warm-up, then what is measured, without a pause.
const warmUp = 1000 + 40 * inFlight;
const all = warmUp + requests;
const latencies = new Float64Array(requests);
let started = 0;
let finished = 0;
let begin = 0;
let beginCpu;

async function worker() {
    while (started < all) {
        ++started;
        const begun = performance.now();
        await send();
        if (++finished > warmUp)
            latencies[finished - warmUp - 1] = performance.now() - begun;
        else if (finished === warmUp) {
            begin = performance.now();
            beginCpu = process.cpuUsage();
        }
    }
}

async function main() {
    await Promise.all(Array.from({ length: inFlight }, worker));
    const seconds = (performance.now() - begin) / 1000;
    const used = process.cpuUsage(beginCpu);
    latencies.sort();
    const percentile = (share) => Math.round(latencies[Math.floor(share * (requests - 1))] * 1e4) / 10;
    console.log(JSON.stringify({
        requests,
        seconds,
        cpu_us_per_request: (used.user + used.system) / requests,
        p50_us: percentile(0.5),
        p99_us: percentile(0.99),
        p999_us: percentile(0.999),
        // Not maxRSS, which begins with that of the process that started this one.
        peak_rss_kib: Number(/VmHWM:\s*(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]),
    }));
    await pool.close();
}

main().catch((failed) => {
    console.error(failed);
    process.exit(1);
});
