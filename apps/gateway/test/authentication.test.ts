import { writeFile } from 'node:fs/promises'
import { parseScope } from '@millrace/core/scope'
import { exportSPKI, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { allows, createAuthentication, type Identity, require, requireSome } from '../src/authentication.ts'
import { statusOf } from './status-of.ts'
import { audience, issuer, issuerKey, keySetFile, tokenOf } from './issuer.ts'

const key = await issuerKey('first')
/** Longer than the gateway trusts what it read of the key set. */
const keysCheckMs = 2_500

async function authentication() {
  const keySet = await keySetFile(key.jwk)
  return { ...keySet, authenticate: createAuthentication({ issuer, audience, jwksFile: keySet.file }) }
}

const unauthorized = { problem: { status: 401 } }

describe('a token', () => {
  test('of the issuer, for the gateway and not expired says whose it is and what it allows', async () => {
    const { authenticate } = await authentication()
    const exp = Math.floor(Date.now() / 1_000) + 30
    const scope = 'events:write:order.* nonsense metrics:read'
    expect(await authenticate(await tokenOf(key, { exp, scope }))).toEqual({
      subject: 'ada',
      permissions: [{ action: 'events:write', pattern: 'order.*' }, { action: 'metrics:read' }],
      expiresAtMs: exp * 1_000,
    })
  })

  test.each([
    ['of another issuer', { iss: 'urn:test:other' }],
    ['without an issuer', { iss: undefined }],
    ['for another audience', { aud: 'urn:test:other' }],
    ['without an audience', { aud: undefined }],
    ['that has expired', { exp: Math.floor(Date.now() / 1_000) - 1 }],
    ['that never expires', { exp: undefined }],
    ['that is not good yet', { nbf: Math.floor(Date.now() / 1_000) + 60 }],
    ['of nobody', { sub: undefined }],
  ])('%s is refused', async (_what, claims) => {
    const { authenticate } = await authentication()
    await expect(authenticate(await tokenOf(key, claims))).rejects.toMatchObject(unauthorized)
  })

  test.each([undefined, '', 'not.a.token', 'a.b'])('that is none is refused: %s', async (token) => {
    const { authenticate } = await authentication()
    await expect(authenticate(token)).rejects.toMatchObject(unauthorized)
  })

  test('longer than any good one is refused unread', async () => {
    const { authenticate } = await authentication()
    const token = await tokenOf(key, { scope: 'events:write:a '.repeat(600) })
    expect(token.length).toBeGreaterThan(8_192)
    await expect(authenticate(token)).rejects.toMatchObject(unauthorized)
  })

  test('without a signature (alg: none) is refused', async () => {
    const { authenticate } = await authentication()
    const unsecured = new UnsecuredJWT({ scope: 'events:write:*' })
    const token = unsecured.setIssuer(issuer).setAudience(audience).setSubject('eve').setExpirationTime('1h').encode()
    await expect(authenticate(token)).rejects.toMatchObject(unauthorized)
  })

  test('signed with the public key as a shared secret (HS256) is refused', async () => {
    const rsa = await issuerKey('rsa', 'RS256')
    const { file } = await keySetFile(rsa.jwk)
    const authenticate = createAuthentication({ issuer, audience, jwksFile: file })
    expect(await authenticate(await tokenOf(rsa))).toMatchObject({ subject: 'ada' })
    const secret = new TextEncoder().encode(await exportSPKI(rsa.publicKey))
    const forged = new SignJWT({ iss: issuer, aud: audience, sub: 'eve', scope: 'events:write:*' })
    const token = await forged.setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).setExpirationTime('1h').sign(secret)
    await expect(authenticate(token)).rejects.toMatchObject(unauthorized)
  })

  test('signed by a key that the issuer does not publish is refused, whatever kid it names', async () => {
    const { authenticate } = await authentication()
    const other = await issuerKey('other')
    await expect(authenticate(await tokenOf(other))).rejects.toMatchObject(unauthorized)
    await expect(authenticate(await tokenOf({ ...other, kid: key.kid }))).rejects.toMatchObject(unauthorized)
  })

  test('that was changed after it was signed is refused, although its header and signature are known', async () => {
    const { authenticate } = await authentication()
    const token = await tokenOf(key)
    await authenticate(token)
    const [header, , signature] = token.split('.')
    const claims = { iss: issuer, aud: audience, sub: 'eve', exp: Math.floor(Date.now() / 1_000) + 60 }
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
    await expect(authenticate([header, payload, signature].join('.'))).rejects.toMatchObject(unauthorized)
  })

  test('that was verified is answered without a promise', async () => {
    const { authenticate } = await authentication()
    const token = await tokenOf(key)
    expect(authenticate(token)).toBeInstanceOf(Promise)
    await authenticate(token)
    expect(authenticate(token)).toMatchObject({ subject: 'ada' })
  })

  test('that was good before is refused from the moment that it expires', async () => {
    const { authenticate } = await authentication()
    const token = await tokenOf(key, { exp: Math.floor(Date.now() / 1_000) + 60 })
    await authenticate(token)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    await expect(authenticate(token)).rejects.toMatchObject(unauthorized)
  })
})

describe('keys', () => {
  test('that are rotated take effect without a restart: the new one is good, the old one and what it verified no more', async () => {
    const { authenticate, publish } = await authentication()
    const second = await issuerKey('second')
    const [before, after] = [await tokenOf(key), await tokenOf(second)]
    await authenticate(before)
    await expect(authenticate(after)).rejects.toMatchObject(unauthorized)
    await publish(second.jwk)
    await vi.waitFor(() => authenticate(after), { timeout: 2 * keysCheckMs, interval: 100 })
    await expect(authenticate(before)).rejects.toMatchObject(unauthorized)
  })

  test('stay good while the file cannot be read', async () => {
    const { authenticate, file, publish } = await authentication()
    const second = await issuerKey('second')
    const token = await tokenOf(key)
    await authenticate(token)
    await writeFile(file, '{"keys":[')
    const since = performance.now()
    await vi.waitUntil(() => performance.now() - since > keysCheckMs, { timeout: 2 * keysCheckMs })
    expect(await authenticate(token)).toMatchObject({ subject: 'ada' })
    await publish(second.jwk)
    const after = await tokenOf(second)
    await vi.waitFor(() => authenticate(after), { timeout: 2 * keysCheckMs, interval: 100 })
  })

  test('that never could be read are a fault of the server, not of the token', async () => {
    const troubles: unknown[] = []
    const jwksFile = '/nowhere/issuer.jwks'
    const authenticate = createAuthentication({ issuer, audience, jwksFile }, (_what, error) => troubles.push(error))
    await expect(authenticate(await tokenOf(key))).rejects.toMatchObject({ problem: { status: 503 } })
    expect(String(troubles[0])).toMatch(/ENOENT/)
  })
})

describe('scopes', () => {
  const identity = (...scopes: readonly string[]): Identity => ({
    subject: 'ada',
    permissions: scopes.map(parseScope).filter((permission) => permission !== undefined),
    expiresAtMs: Infinity,
  })

  test('allow nothing by default', () => {
    expect(allows(identity(), 'events:write', 'order.placed')).toBe(false)
    expect(statusOf(() => require(identity(), 'ops:read'))).toBe(403)
    expect(statusOf(() => requireSome(identity(), 'events:write'))).toBe(403)
  })

  test('with a pattern allow what begins like it, for its action alone', () => {
    const orders = identity('events:write:order.*')
    expect(allows(orders, 'events:write', 'order.placed')).toBe(true)
    expect(allows(orders, 'events:write', 'orders')).toBe(false)
    expect(allows(orders, 'events:write', 'payment.made')).toBe(false)
    expect(allows(orders, 'events:read', 'order.placed')).toBe(false)
    expect(allows(orders, 'events:write')).toBe(false)
  })

  test('without a pattern allow their action', () => {
    expect(allows(identity('metrics:read'), 'metrics:read')).toBe(true)
    expect(allows(identity('metrics:read'), 'ops:read')).toBe(false)
  })

  test('that lack are named', () => {
    expect(() => require(identity('metrics:read'), 'events:read', 'order.placed')).toThrow(/events:read:order\.placed/)
  })

  test('of some type are enough before the type is known', () => {
    expect(() => requireSome(identity('events:write:order.*'), 'events:write')).not.toThrow()
    expect(() => requireSome(identity('dlq:read:*'), 'events:read', 'dlq:read')).not.toThrow()
    expect(statusOf(() => requireSome(identity('metrics:read'), 'events:write'))).toBe(403)
  })
})
