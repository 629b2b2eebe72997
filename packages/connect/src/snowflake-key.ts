import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { MillraceError } from '@millrace/core/errors'

/** Who signs in at Snowflake, and with which RSA key. */
export type KeyPairIdentity = {
  /** The account identifier: `ORGANIZATION-ACCOUNT`, or a locator such as `xy12345.eu-west-1`. */
  readonly account: string
  readonly user: string
  /** PKCS #8, PEM, not encrypted. */
  readonly privateKeyPem: string
}

/** Snowflake refuses tokens that live longer. */
export const jwtLifetimeSecondsMax = 3_600

/**
 * A token that Snowflake's REST APIs accept as `Authorization: Bearer`.
 * @see https://docs.snowflake.com/en/developer-guide/sql-api/authenticating#using-key-pair-authentication
 * @throws MillraceError `config.invalid` when the private key cannot be read.
 */
export function keyPairJwt(identity: KeyPairIdentity, nowMs: number, lifetimeSeconds = jwtLifetimeSecondsMax): string {
  const key = privateKeyOf(identity)
  const subject = `${accountOf(identity.account)}.${identity.user.toUpperCase()}`
  const issuedAt = Math.floor(nowMs / 1_000)
  const signed = [
    { alg: 'RS256', typ: 'JWT' },
    {
      iss: `${subject}.${publicKeyFingerprint(createPublicKey(key))}`,
      sub: subject,
      iat: issuedAt,
      exp: issuedAt + lifetimeSeconds,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`
}

/** What Snowflake shows as `RSA_PUBLIC_KEY_FP`: `SHA256:` and the Base64 digest of the key's SPKI form. */
export function publicKeyFingerprint(publicKey: KeyObject): string {
  const digest = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }))
  return `SHA256:${digest.digest('base64')}`
}

/** The region that may follow a locator is not part of the account's name in a token. */
function accountOf(identifier: string): string {
  return identifier.replace(/\..*$/, '').toUpperCase()
}

function privateKeyOf({ user, privateKeyPem }: KeyPairIdentity): KeyObject {
  try {
    return createPrivateKey(privateKeyPem)
  } catch (cause) {
    throw new MillraceError(
      'config.invalid',
      `the Snowflake private key of "${user}" is not an unencrypted PKCS #8 PEM key: make one with openssl genpkey -algorithm RSA`,
      { cause },
    )
  }
}
