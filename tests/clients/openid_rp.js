// An application that registers itself and signs people in with openid-client, as its developers would write it.
// usage: node openid_rp.js ISSUER PORT MODE. Prints "ready", a JSON line a sign-in, a JSON line a logout token.
'use strict';
const crypto = require('crypto');
const http = require('http');
const { Issuer, generators, custom } = require('openid-client');
const jose = require('jose');

const [issuerUrl, port, mode] = process.argv.slice(2);
const base = `http://127.0.0.1:${port}`;
const redirectUri = `${base}/callback`;

function privateKey(kid, use, alg, type, options) {
  const { privateKey: k } = crypto.generateKeyPairSync(type, options);
  return { ...k.export({ format: 'jwk' }), kid, use, ...(alg ? { alg } : {}) };
}

function body(req) {
  return new Promise((resolve) => {
    let text = '';
    req.on('data', (c) => { text += c; });
    req.on('end', () => resolve(text));
  });
}

async function main() {
  const issuer = await Issuer.discover(issuerUrl);
  const keys = [privateKey('rp-sig', 'sig', 'ES256', 'ec', { namedCurve: 'P-256' }), privateKey('rp-enc', 'enc', undefined, 'ec', { namedCurve: 'P-256' })];
  const publicKeys = keys.map(({ d, ...rest }) => rest);
  const metadata = {
    client_name: 'A shop that registers itself',
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [`${base}/bye`],
    backchannel_logout_uri: `${base}/told`,
    backchannel_logout_session_required: true,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'openid profile email offline_access',
    jwks: { keys: publicKeys },
    // The library wants the algorithm of what it verifies to be the one registered.
    id_token_signed_response_alg: 'RS256',
  };
  if (mode === 'private_key_jwt' || mode === 'request') {
    metadata.token_endpoint_auth_method = 'private_key_jwt';
    metadata.token_endpoint_auth_signing_alg = 'ES256';
  }
  if (mode === 'encrypted') {
    Object.assign(metadata, {
      id_token_encrypted_response_alg: 'ECDH-ES+A256KW', id_token_encrypted_response_enc: 'A256GCM',
      userinfo_signed_response_alg: 'ES256', userinfo_encrypted_response_alg: 'ECDH-ES', userinfo_encrypted_response_enc: 'A128CBC-HS256',
    });
  }
  if (mode === 'request') Object.assign(metadata, { request_object_signing_alg: 'ES256', require_signed_request_object: true });
  if (mode === 'hybrid') {
    metadata.response_types = ['code id_token'];
    metadata.grant_types.push('implicit');
    metadata.application_type = 'native'; // loopback addresses are not for the web
  }
  const client = await issuer.Client.register(metadata, { jwks: { keys } });
  client[custom.clock_tolerance] = 70;
  const pending = new Map();
  let last;

  async function login(res) {
    const checks = { code_verifier: generators.codeVerifier(), state: generators.state(), nonce: generators.nonce() };
    pending.set(checks.state, checks);
    const params = {
      scope: metadata.scope, state: checks.state, nonce: checks.nonce, redirect_uri: redirectUri, response_type: metadata.response_types[0],
      code_challenge: generators.codeChallenge(checks.code_verifier), code_challenge_method: 'S256',
    };
    if (mode === 'form_post' || mode === 'hybrid') params.response_mode = 'form_post';
    const url = mode === 'request'
      ? client.authorizationUrl({ scope: 'openid', response_type: 'code', redirect_uri: redirectUri, request: await client.requestObject({ ...params, prompt: 'consent' }) })
      : client.authorizationUrl({ ...params, prompt: 'consent' });
    res.writeHead(302, { Location: mode === 'request' ? url.replace('scope=openid&', '') : url }).end();
  }

  async function callback(req, res) {
    const text = req.method === 'POST' ? await body(req) : '';
    const params = client.callbackParams(req.method === 'POST' ? { method: 'POST', url: req.url, body: text } : req);
    const checks = { ...pending.get(params.state), state: params.state, response_type: metadata.response_types[0] };
    const tokens = await client.callback(redirectUri, params, checks);
    last = tokens;
    const refreshed = await client.refresh(tokens.refresh_token);
    const userinfo = await client.userinfo(tokens.access_token);
    const raw = mode === 'encrypted' ? JSON.parse(Buffer.from(await encryptedHeader(tokens), 'base64url')) : {};
    console.log(JSON.stringify({ claims: tokens.claims(), userinfo, refreshed: refreshed.claims(), header: raw, clock: Date.now() / 1000 }));
    res.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>signed in</p>');
  }

  // The library hands out the ID token decrypted; what came over the wire is in the answer to a refresh by hand.
  async function encryptedHeader(tokens) {
    const answer = await fetch(issuer.metadata.token_endpoint, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${client.metadata.client_id}:${client.metadata.client_secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }),
    });
    return (await answer.json()).id_token.split('.')[0];
  }

  async function told(req, res) {
    const token = new URLSearchParams(await body(req)).get('logout_token');
    let jws = token;
    if (token.split('.').length === 5) {
      const opened = await jose.compactDecrypt(token, await jose.importJWK(keys[1], 'ECDH-ES+A256KW'));
      jws = new TextDecoder().decode(opened.plaintext);
    }
    const { payload } = await jose.jwtVerify(jws, jose.createRemoteJWKSet(new URL(issuer.metadata.jwks_uri)), {
      issuer: issuerUrl, audience: client.metadata.client_id, typ: 'logout+jwt', clockTolerance: 70,
    });
    console.log(JSON.stringify(payload));
    res.writeHead(200).end();
  }

  http.createServer((req, res) => {
    const url = new URL(req.url, base);
    const fail = (e) => res.writeHead(500, { 'Content-Type': 'text/plain' }).end(`${e} ${e.error_description || ''} ${e.stack}`);
    if (url.pathname === '/login') login(res).catch(fail);
    else if (url.pathname === '/callback') callback(req, res).catch(fail);
    else if (url.pathname === '/told') told(req, res).catch(fail);
    else if (url.pathname === '/logout') res.writeHead(302, { Location: client.endSessionUrl({ id_token_hint: last.id_token, post_logout_redirect_uri: `${base}/bye`, state: 'out' }) }).end();
    else if (url.pathname === '/bye') res.writeHead(200, { 'Content-Type': 'text/plain' }).end(`signed out state=${url.searchParams.get('state')}`);
    else res.writeHead(404).end();
  }).listen(Number(port), '127.0.0.1', () => console.log('ready'));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
