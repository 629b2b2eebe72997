import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { isJsonObject } from '@millrace/core/json'
import { stack } from '@millrace/testkit/fixture'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { operations } from '../src/documents/operations.ts'
import { get, problemOf } from './api.ts'
import { attributeOf, byId, elementsOf, parseHtml, rawText } from './html.ts'

const { gatewayUrl, token } = stack()
const run = promisify(execFile)
const failed = z.object({ code: z.literal(28), stdout: z.string() })

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

test.each(['/openapi.json', '/asyncapi.json', '/docs/reference'])('%s needs a token', async (path) => {
  await problemOf(await fetch(`${gatewayUrl}${path}`), 401)
})

test('the page, its style and its script need none, and the page has no script and no style but its own', async () => {
  const page = await fetch(`${gatewayUrl}/docs`)
  expect(page.status).toBe(200)
  const policy = page.headers.get('content-security-policy')
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
  expect(policy).not.toContain('unsafe')
  const script = await fetch(`${gatewayUrl}/docs/docs.js`)
  expect(script.headers.get('content-type')).toContain('text/javascript')
  const style = await fetch(`${gatewayUrl}/docs/docs.css`)
  expect(style.headers.get('content-type')).toContain('text/css')
})

describe('what /docs/reference offers to paste', () => {
  test('publishes with curl and with TypeScript, and streams what was published', async () => {
    const answer = await get('/docs/reference')
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const section = byId(parseHtml(await answer.text()), 'type-order.placed')
    const [curl = '', program = '', stream = ''] = elementsOf(section, 'pre')
      .filter((block) => attributeOf(block, 'data-copy') !== undefined)
      .map(rawText)
    const MILLRACE_TOKEN = await token('events:write:*', 'events:read:*')
    const env = {
      PATH: dirname(process.execPath) + ':/usr/local/bin:/usr/bin:/bin',
      MILLRACE_URL: gatewayUrl,
      MILLRACE_TOKEN,
    }
    const published = await run('sh', ['-c', curl], { env })
    expect(JSON.parse(published.stdout)).toMatchObject({ status: 'accepted', type: 'order.placed' })
    const typed = await run(process.execPath, ['--input-type=module-typescript', '--eval', program], { env })
    expect(typed.stdout).toContain("status: 'accepted'")
    // curl ends with 28 where the stream outlasts the time that it is given. Other tests may have filled the topic.
    const limited = stream.replace('curl ', 'curl --silent --max-time 5 ')
    const followed = await run('sh', ['-c', limited], { env, maxBuffer: 256 * 1_048_576 }).catch((error: unknown) =>
      failed.parse(error),
    )
    expect(followed.stdout).toContain('"source":"/docs/example"')
  })
})
