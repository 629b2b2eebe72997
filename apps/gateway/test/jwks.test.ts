import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createAuthentication } from '../src/authentication.ts'
import type { KeyTimes } from '../src/jwks.ts'
import { audience, issuer, issuerKey, keySetFile, tokenOf } from './issuer.ts'

const first = await issuerKey('first')
const second = await issuerKey('second')
const unauthorized = { problem: { status: 401 } }
const unavailable = { problem: { status: 503 } }

/** An issuer's web server that answers as it is told to. */
async function issuerServer(...keys: readonly object[]) {
  let asked = 0
  let listener: RequestListener = () => undefined
  const server = createServer((request, response) => {
    asked += 1
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const answer = (how: RequestListener) => (listener = how)
  const publish = (...published: readonly object[]) =>
    answer((_request, response) => response.end(JSON.stringify({ keys: published })))
  publish(...keys)
  return { url: `http://127.0.0.1:${portOf(server.address())}/jwks.json`, answer, publish, asked: () => asked }
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address ? address.port : 0
}

function authentication(jwksUrl: string, times: Partial<KeyTimes> = {}) {
  const troubles: string[] = []
  const authenticate = createAuthentication({ issuer, audience, jwksUrl }, (what) => troubles.push(what), times)
  return { authenticate, troubles }
}

/** Lets `ms` pass for the gateway, without waiting for them. */
function later(ms: number): void {
  const now = performance.now() + ms
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
}

describe('keys from a URL', () => {
  test('are fetched once for many tokens', async () => {
    const server = await issuerServer(first.jwk)
    const { authenticate } = authentication(server.url)
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, n) => tokenOf(first, { sub: `s${n}` })))
    await Promise.all(tokens.map(async (token) => authenticate(token)))
    expect(server.asked()).toBe(1)
  })

  test('rotate while many requests come, and none of them is refused', async () => {
    const server = await issuerServer(first.jwk)
    const { authenticate } = authentication(server.url, { cooldownMs: 1 })
    const keys = await Promise.all(Array.from({ length: 8 }, (_, n) => issuerKey(`rotated-${n}`)))
    const sets = [first, ...keys]
    const statuses: string[] = []
    for (const [n, key] of sets.entries()) {
      // As issuers do: the key before stays published while tokens of it live.
      const before = sets[n - 1] ?? key
      server.publish(key.jwk, before.jwk)
      const tokens = await Promise.all(
        Array.from({ length: 250 }, (_, number) => tokenOf(number % 2 ? key : before, { sub: `s${number % 40}` })),
      )
      statuses.push(
        ...(await Promise.allSettled(tokens.map(async (token) => authenticate(token)))).map(({ status }) => status),
      )
    }
    expect(statuses).toHaveLength(2_250)
    expect(statuses.filter((status) => status === 'rejected')).toHaveLength(0)
    expect(server.asked()).toBeLessThanOrEqual(2 * sets.length)
  })

  test('are looked for again at most once a cooldown, however many tokens name a kid that nobody has', async () => {
    const server = await issuerServer(first.jwk)
    const { authenticate } = authentication(server.url)
    const unknown = await Promise.all(Array.from({ length: 100 }, (_, n) => tokenOf({ ...second, kid: `nobody-${n}` })))
    const settled = await Promise.allSettled(unknown.map(async (token) => authenticate(token)))
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true)
    expect(server.asked()).toBe(2) // the keys, and one look for what they lack
    later(11_000)
    await expect(authenticate(unknown[0])).rejects.toMatchObject(unauthorized)
    await expect(authenticate(unknown[1])).rejects.toMatchObject(unauthorized)
    expect(server.asked()).toBe(3)
  })

  test('are found though they were published just after the keys were read', async () => {
    const server = await issuerServer(first.jwk)
    const { authenticate } = authentication(server.url)
    await authenticate(await tokenOf(first))
    server.publish(first.jwk, second.jwk)
    expect(await authenticate(await tokenOf(second))).toMatchObject({ subject: 'ada' })
  })

  test('that the issuer takes back end, with what was verified by them', async () => {
    const server = await issuerServer(first.jwk, second.jwk)
    const { authenticate } = authentication(server.url)
    const [revoked, kept] = [await tokenOf(first), await tokenOf(second)]
    await Promise.all([authenticate(revoked), authenticate(kept)])
    server.publish(second.jwk)
    later(301_000)
    await vi.waitFor(() => expect(authenticate(revoked)).rejects.toMatchObject(unauthorized))
    expect(await authenticate(kept)).toMatchObject({ subject: 'ada' })
  })
})

describe('while the issuer is', () => {
  const outages: readonly [string, RequestListener][] = [
    ['gone', (request) => request.socket.destroy()],
    ['failing', (_request, response) => response.writeHead(500).end('{"keys":[]}')],
    ['sending something else', (_request, response) => response.end('<html>')],
    ['sending JSON that is no key set', (_request, response) => response.end('{"keys":{}}')],
    ['sending too much', (_request, response) => response.end(JSON.stringify({ keys: [], more: 'x'.repeat(300_000) }))],
    ['sending without an end', (_request, response) => endless(response)],
    [
      'sending more keys than an issuer has',
      (_request, response) => response.end(JSON.stringify({ keys: Array(101).fill(first.jwk) })),
    ],
    [
      'sending us elsewhere',
      (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['not answering', () => undefined],
    ['trickling', (_request, response) => response.write('{"keys":')],
  ]
  function endless(response: Parameters<RequestListener>[1]): void {
    while (response.write('x'.repeat(16_384)));
    response.once('drain', () => endless(response))
  }

  test.each(outages)('%s, known keys stay good until they are too old, and then it is 503', async (_what, how) => {
    const server = await issuerServer(first.jwk)
    const { authenticate, troubles } = authentication(server.url, { timeoutMs: 200, cooldownMs: 0 })
    const known = await tokenOf(first)
    await authenticate(known)
    server.answer(how)
    later(310_000)
    expect(await authenticate(known)).toMatchObject({ subject: 'ada' })
    expect(await authenticate(await tokenOf(first, { sub: 'bob' }))).toMatchObject({ subject: 'bob' })
    await expect(authenticate(await tokenOf(second))).rejects.toMatchObject(unauthorized)
    later(3_700_000)
    await expect(authenticate(known)).rejects.toMatchObject(unavailable)
    expect(troubles).toHaveLength(1)
    server.publish(first.jwk)
    later(1)
    expect(await authenticate(known)).toMatchObject({ subject: 'ada' })
  })

  test.each(outages)('%s from the start, it is 503', async (_what, how) => {
    const server = await issuerServer()
    server.answer(how)
    const { authenticate } = authentication(server.url, { timeoutMs: 200 })
    await expect(authenticate(await tokenOf(first))).rejects.toMatchObject(unavailable)
  })
})

describe('a key that is', async () => {
  const rsa = async (modulusLength: number) => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { modulusLength, extractable: true })
    return { privateKey, jwk: await exportJWK(publicKey) }
  }
  const long = await rsa(2_048)
  const privateJwk = await exportJWK(first.privateKey)
  const p256 = first.jwk
  const curveOf = async (alg: string) => (await issuerKey('curve', alg)).jwk

  test.each([
    ['symmetric', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }],
    ['private', privateJwk],
    ['for encryption', { ...p256, use: 'enc' }],
    ['for another operation', { ...p256, key_ops: ['encrypt'] }],
    ['on a curve that is not ours', { ...(await curveOf('ES512')), alg: undefined }],
    ['said to be on another curve', { ...p256, crv: 'P-384' }],
    ['not on its curve', { ...p256, x: p256.y, y: p256.x }],
    ['for an algorithm of another family', { ...p256, alg: 'RS256' }],
    ['for none', { ...p256, alg: 'none' }],
    ['an RSA key with the exponent 1', { ...long.jwk, e: 'AQ' }],
    ['an RSA key with the exponent 3', { ...long.jwk, e: 'Aw' }],
    ['an RSA key of one byte', { kty: 'RSA', n: 'AQ', e: 'AQAB' }],
    ['without numbers', { kty: 'EC', crv: 'P-256' }],
    ['no object', 'key'],
  ])('%s is not used, and the others of its set are', async (_what, jwk) => {
    const weak = typeof jwk === 'string' ? {} : { ...jwk, kid: 'weak' }
    const { file } = await keySetFile(weak, second.jwk)
    const troubles: string[] = []
    const authenticate = createAuthentication({ issuer, audience, jwksFile: file }, (what) => troubles.push(what))
    expect(await authenticate(await tokenOf(second))).toMatchObject({ subject: 'ada' })
    await expect(authenticate(await tokenOf({ ...first, kid: 'weak' }))).rejects.toMatchObject(unauthorized)
    expect(troubles).toEqual([expect.stringMatching(/^a key of the issuer is not used: /)])
  })

  test('named by the kid of another and comes after it does not take its place', async () => {
    const { file } = await keySetFile(first.jwk, { ...second.jwk, kid: 'first' })
    const authenticate = createAuthentication({ issuer, audience, jwksFile: file })
    expect(await authenticate(await tokenOf(first))).toMatchObject({ subject: 'ada' })
    await expect(authenticate(await tokenOf({ ...second, kid: 'first' }))).rejects.toMatchObject(unauthorized)
  })
})
