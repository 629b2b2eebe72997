import { createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Config } from './config.ts'
import { type AccountUser, type JwtVerdict, verifyKeyPairJwt } from './key-pair-jwt.ts'

/** Says whose a key-pair token is. */
export type Authenticate = (token: string | undefined) => JwtVerdict

/** Reads the public keys of the configured users. */
export async function loadAuthentication({ account, users }: Config): Promise<Authenticate> {
  const known = await Promise.all(users.map(readUser))
  return (token) => verifyKeyPairJwt(token ?? '', account, known, Date.now())
}

async function readUser({ name, publicKeyFile }: Config['users'][number]): Promise<AccountUser> {
  try {
    return { name, publicKey: createPublicKey(await readFile(publicKeyFile, 'utf8')) }
  } catch (cause) {
    throw new Error(`users: "${publicKeyFile}" of ${name} cannot be read as a public key in PEM`, { cause })
  }
}

/** The token of an `Authorization: Bearer …` header whose type, where it is said, is that of a key pair. */
export function bearerOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  const type = headers['x-snowflake-authorization-token-type'] ?? 'KEYPAIR_JWT'
  const authorization = headers['authorization']
  if (type !== 'KEYPAIR_JWT' || typeof authorization !== 'string') return undefined
  return /^Bearer (\S+)$/.exec(authorization)?.[1]
}
