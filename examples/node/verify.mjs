// Verifies an access token of mereau in Node (18 or newer), by the issuer's metadata and keys.
//     npm install && node verify.mjs ISSUER AUDIENCE TOKEN
import { createRemoteJWKSet, jwtVerify } from 'jose'

// Make it once: it keeps the keys.
export async function verifier(issuer, audience) {
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  if (metadata.issuer !== issuer) throw new Error('the metadata is of another issuer')
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
  return async (token) => (await jwtVerify(token, keys, {
    issuer, audience, typ: 'at+jwt', clockTolerance: 60, requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
    algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256'],
  })).payload
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [issuer, audience, token] = process.argv.slice(2)
  if (!token) {
    console.error('usage: verify.mjs ISSUER AUDIENCE TOKEN')
    process.exit(2)
  }
  try {
    const claims = await (await verifier(issuer, audience))(token)
    console.log(`subject: ${claims.sub}\nscope: ${claims.scope ?? ''}`)
  } catch (e) {
    console.error(`refused: ${e.message}`)
    process.exit(1)
  }
}
