import { createHash, type KeyObject, verify } from 'node:crypto'
import * as z from 'zod'

export type AccountUser = { readonly name: string; readonly publicKey: KeyObject }

export type JwtVerdict = { readonly ok: true; readonly user: string } | { readonly ok: false; readonly reason: string }

/** Snowflake ignores a longer `exp`. */
const lifetimeSecondsMax = 3_600
const clockSkewSeconds = 60
const tokenLengthMax = 8_192

const headerSchema = z.looseObject({ alg: z.literal('RS256') })
const claimsSchema = z.looseObject({ iss: z.string(), sub: z.string(), iat: z.number(), exp: z.number() })

/**
 * Checks a key-pair token as Snowflake documents it: RS256 by the user's registered key, `sub` = ACCOUNT.USER, `iss` = `sub` and the key's
 * fingerprint, not expired, not older than an hour.
 */
export function verifyKeyPairJwt(
  token: string,
  account: string,
  users: readonly AccountUser[],
  nowMs: number,
): JwtVerdict {
  const [header, payload, signature, ...rest] = token.length > tokenLengthMax ? [] : token.split('.')
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    return refused('not a JWT')
  }
  if (!headerSchema.safeParse(decoded(header)).success) return refused('the algorithm must be RS256')
  const claims = claimsSchema.safeParse(decoded(payload))
  if (!claims.success) return refused('iss, sub, iat and exp are required')
  const user = users.find(({ name }) => claims.data.sub === `${account.toUpperCase()}.${name.toUpperCase()}`)
  if (!user) return refused('sub names no user of this account')
  if (claims.data.iss !== `${claims.data.sub}.${publicKeyFingerprint(user.publicKey)}`) {
    return refused('iss does not end in the fingerprint of the registered public key')
  }
  const signed = Buffer.from(`${header}.${payload}`)
  if (!verify('RSA-SHA256', signed, user.publicKey, Buffer.from(signature, 'base64url'))) {
    return refused('the signature is not that of the registered public key')
  }
  return lifetimeVerdict(claims.data.iat, claims.data.exp, nowMs / 1_000, user.name.toUpperCase())
}

function lifetimeVerdict(issuedAt: number, expiresAt: number, nowSeconds: number, user: string): JwtVerdict {
  if (issuedAt > nowSeconds + clockSkewSeconds) return refused('issued in the future')
  if (nowSeconds > Math.min(expiresAt, issuedAt + lifetimeSecondsMax)) return refused('expired')
  return { ok: true, user }
}

/** `SHA256:` and the Base64 digest of the key's SPKI form. */
function publicKeyFingerprint(publicKey: KeyObject): string {
  const digest = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }))
  return `SHA256:${digest.digest('base64')}`
}

function decoded(part: string): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return value
  } catch {
    return undefined
  }
}

function refused(reason: string): JwtVerdict {
  return { ok: false, reason }
}
