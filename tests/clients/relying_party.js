// A web application as its developers would write it with openid-client: sign-in by code + PKCE, refresh, introspection,
// revocation. usage: node relying_party.js ISSUER CLIENT_ID CLIENT_SECRET PORT. Prints "ready", then a JSON line a sign-in.
'use strict';
const http = require('http');
const { Issuer, generators } = require('openid-client');

const [issuerUrl, clientId, clientSecret, port] = process.argv.slice(2);
const redirectUri = `http://127.0.0.1:${port}/callback`;

async function main() {
  // The server is an OAuth 2 authorization server: its metadata are those of RFC 8414.
  const issuer = await Issuer.discover(`${issuerUrl}/.well-known/oauth-authorization-server`);
  const client = new issuer.Client({
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [redirectUri],
    response_types: ['code'],
  });
  const pending = new Map();

  async function login(res) {
    const verifier = generators.codeVerifier();
    const state = generators.state();
    pending.set(state, verifier);
    const url = client.authorizationUrl({
      scope: 'orders.read offline_access',
      state,
      code_challenge: generators.codeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    res.writeHead(302, { Location: url }).end();
  }

  async function callback(req, res) {
    const params = client.callbackParams(req);
    const tokens = await client.oauthCallback(redirectUri, params, {
      state: params.state,
      code_verifier: pending.get(params.state),
      response_type: 'code',
    });
    const result = { first: { ...tokens } };
    result.active = await client.introspect(tokens.access_token);
    const second = await client.refresh(tokens.refresh_token);
    result.second = { ...second };
    await client.revoke(second.refresh_token);
    result.after = await client.introspect(second.access_token);
    try {
      await client.refresh(second.refresh_token);
      result.refused = false;
    } catch (e) {
      result.refused = e.error;
    }
    console.log(JSON.stringify(result));
    res.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>done</title><p id="done">signed in</p>');
  }

  http.createServer((req, res) => {
    const fail = (e) => {
      console.log(JSON.stringify({ error: String(e), detail: e.error_description }));
      res.writeHead(500, { 'Content-Type': 'text/html' }).end('<title>failed</title><p id="failed">failed</p>');
    };
    if (req.url === '/login') login(res).catch(fail);
    else if (req.url.startsWith('/callback')) callback(req, res).catch(fail);
    else res.writeHead(404).end();
  }).listen(Number(port), '127.0.0.1', () => console.log('ready'));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
