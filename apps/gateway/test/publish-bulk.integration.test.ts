import { request } from 'node:http'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { batchShape, batched, bearer, bulk, get, latestShape, order, post, problemOf } from './api.ts'
import { makeFreeType } from './free-type.ts'

const { gatewayUrl } = stack()
const type = 'gateway-bulk.made'
beforeAll(() => makeFreeType(type, '/key'))

const event = (id: string, data: unknown = { key: id }) => ({ ...order({ type, id }), data })
const lines = (...values: unknown[]) =>
  values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n')

async function load(body: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
  const answer = await post(body, { contentType: bulk, headers })
  return { status: answer.status, body: batchShape.parse(await answer.json()) }
}

async function storedIds(): Promise<unknown[]> {
  const answer = await get(`/v1/events/latest?type=${type}&limit=1000`, 'events:read:*')
  return latestShape.parse(await answer.json()).events.map((item) => item.event['id'])
}

describe('a bulk load', () => {
  test('is answered line by line, in order, and one bad line never stops the others', async () => {
    const { status, body } = await load(
      lines(
        event('one'),
        '',
        '{',
        order({ id: 'misfit' }, { amount: 'much' }),
        '  ',
        event('one'),
        [event('x')],
        event('two'),
      ),
    )
    expect(status).toBe(207)
    expect(body).toMatchObject({ accepted: 3, rejected: 3, unconfirmed: 0 })
    expect(body.results.map(({ index, id, status, problem }) => [index, id, problem?.status ?? status])).toEqual([
      [0, 'one', 'accepted'],
      [1, null, 400],
      [2, 'misfit', 422],
      [3, 'one', 'duplicate'],
      [4, null, 400],
      [5, 'two', 'accepted'],
    ])
  })

  test('takes more events than a batch may have, in the order of the request', async () => {
    const ids = Array.from({ length: 3_000 }, (_, index) => `many ${index}`)
    const { status, body } = await load(`${lines(...ids.map((id) => event(id, { key: 'same' })))}\n`)
    expect(status).toBe(200)
    expect(body.results.map(({ id }) => id)).toEqual(ids)
    const offsets = body.results.map(({ offset = -1 }) => offset)
    expect(offsets).toEqual(offsets.toSorted((one, other) => one - other))
  })

  test('refuses the lines past its bound, and events that are too large, by themselves', async () => {
    const over = await load(lines(event('first'), ...Array.from({ length: 9_999 }, () => '{}'), event('beyond'), '{'))
    expect(over.status).toBe(207)
    expect(over.body.results.length).toBe(10_002)
    expect(over.body.results.slice(-2)).toMatchObject([
      { id: 'beyond', status: 'rejected', problem: { status: 413 } },
      { id: null, status: 'rejected', problem: { status: 413 } },
    ])
    const large = await load(lines(event('large', { text: 'x'.repeat(1_100_000) }), event('after large')))
    expect(large.body.results).toMatchObject([{ problem: { status: 413 } }, { id: 'after large', status: 'accepted' }])
  })

  test.each([
    ['nothing', ''],
    ['empty lines', '\n\r\n \n'],
  ])('of %s is 400', async (_what, body) => {
    await problemOf(await post(body, { contentType: bulk }), 400)
  })

  test('that breaks off has stored what came before, and its last line only if it was whole', async () => {
    const asked = request(`${gatewayUrl}/v1/events`, {
      method: 'POST',
      headers: { ...(await bearer('events:write:*')), 'content-type': bulk },
    })
    asked.on('error', () => undefined)
    asked.write(`${lines(event('whole'), event('whole too'))}\n${JSON.stringify(event('cut'))}`)
    await vi.waitUntil(async () => (await storedIds()).includes('whole too'), { timeout: 10_000 })
    asked.destroy()
    expect((await load(lines(event('afterwards')))).status).toBe(200)
    expect(await storedIds()).toEqual(expect.arrayContaining(['whole', 'whole too', 'afterwards']))
    expect(await storedIds()).not.toContain('cut')
  })
})

const brotli = (bytes: Buffer | string) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
const encodings = [
  ['gzip', gzipSync],
  ['br', brotli],
  ['zstd', zstdCompressSync],
] as const

describe.each(encodings)('a body in %s', (encoding, compress) => {
  const headers = { 'content-encoding': encoding }

  test('is taken in every mode', async () => {
    const one = await post(compress(JSON.stringify(event(`${encoding} one`))), { headers })
    expect(one.status).toBe(201)
    const batch = await post(compress(JSON.stringify([event(`${encoding} batch`)])), { contentType: batched, headers })
    expect(batch.status).toBe(200)
    const ids = Array.from({ length: 2_000 }, (_, index) => `${encoding} ${index}`)
    const { status, body } = await load(compress(lines(...ids.map((id) => event(id)))), headers)
    expect(status).toBe(200)
    expect(body.accepted).toBe(2_000)
  })

  test('is refused where it is corrupt, cut, or becomes too large', async () => {
    const whole = compress(JSON.stringify(event('never')))
    for (const contentType of ['application/cloudevents+json', bulk]) {
      await problemOf(await post(Buffer.from('no such data'), { contentType, headers }), 400)
      await problemOf(await post(whole.subarray(0, -9), { contentType, headers }), 400)
    }
    const bomb = compress(Buffer.alloc(65 * 1_048_576))
    expect(bomb.length).toBeLessThan(1_000_000)
    await problemOf(await post(bomb, { headers }), 413)
    await problemOf(await post(bomb, { contentType: batched, headers }), 413)
    const answer = await post(bomb, { contentType: bulk, headers })
    expect(answer.status).toBe(413)
  })
})

test.each(['deflate', 'compress', 'gzip, gzip', 'gzip, br', 'nonsense'])('a body in %s is 415', async (encoding) => {
  const answer = await post(gzipSync('{}'), { headers: { 'content-encoding': encoding } })
  expect(answer.headers.get('accept-encoding')).toBe('gzip, br, zstd')
  await problemOf(answer, 415)
})
