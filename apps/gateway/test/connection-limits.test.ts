import { connect } from 'node:net'
import { createLogger } from '@millrace/service/logger'
import { exchange } from '@millrace/testkit/raw-http'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { admitRequests } from '../src/admission.ts'
import type { ConnectionLimits } from '../src/connection-limits.ts'
import { createGatewayMetrics } from '../src/metrics.ts'
import { problem, ProblemError } from '../src/problem.ts'
import { createRateLimit } from '../src/rate-limit.ts'
import { createServer } from '../src/server.ts'

/** A server with a route that reads a body. */
async function server(limits: Partial<ConnectionLimits> = {}) {
  const metrics = createGatewayMetrics()
  const app = createServer(metrics, createLogger('test', 'silent'), { limits: { checkMs: 50, ...limits } })
  onTestFinished(() => app.close())
  const authenticate = (token: string | undefined) =>
    token === 'good.token.here'
      ? Promise.resolve({ subject: 'ada', permissions: [], expiresAtMs: Infinity })
      : Promise.reject(new ProblemError(problem(401, 'no')))
  admitRequests(app, authenticate, createRateLimit({ requestsPerSecond: 1_000, burst: 1_000 }))
  const bodies: string[] = []
  app.post('/events', { bodyLimit: 1_000, config: { access: 'any-token' } }, ({ body }) => {
    bodies.push(String(body))
    return 'taken'
  })
  app.get('/events', { config: { access: 'public' } }, () => 'here')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, bodies, metrics, connections: () => countOf(app.server) }
}

function countOf(counted: {
  getConnections: (told: (error: Error | null, count: number) => void) => void
}): Promise<number> {
  return new Promise((resolve) => {
    counted.getConnections((_error, count) => resolve(count))
  })
}

const authorized = 'host: a\r\nauthorization: Bearer good.token.here\r\n'
const post = (headers: string, body: string) => `POST /events HTTP/1.1\r\n${authorized}${headers}\r\n${body}`

describe('a request whose framing can be read in two ways is refused, and nothing behind it is run:', () => {
  const smuggled = 'GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n'
  test.each([
    ['a length beside chunks', post('content-length: 5\r\ntransfer-encoding: chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['chunks beside a length', post('transfer-encoding: chunked\r\ncontent-length: 5\r\n', `0\r\n\r\n${smuggled}`)],
    ['two lengths', post('content-length: 5\r\ncontent-length: 6\r\n', `hello${smuggled}`)],
    ['two equal lengths', post('content-length: 5\r\ncontent-length: 5\r\n', `hello${smuggled}`)],
    ['a list of lengths', post('content-length: 5, 5\r\n', `hello${smuggled}`)],
    ['a length with a sign', post('content-length: +5\r\n', `hello${smuggled}`)],
    ['a negative length', post('content-length: -5\r\n', smuggled)],
    ['a length in hexadecimal', post('content-length: 0x5\r\n', `hello${smuggled}`)],
    ['a length that overflows', post('content-length: 18446744073709551621\r\n', `hello${smuggled}`)],
    ['a space before a colon', post('content-length : 5\r\n', `hello${smuggled}`)],
    ['a space before chunks’ colon', post('transfer-encoding : chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a folded header', post('transfer-encoding:\r\n chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a folded value', post('x-a: 1\r\n 2\r\ncontent-length: 5\r\n', `hello${smuggled}`)],
    ['chunks twice', post('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['chunks and identity', post('transfer-encoding: chunked, identity\r\n', `0\r\n\r\n${smuggled}`)],
    ['identity alone', post('transfer-encoding: identity\r\n', smuggled)],
    ['gzip before chunks', post('transfer-encoding: gzip, chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a coding that is almost chunks', post('transfer-encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a coding with a vertical tab', post('transfer-encoding: \x0bchunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a coding in quotes', post('transfer-encoding: "chunked"\r\n', `0\r\n\r\n${smuggled}`)],
    ['a chunk size that is no number', post('transfer-encoding: chunked\r\n', `xyz\r\n${smuggled}`)],
    ['a chunk size with 0x', post('transfer-encoding: chunked\r\n', `0x5\r\nhello\r\n0\r\n\r\n${smuggled}`)],
    ['a chunk size with a sign', post('transfer-encoding: chunked\r\n', `+5\r\nhello\r\n0\r\n\r\n${smuggled}`)],
    [
      'a chunk size that overflows',
      post('transfer-encoding: chunked\r\n', `ffffffffffffffff5\r\nhello\r\n0\r\n\r\n${smuggled}`),
    ],
    ['a chunk longer than it says', post('transfer-encoding: chunked\r\n', `3\r\nhello\r\n0\r\n\r\n${smuggled}`)],
    ['a chunk that ends in LF alone', post('transfer-encoding: chunked\r\n', `5\nhello\n0\n\n${smuggled}`)],
    [
      'lines that end in LF alone',
      `POST /events HTTP/1.1\n${authorized.replaceAll('\r', '')}content-length: 5\n\nhello${smuggled}`,
    ],
    ['lines that end in CR alone', post('x-a: 1\rcontent-length: 5\r\n', `hello${smuggled}`)],
    ['a NUL in a header', post('x-a: \0\r\ncontent-length: 5\r\n', `hello${smuggled}`)],
    ['a space in a header name', post('x a: 1\r\ncontent-length: 5\r\n', `hello${smuggled}`)],
    ['a header without a name', post(': 1\r\ncontent-length: 5\r\n', `hello${smuggled}`)],
    ['a header without a colon', post('nothing\r\ncontent-length: 5\r\n', `hello${smuggled}`)],
    ['two hosts', `POST /events HTTP/1.1\r\nhost: b\r\n${authorized}content-length: 5\r\n\r\nhello`],
    ['no host', 'GET /events HTTP/1.1\r\n\r\n'],
    ['an empty host', 'GET /events HTTP/1.1\r\nhost:\r\n\r\n'],
    ['a host with a path', 'GET /events HTTP/1.1\r\nhost: a/b\r\n\r\n'],
    ['a host with a user', 'GET /events HTTP/1.1\r\nhost: a@b\r\n\r\n'],
    [
      'chunks in HTTP/1.0',
      `POST /events HTTP/1.0\r\n${authorized}transfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version of two digits', 'GET /events HTTP/1.10\r\nhost: a\r\n\r\n'],
    ['HTTP/0.9', 'GET /events\r\n\r\n'],
    ['a protocol that is not HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a method that is none', 'G3T /events HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['a target with a space', 'GET /events HTTP/1.1 HTTP/1.1\r\nhost: a\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    const { url, bodies } = await server()
    const { statuses, text } = await exchange(url, bytes, { deadlineMs: 500 })
    expect(statuses[0]).toBe(400)
    expect(text).toContain('application/problem+json')
    expect(statuses.filter((status) => status !== 400)).toEqual([])
    expect(bodies).toEqual([])
  })
})

describe('a connection', () => {
  test('takes requests one after another, sent at once, and answers in their order', async () => {
    const { url, bodies } = await server()
    const bytes =
      post('content-length: 3\r\n', 'one') +
      'GET /none HTTP/1.1\r\nhost: a\r\n\r\n' +
      post('content-length: 3\r\n', 'two')
    const { statuses } = await exchange(url, bytes, { answers: 3 })
    expect(statuses).toEqual([200, 404, 200])
    expect(bodies).toEqual(['one', 'two'])
  })

  test('speaks HTTP/1.0, and ends with its answer', async () => {
    const { url } = await server()
    expect(await exchange(url, 'GET /events HTTP/1.0\r\n\r\n')).toMatchObject({ statuses: [200], closed: true })
  })

  test.each([
    ['bytes of headers', `GET /events HTTP/1.1\r\nhost: a\r\nx-a: ${'a'.repeat(40_000)}\r\n\r\n`],
    ['bytes of target', `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nhost: a\r\n\r\n`],
    ['headers', `GET /events HTTP/1.1\r\nhost: a\r\n${'x: 1\r\n'.repeat(101)}\r\n`],
    ['headers by far', `GET /events HTTP/1.1\r\nhost: a\r\n${'x: 1\r\n'.repeat(3_000)}\r\n`],
  ])('with too many %s is told 431', async (_what, bytes) => {
    const { url } = await server()
    const { statuses, text } = await exchange(url, bytes, { answers: 1 })
    expect(statuses).toEqual([431])
    expect(text).toContain('application/problem+json')
    expect(text).toContain('cache-control: no-store')
    expect(text).toContain('x-content-type-options: nosniff')
  })

  test.each([
    ['headers', 'GET /events HTTP/1.1\r\n', 'x: 1\r\n'],
    ['a request line', 'GET /', 'a'],
    ['a body', post('content-length: 500\r\n', ''), 'a'],
    ['chunks', post('transfer-encoding: chunked\r\n', ''), '1\r\na\r\n'],
  ])('that brings %s byte by byte is told 408 and closed when its time is up', async (_what, begin, part) => {
    const { url, metrics } = await server({ headersTimeoutMs: 400, requestTimeoutMs: 600 })
    const trickle = { parts: Array<string>(200).fill(part), pauseMs: 25 }
    const since = performance.now()
    expect(await exchange(url, begin, { trickle })).toMatchObject({ statuses: [408], closed: true })
    expect(performance.now() - since).toBeLessThan(2_500)
    expect((await metrics.exposition()).body).toContain('millrace_connections_refused_total{reason="too-slow"} 1')
  })

  test('that says nothing at all is closed when the time for headers is up', async () => {
    const { url } = await server({ headersTimeoutMs: 300, requestTimeoutMs: 600 })
    expect(await exchange(url, '', { deadlineMs: 5_000 })).toMatchObject({ closed: true })
  })

  test('beyond the bound is closed at once, and the others go on', async () => {
    const { url, metrics, connections } = await server({ connectionsMax: 3 })
    const { hostname, port } = new URL(url)
    const open = [1, 2, 3].map(() => connect({ host: hostname, port: Number(port) }))
    onTestFinished(() => open.forEach((socket) => socket.destroy()))
    await vi.waitUntil(async () => (await connections()) === 3)
    expect(await exchange(url, 'GET /events HTTP/1.1\r\nhost: a\r\n\r\n')).toMatchObject({ statuses: [], closed: true })
    expect((await metrics.exposition()).body).toContain('refused_total{reason="too-many-connections"} 1')
    open[0]?.destroy()
    await vi.waitUntil(async () => (await connections()) === 2)
    expect(await exchange(url, 'GET /events HTTP/1.1\r\nhost: a\r\n\r\n', { answers: 1 })).toMatchObject({
      statuses: [200],
    })
  })

  test('is closed after as many requests as it may bring, with its last answer', async () => {
    const { url } = await server({ requestsPerConnectionMax: 3 })
    const one = 'GET /events HTTP/1.1\r\nhost: a\r\n\r\n'
    const { statuses, closed, text } = await exchange(url, one.repeat(3))
    expect([statuses, closed]).toEqual([[200, 200, 200], true])
    expect(text.match(/connection: close/gi)).toHaveLength(1)
  })

  test('whose bytes after a request are no HTTP is closed without a word while that request is answered', async () => {
    const { url } = await server()
    const { statuses } = await exchange(url, `${post('content-length: 3\r\n', 'one')}\0\0\0\0`)
    expect(statuses.filter((status) => status !== 200)).toEqual([])
  })
})

describe('a client that waits for 100 Continue', () => {
  const expecting = (authorization: string, length = 5) =>
    `POST /events HTTP/1.1\r\nhost: a\r\n${authorization}expect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`
  const good = 'authorization: Bearer good.token.here\r\n'

  test('gets it once its token is good, and then its answer', async () => {
    const { url, bodies } = await server()
    const trickle = { parts: ['hello'], pauseMs: 100 }
    expect(await exchange(url, expecting(good), { trickle, answers: 2 })).toMatchObject({ statuses: [100, 200] })
    expect(bodies).toEqual(['hello'])
  })

  test.each([
    ['without a token', expecting(''), 401],
    ['with a bad token', expecting('authorization: Bearer a.b.c\r\n'), 401],
    ['with too large a body', expecting(good, 5_000), 413],
    ['and for something else', expecting(good).replace('100-continue', 'the-unexpected'), 417],
  ])('%s gets its answer at once, and the connection ends', async (_what, bytes, status) => {
    const { url } = await server()
    const { statuses, text, closed } = await exchange(url, bytes)
    expect([statuses, closed]).toEqual([[status], true])
    expect(text).toContain('application/problem+json')
  })
})

describe('a method', () => {
  test.each([
    ['TRACE', '/events', 405],
    ['OPTIONS', '/events', 405],
    ['OPTIONS', '*', 404],
    ['PROPFIND', '/events', 405],
    ['QUERY', '/events', 405],
    ['CONNECT', 'a:443', 405],
    ['GET', 'http://a/events', 200],
  ])('%s %s is answered with %i', async (method, target, status) => {
    const { url } = await server()
    const { statuses, text } = await exchange(url, `${method} ${target} HTTP/1.1\r\nhost: a\r\n\r\n`, { answers: 1 })
    expect(statuses).toEqual([status])
    if (status !== 200) expect(text).toContain('application/problem+json')
  })

  test('HEAD is answered as GET is, without a body', async () => {
    const { url } = await server()
    const { text } = await exchange(url, 'HEAD /events HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*content-length: 4\r\n[^]*\r\n\r\n$/)
  })

  test('an upgrade to what there is not is passed over', async () => {
    const { url, bodies } = await server()
    const upgrade = 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\ncontent-length: 5\r\n'
    expect(await exchange(url, post(upgrade, 'hello'), { answers: 1 })).toMatchObject({ statuses: [200] })
    expect(bodies).toEqual(['hello'])
  })
})

test('two Authorization headers are no token', async () => {
  const { url } = await server()
  const twice = post('authorization: Bearer good.token.here\r\ncontent-length: 5\r\n', 'hello')
  expect(await exchange(url, twice, { answers: 1 })).toMatchObject({ statuses: [401] })
})

test('every answer says that it is not to be kept nor guessed at', async () => {
  const { url } = await server()
  for (const target of ['/events', '/none', '/%zz']) {
    const answer = await fetch(url + target)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  }
})
