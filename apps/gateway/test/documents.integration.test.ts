import { isJsonObject } from '@millrace/core/json'
import { stack } from '@millrace/testkit/fixture'
import { describe, expect, test } from 'vitest'
import { operations } from '../src/documents/operations.ts'
import { get, problemOf } from './api.ts'

const { gatewayUrl } = stack()

async function document(path: string): Promise<Record<string, unknown>> {
  const answer = await get(path)
  expect(answer.status).toBe(200)
  const body: unknown = await answer.json()
  return isJsonObject(body) ? body : {}
}

describe('/openapi.json', () => {
  test('describes the routes that are there, and no other', async () => {
    const { paths } = await document('/openapi.json')
    const described = Object.entries(isJsonObject(paths) ? paths : {}).flatMap(([path, methods]) =>
      Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    )
    expect(described.toSorted()).toEqual(Object.keys(operations).toSorted())
  })

  test('has the schema of each JSON event type of the catalog', async () => {
    expect(await document('/openapi.json')).toHaveProperty([
      'components',
      'schemas',
      'data.order.placed',
      'properties',
      'customer',
    ])
  })
})

test('/asyncapi.json has a channel for each topic', async () => {
  const { channels } = await document('/asyncapi.json')
  expect(channels).toMatchObject({ 'kafka.order.placed': { address: 'order.placed' }, 'stream.spend-per-customer': {} })
})

test.each(['/openapi.json', '/asyncapi.json'])('%s needs a token', async (path) => {
  await problemOf(await fetch(`${gatewayUrl}${path}`), 401)
})

test('the page and its script need none, and the page runs no script but its own', async () => {
  const page = await fetch(`${gatewayUrl}/docs`)
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
  const script = await fetch(`${gatewayUrl}/docs/docs.js`)
  expect(script.headers.get('content-type')).toContain('text/javascript')
})
