// SPDX-License-Identifier: BSL-1.0
// An OpenID-certified authorization server, and an API that takes its tokens, on one https port of 127.0.0.1:
//
//     node server.mjs <folder with node_modules> <certificate.pem> <key.pem>
//
// Prints one line once it listens: {"port":N}. Besides what oidc-provider serves:
//
//     GET /grants   {"<client id>": <tokens granted>, ...}: the judge of single flight
//     *   /api/...  200 {"client":...,"method":...,"path":...} with a token that lives, otherwise 401 as RFC 6750 wants it

import { createRequire } from 'node:module';
import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';

const [folder, certificate, key] = process.argv.slice(2);
const modules = createRequire(resolve(folder, 'package.json'));
const { Provider } = await import(pathToFileURL(modules.resolve('oidc-provider')));

const client = (client_id, client_secret, token_endpoint_auth_method) => ({
  client_id,
  client_secret,
  token_endpoint_auth_method,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256', // the only key there is
  scope: 'orders:read orders:write',
});
const clients = [
  client('poster', 'a plain secret', 'client_secret_post'),
  client('weird:id+100% ~', 'p:a/s+s w%rd&=?"', 'client_secret_basic'),
  client('plus', 'a+b%41', 'client_secret_basic'),
  client('hurried', 'tokens of two seconds', 'client_secret_post'),
];

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const { port } = server.address();
const issuer = `https://localhost:${port}`;

const provider = new Provider(issuer, {
  clients,
  scopes: ['orders:read', 'orders:write'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: (context, resource) => ({
        scope: 'orders:read orders:write',
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  jwks: { keys: [await signingKey()] },
  ttl: { ClientCredentials: (context, token, owner) => (owner.clientId === 'hurried' ? 2 : 3600) },
});

async function signingKey() {
  const jose = await import(pathToFileURL(modules.resolve('jose')));
  const { privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
  return { ...(await jose.exportJWK(privateKey)), alg: 'ES256', use: 'sig' };
}

const grants = Object.fromEntries(clients.map(({ client_id }) => [client_id, 0]));
provider.on('grant.success', (context) => {
  grants[context.oidc.client.clientId] += 1;
});

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function api(request, response) {
  for await (const piece of request) void piece;
  const [, sent] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const token = sent && (await provider.ClientCredentials.find(sent));
  if (!token) {
    const challenge = sent ? 'Bearer realm="api", error="invalid_token"' : 'Bearer realm="api"';
    answer(response, 401, { error: 'invalid_token' }, { 'www-authenticate': challenge });
    return;
  }
  answer(response, 200, { client: token.clientId, method: request.method, path: request.url });
}

const oidc = provider.callback();
server.on('request', (request, response) => {
  if (request.url === '/grants') {
    answer(response, 200, grants);
  } else if (request.url.startsWith('/api/')) {
    api(request, response);
  } else {
    oidc(request, response);
  }
});

process.on('SIGTERM', () => process.exit(0));
console.log(JSON.stringify({ port }));
