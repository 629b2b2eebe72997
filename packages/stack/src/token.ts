import { readFile } from 'node:fs/promises'
import { importJWK, SignJWT } from 'jose'
import type { Secrets } from './secrets.ts'

/** The local issuer's name and the gateway's, as tokens carry them. */
export const tokenIssuer = 'urn:millrace:local'
export const tokenAudience = 'urn:millrace:gateway'

/** A JWT of the local issuer. `ttlSeconds` from now until it expires. */
export async function mintToken(
  secrets: Pick<Secrets, 'issuerKeyFile'>,
  claims: { readonly subject: string; readonly scopes: readonly string[]; readonly ttlSeconds: number },
): Promise<string> {
  const jwk: unknown = JSON.parse(await readFile(secrets.issuerKeyFile, 'utf8'))
  if (!isKey(jwk)) throw new TypeError(`${secrets.issuerKeyFile} holds no private JWK with a kid`)
  return new SignJWT({ scope: claims.scopes.join(' ') })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid, typ: 'at+jwt' })
    .setIssuer(tokenIssuer)
    .setAudience(tokenAudience)
    .setSubject(claims.subject)
    .setIssuedAt()
    .setExpirationTime(`${claims.ttlSeconds}s`)
    .sign(await importJWK(jwk, 'ES256'))
}

function isKey(value: unknown): value is { kid: string; kty: string } {
  return typeof value === 'object' && value !== null && 'kid' in value && typeof value.kid === 'string' && 'd' in value
}
