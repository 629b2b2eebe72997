import { signals } from '@millrace/core/signals'
import { stack } from '@millrace/testkit/fixture'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { accepted, bearer, get, order, post, problemOf } from './api.ts'

const { gatewayUrl } = stack()
const healthShape = z.strictObject({
  status: z.enum(['up', 'down']),
  checkedAt: z.iso.datetime(),
  dependencies: z.array(z.strictObject({ name: z.string(), state: z.enum(['up', 'down']), latencyMs: z.number() })),
})

describe('health', () => {
  test.each(['/health/live', '/health/ready', '/docs'])('%s asks nothing of a token that is no more', async (path) => {
    const headers = { authorization: 'Bearer a.b.c' }
    expect((await fetch(`${gatewayUrl}${path}`, { headers })).status).toBe(200)
  })

  test.each(['/health/live', '/health/ready'])('%s needs no token', async (path) => {
    const answer = await fetch(`${gatewayUrl}${path}`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'up' })
  })

  test('names each dependency with its state and latency, to who may see it', async () => {
    const answer = await get('/health', 'ops:read')
    expect(answer.status).toBe(200)
    const { status, dependencies } = healthShape.parse(await answer.json())
    expect(status).toBe('up')
    expect(dependencies.map(({ name, state }) => `${name} ${state}`)).toEqual(['kafka up', 'registry up'])
    for (const { latencyMs } of dependencies) expect(latencyMs).toBeGreaterThan(0)
    await problemOf(await fetch(`${gatewayUrl}/health`), 401)
    await problemOf(await get('/health', 'metrics:read', 'events:read:*'), 403)
  })
})

describe('metrics', () => {
  const value = (body: string, sample: string) =>
    Number(
      body
        .split('\n')
        .find((line) => line.startsWith(sample))
        ?.slice(sample.length) ?? 0,
    )
  const metrics = async () => (await get('/metrics', 'metrics:read')).text()

  test('are Prometheus text, with every signal of the gateway that the catalogue names', async () => {
    const answer = await get('/metrics', 'metrics:read')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
    const body = await answer.text()
    for (const { name, kind, meaning } of Object.values(signals)) {
      if (/^(kafka|millrace_ledger|millrace_handler)_/.test(name)) continue // the monitor's, and the workers'
      expect(body).toContain(`# HELP ${name} ${meaning}\n# TYPE ${name} ${kind}\n`)
    }
    expect(body).toContain('nodejs_eventloop_lag_seconds')
  })

  test('need a scope of their own', async () => {
    await problemOf(await fetch(`${gatewayUrl}/metrics`), 401)
    await problemOf(await get('/metrics', 'ops:read'), 403)
  })

  test('count what was accepted and refused, and measure requests by route', async () => {
    const before = await metrics()
    await accepted(order())
    await problemOf(await post(order({}, { amount: 'much' })), 422)
    const after = await metrics()
    const grown = (sample: string) => value(after, sample) - value(before, sample)
    expect(grown('millrace_events_accepted_total{type="order.placed"}')).toBe(1)
    expect(grown('millrace_events_rejected_total{reason="422"}')).toBe(1)
    expect(grown('millrace_produce_duration_seconds_count')).toBe(1)
    const requests = 'http_server_request_duration_seconds_count{method="POST",route="/v1/events",status='
    expect(grown(`${requests}"201"}`)).toBe(1)
    expect(grown(`${requests}"422"}`)).toBe(1)
  })
})

describe('a request for what there is not', () => {
  test.each(['/', '/v1', '/v1/events/', '/v1/nothing', '/healthz'])('is a problem: %s', async (path) => {
    await problemOf(await fetch(`${gatewayUrl}${path}`), 404)
  })

  test.each([
    ['DELETE', '/v1/events', 'GET, HEAD, POST'],
    ['PUT', '/v1/events/latest', 'GET, HEAD'],
    ['POST', '/health/live', 'GET, HEAD'],
    ['DELETE', '/v1/event-types/order.placed', 'GET, HEAD, PUT'],
  ])('%s %s is told which methods there are', async (method, path, allow) => {
    const answer = await fetch(`${gatewayUrl}${path}`, { method, headers: await bearer('events:write:*') })
    expect(answer.headers.get('allow')).toBe(allow)
    await problemOf(answer, 405)
  })

  test('is a problem though its URL cannot be read', async () => {
    await problemOf(await fetch(`${gatewayUrl}/v1/event-types/%zz`), 400)
  })
})
