import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

export const issuer = 'urn:test:issuer'
export const audience = 'urn:test:gateway'

/** A key pair of an issuer, known by its `kid`. */
export async function issuerKey(kid: string, alg = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

type Key = Awaited<ReturnType<typeof issuerKey>>

/** A good token, unless a test says otherwise. `undefined` takes a claim away. */
export function tokenOf(key: Key, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000)
  const all = { iss: issuer, aud: audience, sub: 'ada', exp: now + 60, scope: 'events:write:order.*', ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey)
}

/** A JWKS file that ends with the test. */
export async function keySetFile(...keys: readonly object[]) {
  const directory = await mkdtemp(join(tmpdir(), 'jwks-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'issuer.jwks')
  const publish = (...published: readonly object[]) => writeFile(file, JSON.stringify({ keys: published }))
  await publish(...keys)
  return { file, publish }
}
