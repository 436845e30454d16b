// SPDX-License-Identifier: BSL-1.0
// What stands behind the proxies of the interop tests, and, with a certificate, one of their servers: Node's own
// HTTP/1.1 or HTTP/2.
//
//     node origin.mjs <port> <log> [h1|h2 <certificate.pem> <key.pem> <requests> <milliseconds> <streams>]
//
// With the six: over TLS; an HTTP/1.1 connection is closed after so many requests, and either kind when it was idle for
// so long; that many streams at once. Over plain HTTP/1.1, for proxies, no connection is ever closed, so that whatever is
// lost was lost in front of the proxy.
//
// The log has a line for each request, written before it is answered: method, target, and how many requests for /slow
// are being answered. It is the judge of what was on the wire how often.
//
//     /get        4 bytes                      /204       nothing
//     /post       length and SHA-256           /304       not modified, if the request has `If-None-Match: "it"`
//     /chunked    16 times 1000 bytes          /slow      4 bytes, after 50 ms
//     /megabyte   1 MiB

import { createServer as createPlain } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createSecureServer } from 'node:http2';
import { createHash } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';

const [port, log, protocol, certificate, key, requests, milliseconds, streams] = process.argv.slice(2);
const journal = openSync(log, 'a');
const megabyte = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => 97 + ((i + (i >> 8)) % 26)));
let slow = 0;

function whole(answer, body) {
  answer.writeHead(200, { 'content-length': body.length });
  answer.end(body);
}

function inPieces(answer, left = 16) {
  if (left === 0) return answer.end();
  answer.write('0123456789'.repeat(100));
  setImmediate(inPieces, answer, left - 1);
}

const routes = {
  '/get': (answer) => whole(answer, 'got\n'),
  '/post': (answer, body) => whole(answer, `${body.length} ${createHash('sha256').update(body).digest('hex')}`),
  '/chunked': (answer) => {
    answer.writeHead(200);
    inPieces(answer);
  },
  '/megabyte': (answer) => whole(answer, megabyte),
  '/204': (answer) => answer.writeHead(204).end(),
  '/304': (answer, body, request) => {
    const same = request.headers['if-none-match'] === '"it"';
    return same ? answer.writeHead(304, { etag: '"it"' }).end() : whole(answer, 'it\n');
  },
  '/slow': (answer) =>
    setTimeout(() => {
      --slow;
      whole(answer, 'got\n');
    }, 50),
};

function serve(request, answer) {
  const path = request.url.split('?')[0];
  if (path === '/slow') ++slow;
  writeSync(journal, `${request.method} ${request.url} ${slow}\n`);
  const body = [];
  request.on('data', (piece) => body.push(piece));
  request.on('end', () => {
    const route = routes[path];
    if (route) route(answer, Buffer.concat(body), request);
    else answer.writeHead(404).end();
  });
}

const listening = { host: '127.0.0.1', port: Number(port), backlog: 1024 };
if (!protocol) {
  createPlain({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, serve).listen(listening);
} else {
  const pair = { cert: readFileSync(certificate), key: readFileSync(key) };
  if (protocol === 'h1') {
    const server = createHttps({ ...pair, keepAliveTimeout: Number(milliseconds) }, serve);
    server.maxRequestsPerSocket = Number(requests);
    server.listen(listening);
  } else {
    const server = createSecureServer({ ...pair, settings: { maxConcurrentStreams: Number(streams) } }, serve);
    server.on('session', (session) => session.setTimeout(Number(milliseconds), () => session.close()));
    server.listen(listening);
  }
}
