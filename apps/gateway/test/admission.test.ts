import { parseScope } from '@millrace/core/scope'
import { createLogger } from '@millrace/service/logger'
import { expect, onTestFinished, test } from 'vitest'
import { admitRequests } from '../src/admission.ts'
import { createGatewayMetrics } from '../src/metrics.ts'
import { problem, ProblemError } from '../src/problem.ts'
import { createRateLimit } from '../src/rate-limit.ts'
import { createServer } from '../src/server.ts'

const everything = ['events:write:*', 'events:read:*', 'dlq:read:*', 'dlq:replay:*', 'catalog:read', 'catalog:write']
  .concat('metrics:read', 'ops:read')
  .flatMap((scope) => parseScope(scope) ?? [])

/** A server with a route of each kind, for tokens that allow everything, one thing or nothing. */
function server(isKnown: boolean) {
  const app = createServer(createGatewayMetrics(), createLogger('test', 'silent'))
  onTestFinished(() => app.close())
  const tokens = new Map([
    ['a.l.l', everything],
    ['o.n.e', [{ action: 'events:read', pattern: 'order.*' } as const]],
    ['n.o.t', []],
  ])
  let checks = 0
  const authenticate = (token = '') => {
    checks += 1
    const permissions = tokens.get(token)
    if (!permissions) return Promise.reject(new ProblemError(problem(401, 'no')))
    const identity = { subject: token, permissions, expiresAtMs: Infinity }
    return isKnown ? identity : Promise.resolve(identity)
  }
  admitRequests(app, authenticate, createRateLimit({ requestsPerSecond: 1_000, burst: 1_000 }))
  app.get('/forgetful', () => 'open')
  app.get('/public', { config: { access: 'public' } }, () => 'open')
  app.get('/any', { config: { access: 'any-token' } }, ({ identity }) => identity.subject)
  app.get('/readers', { config: { access: ['events:read', 'dlq:read'] } }, ({ identity }) => identity.subject)
  const status = async (url: string, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return (await app.inject({ url, headers })).statusCode
  }
  return { status, checks: () => checks }
}

test.each([
  ['/forgetful', [401, 403, 403, 403]],
  ['/any', [401, 200, 200, 200]],
  ['/readers', [401, 403, 200, 200]],
  ['/public', [200, 200, 200, 200]],
  ['/nowhere', [404, 404, 404, 404]],
])('%s is for whom it says, and a route that says nothing for nobody', async (url, expected) => {
  const tokens = [undefined, 'n.o.t', 'o.n.e', 'a.l.l']
  for (const isKnown of [false, true]) {
    const { status } = server(isKnown)
    expect(await Promise.all(tokens.map((token) => status(url, token)))).toEqual(expected)
  }
})

test('a check that fails for no reason lets nobody in', async () => {
  const app = createServer(createGatewayMetrics(), createLogger('test', 'silent'))
  onTestFinished(() => app.close())
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is what is tested
  const authenticate = () => Promise.reject(undefined)
  admitRequests(app, authenticate, createRateLimit({ requestsPerSecond: 1, burst: 1 }))
  app.get('/any', { config: { access: 'any-token' } }, () => 'open')
  expect((await app.inject({ url: '/any', headers: { authorization: 'Bearer a.b.c' } })).statusCode).toBe(500)
})

test('a token is checked once, and a bad one is refused wherever it is shown', async () => {
  const { status, checks } = server(false)
  expect(await status('/readers', 'a.l.l')).toBe(200)
  expect(checks()).toBe(1)
  expect(await status('/nowhere', 'b.a.d')).toBe(401)
})
