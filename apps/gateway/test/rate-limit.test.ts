import { createLogger } from '@millrace/service/logger'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { admitRequests } from '../src/admission.ts'
import { createGatewayMetrics } from '../src/metrics.ts'
import { problem, ProblemError } from '../src/problem.ts'
import { createRateLimit, type RateLimitOptions } from '../src/rate-limit.ts'
import { createServer } from '../src/server.ts'

function clock() {
  let now = 1_000
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
  return { pass: (ms: number) => (now += ms) }
}

describe('a bucket', () => {
  test('gives its burst at once, then what is refilled', () => {
    const { pass } = clock()
    const { take } = createRateLimit({ requestsPerSecond: 2, burst: 3 })
    const taken = () => take('ada').allowed
    expect([taken(), taken(), taken(), taken()]).toEqual([true, true, true, false])
    pass(500)
    expect([taken(), taken()]).toEqual([true, false])
    pass(3_600_000)
    expect([taken(), taken(), taken(), taken()]).toEqual([true, true, true, false])
  })

  test('tells what is left and when all of it is there again', () => {
    const { pass } = clock()
    const { take } = createRateLimit({ requestsPerSecond: 2, burst: 10 })
    expect(take('ada')).toEqual({ allowed: true, remaining: 9, resetSeconds: 1 })
    for (let n = 0; n < 9; n += 1) take('ada')
    expect(take('ada')).toEqual({ allowed: false, remaining: 0, resetSeconds: 5 })
    pass(2_000)
    expect(take('ada')).toEqual({ allowed: true, remaining: 3, resetSeconds: 4 })
  })

  test('belongs to one subject', () => {
    clock()
    const { take } = createRateLimit({ requestsPerSecond: 1, burst: 1 })
    expect([take('ada').allowed, take('ada').allowed, take('bob').allowed]).toEqual([true, false, true])
    expect(take('__proto__').allowed).toBe(true)
  })

  test('is forgotten when there are too many subjects, so that memory is bounded', () => {
    clock()
    const { take } = createRateLimit({ requestsPerSecond: 1, burst: 1 })
    take('ada')
    for (let n = 0; n < 10_000; n += 1) take(`s${n}`)
    expect(take('s9999').allowed).toBe(false)
    expect(take('ada').allowed).toBe(true)
  })
})

describe('a request', () => {
  function server(options: RateLimitOptions) {
    const app = createServer(createGatewayMetrics(), createLogger('test', 'silent'))
    onTestFinished(() => app.close())
    const subjects = new Map([
      ['a.d.a', 'ada'],
      ['b.o.b', 'bob'],
    ])
    const authenticate = (token = '') => {
      const subject = subjects.get(token)
      return subject === undefined
        ? Promise.reject(new ProblemError(problem(401, 'no')))
        : Promise.resolve({ subject, permissions: [], expiresAtMs: Infinity })
    }
    admitRequests(app, authenticate, createRateLimit(options))
    app.get('/', { config: { access: 'any-token' } }, ({ identity }) => identity.subject)
    app.get('/public', { config: { access: 'public' } }, () => 'all')
    return (token: string, url = '/') => app.inject({ url, headers: { authorization: `Bearer ${token}` } })
  }

  test('is told the policy and what is left of it, whatever its answer', async () => {
    clock()
    const get = server({ requestsPerSecond: 10, burst: 100 })
    const answer = await get('a.d.a')
    expect(answer.body).toBe('ada')
    expect(answer.headers).toMatchObject({
      'ratelimit-policy': '"default";q=100;w=10',
      ratelimit: '"default";r=99;t=1',
    })
    expect((await get('a.d.a', '/none')).headers).toMatchObject({ ratelimit: '"default";r=98;t=1' })
    expect((await get('b.o.b')).headers).toMatchObject({ ratelimit: '"default";r=99;t=1' })
  })

  test('beyond the rate is a problem that says when to come again', async () => {
    const { pass } = clock()
    const get = server({ requestsPerSecond: 1, burst: 2 })
    await get('a.d.a')
    await get('a.d.a')
    const refused = await get('a.d.a')
    expect(refused.statusCode).toBe(429)
    expect(refused.headers).toMatchObject({ ratelimit: '"default";r=0;t=2', 'retry-after': '2' })
    expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect((await get('b.o.b')).statusCode).toBe(200)
    pass(2_000)
    expect((await get('a.d.a')).statusCode).toBe(200)
  })

  test('with a bad token is 401 on any route but a public one, and charged to nobody', async () => {
    clock()
    const get = server({ requestsPerSecond: 1, burst: 1 })
    for (const url of ['/', '/none']) {
      const answer = await get('e.v.e', url)
      expect(answer.statusCode).toBe(401)
      expect(answer.headers).not.toHaveProperty('ratelimit')
    }
    expect((await get('e.v.e', '/public')).statusCode).toBe(200)
    expect((await get('a.d.a', '/public')).headers).not.toHaveProperty('ratelimit')
    expect((await get('a.d.a')).statusCode).toBe(200)
  })
})
