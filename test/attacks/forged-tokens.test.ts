import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthentication } from '@millrace/gateway/authentication'
import { bearerToken } from '@millrace/gateway/bearer-token'
import { afterAll, describe, expect, test } from 'vitest'
import { forgedTokens, type Target } from './forged-tokens.ts'
import { claims, eddsa, es256, ps256, publicJwk, rs256, signer, tokenWith } from './token.ts'

const target: Target = {
  issuer: 'urn:attacked:issuer',
  audience: 'urn:attacked:gateway',
  es256: signer('first', 'ec'),
  rsa: signer('second', 'rsa'),
  ed25519: signer('third', 'ed25519'),
}
const p384 = signer('fourth', 'p384')
const { issuer, audience } = target
const directory = await mkdtemp(join(tmpdir(), 'forged-'))
const jwksFile = join(directory, 'issuer.jwks')
const published = [target.es256, target.rsa, target.ed25519, p384].map((key) => publicJwk(key))
await writeFile(jwksFile, JSON.stringify({ keys: published }))
afterAll(() => rm(directory, { recursive: true }))

const authenticate = createAuthentication({ issuer, audience, jwksFile })
const forged = forgedTokens(target)

describe('a forged token is refused with 401:', () => {
  test.each(forged)('%s', async (_name, token) => {
    await expect(authenticate(token)).rejects.toMatchObject({ problem: { status: 401 } })
    await expect(authenticate(bearerToken(`Bearer ${token}`))).rejects.toMatchObject({ problem: { status: 401 } })
  })
})

test('the table of forged tokens has no case twice', () => {
  expect(new Set(forged.map(([name]) => name)).size).toBe(forged.length)
})

describe('what the forged tokens are made of is good when nothing is wrong with it:', () => {
  const sign = { ...claims(target), sub: 'ada' }
  test.each([
    ['ES256', tokenWith({ alg: 'ES256', kid: 'first', typ: 'at+jwt' }, sign, es256(target.es256.privateKey))],
    ['ES384', tokenWith({ alg: 'ES384', kid: 'fourth' }, sign, es256(p384.privateKey, 'sha384'))],
    ['EdDSA', tokenWith({ alg: 'EdDSA', kid: 'third', typ: 'JWT' }, sign, eddsa(target.ed25519.privateKey))],
    ['RS256', tokenWith({ alg: 'RS256', kid: 'second', typ: 'jwt' }, sign, rs256(target.rsa.privateKey))],
    [
      'PS256',
      tokenWith({ alg: 'PS256', kid: 'second', typ: 'application/at+jwt' }, sign, ps256(target.rsa.privateKey)),
    ],
    [
      'aud a list with ours',
      tokenWith(
        { alg: 'ES256', kid: 'first' },
        { ...sign, aud: ['urn:other', audience] },
        es256(target.es256.privateKey),
      ),
    ],
    [
      'clocks that differ a little',
      tokenWith(
        { alg: 'ES256', kid: 'first' },
        { ...sign, iat: Date.now() / 1_000 + 3, nbf: Date.now() / 1_000 + 3 },
        es256(target.es256.privateKey),
      ),
    ],
  ])('%s', async (_name, token) => {
    expect(await authenticate(bearerToken(`Bearer ${token}`))).toMatchObject({ subject: 'ada' })
  })
})

test('an RSA key of 1024 bits, to which the issuer rotates, verifies nothing', async () => {
  const weak = signer('weak', 'rsa', 1_024)
  const file = join(directory, 'rotated.jwks')
  await writeFile(file, JSON.stringify({ keys: [publicJwk(weak), ...published] }))
  const rotated = createAuthentication({ issuer, audience, jwksFile: file })
  const token = (key: typeof weak) => tokenWith({ alg: 'RS256', kid: key.kid }, claims(target), rs256(key.privateKey))
  await expect(rotated(token(weak))).rejects.toMatchObject({ problem: { status: 401 } })
  expect(await rotated(token(target.rsa))).toMatchObject({ subject: 'eve' })
})
