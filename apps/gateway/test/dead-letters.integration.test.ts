/** `GET /v1/dead-letters` and `POST /v1/dead-letters/replay`, on dead letters as the parts of the platform write them. */
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Failure } from '@millrace/core/dead-letter'
import { deadLetterOf } from '@millrace/kafka/dead-letters'
import { openProducer } from '@millrace/kafka/producer'
import { openReader, type StoredRecord } from '@millrace/kafka/reader'
import { createSealing, type Sealing } from '@millrace/kafka/sealing'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { accepted, bearer, get, latestShape, problemOf } from './api.ts'

const { gatewayUrls, connection, stateDirectory } = stack()
const gatewayUrl = gatewayUrls[0] ?? ''
const producer = openProducer(connection('admin'))
const reader = openReader(connection('admin'))
afterAll(() => Promise.all([producer.close(), reader.close()]))

const letterShape = z.looseObject({
  id: z.string().nullable(),
  reason: z.string(),
  partition: z.int(),
  offset: z.int(),
  replays: z.int(),
  sealed: z.boolean(),
  data: z.unknown().optional(),
})
const pageShape = z.strictObject({
  topic: z.string(),
  deadLetters: z.array(letterShape),
  next: z.string(),
  atEnd: z.boolean(),
})
const replayShape = z.looseObject({
  replayed: z.int(),
  wouldReplay: z.int(),
  next: z.string().optional(),
  stopped: z.string().optional(),
  failures: z.array(z.looseObject({ outcome: z.string(), detail: z.string() })),
})

async function register(members: object = {}): Promise<string> {
  const type = `letters.${randomUUID().slice(0, 8)}`
  const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
  const answer = await fetch(`${gatewayUrl}/v1/event-types/${type}`, {
    method: 'PUT',
    headers: { ...(await bearer('catalog:write')), 'content-type': 'application/json' },
    body: JSON.stringify({ format: 'json', schema, partitions: 3, key: '/name', ...members }),
  })
  expect(answer.status).toBe(201)
  return type
}

const event = (type: string, data: unknown = { name: 'a' }, id: string = randomUUID()) => {
  return { specversion: '1.0', id, source: '/letters', type, data }
}

/** Stores an event, and has a worker give it up; the record that it was. */
async function givenUp(
  type: string,
  failure: Partial<Failure> = {},
  sealing?: Sealing,
  change: Partial<StoredRecord> = {},
): Promise<StoredRecord> {
  const { partition, offset } = await accepted(event(type))
  const page = await reader.readPage(type, new Map([[partition, BigInt(offset)]]), 100)
  const stored =
    page.found === 'records'
      ? page.records.find((one) => one.partition === partition && one.offset === BigInt(offset))
      : undefined
  if (!stored) throw new Error('it was acknowledged')
  const record = { ...stored, ...change }
  const now = Date.now()
  const full: Failure = {
    ...{
      by: 'worker/bill',
      reason: 'rejected',
      detail: 'no',
      attempts: 3,
      firstFailedAtMs: now - 1_000,
      failedAtMs: now,
    },
    ...failure,
  }
  await producer.send(deadLetterOf(record, full, sealing))
  return record
}

async function list(query: string) {
  return pageShape.parse(await (await get(`/v1/dead-letters?${query}`, 'dlq:read:*')).json())
}

async function ask(body: object, { scopes = ['dlq:replay:*'], url = gatewayUrl } = {}): Promise<Response> {
  return fetch(`${url}/v1/dead-letters/replay`, {
    method: 'POST',
    headers: { ...(await bearer(...scopes)), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function replay(body: object, url?: string) {
  const answer = await ask(body, { ...(url !== undefined && { url }) })
  const told: unknown = await answer.json()
  expect(answer.status, JSON.stringify(told)).toBe(200)
  return replayShape.parse(told)
}

/** All records of an event in its topic, by its id. */
async function copies(type: string, id: string | undefined): Promise<StoredRecord[]> {
  const { records } = await reader.readLatest(type, 500)
  return records.filter(({ headers }) => headers.get('ce_id') === id).toReversed()
}

const idOf = ({ headers }: StoredRecord) => headers.get('ce_id') ?? ''

describe('dead letters are listed', () => {
  test('with the reason, the origin and the data, page by page, by reason and by id', async () => {
    const type = await register()
    const records = [
      await givenUp(type),
      await givenUp(type, { reason: 'timeout', pointer: '/name' }),
      await givenUp(type, {}, undefined, { value: Buffer.from([0xff, 0xfe]) }),
    ]
    const first = await list(`topic=${type}&limit=2`)
    expect(first.deadLetters).toHaveLength(2)
    const rest = await list(`topic=${type}&limit=2&from=${first.next}`)
    expect(rest).toMatchObject({ topic: type, atEnd: true })
    const all = [...first.deadLetters, ...rest.deadLetters]
    expect(all.map(({ id }) => id)).toEqual(records.map(idOf))
    expect(all[0]).toMatchObject({
      ...{ source: '/letters', type, reason: 'rejected', detail: 'no', by: 'worker/bill', attempts: 3 },
      origin: { topic: type, partition: records[0]?.partition, offset: Number(records[0]?.offset) },
      ...{ partition: 0, offset: 0, replays: 0, sealed: false, data: { name: 'a' } },
    })
    expect(all[1]).toMatchObject({ reason: 'timeout', pointer: '/name' })
    expect(all[2]).toMatchObject({ data_base64: '//4=' })
    expect((await list(`type=${type}&reason=timeout`)).deadLetters.map(({ id }) => id)).toEqual([all[1]?.id])
    expect((await list(`topic=${type}.dlq&id=${all[2]?.id}`)).deadLetters).toEqual([all[2]])
    const later = new Date(Date.now() + 60_000).toISOString()
    expect((await list(`topic=${type}&from=${later}`)).deadLetters).toEqual([])
  })

  test('for whoever may read those of the type, and nobody else', async () => {
    const type = await register()
    await problemOf(await get(`/v1/dead-letters?topic=${type}`, 'events:read:*'), 403)
    await problemOf(await get(`/v1/dead-letters?topic=${type}`, 'dlq:read:order.*'), 403)
    expect((await get(`/v1/dead-letters?topic=${type}`, `dlq:read:${type}`)).status).toBe(200)
    await problemOf(await get('/v1/dead-letters?topic=no.such', 'dlq:read:*'), 404)
    await problemOf(await get('/v1/dead-letters', 'dlq:read:*'), 400)
    await problemOf(await get(`/v1/dead-letters?topic=${type}&reason=mood`, 'dlq:read:*'), 400)
    await problemOf(await get(`/v1/dead-letters?topic=${type}&from=rubbish`, 'dlq:read:*'), 400)
  })

  test('without any data where the type has sensitive pointers, even if somebody wrote it in plain', async () => {
    const type = await register({ sensitive: ['/name'] })
    await givenUp(type)
    const [letter] = (await list(`topic=${type}`)).deadLetters
    expect(letter).toMatchObject({ sealed: false })
    expect(letter).not.toHaveProperty('data')
    expect(letter).not.toHaveProperty('data_base64')
    const { events } = latestShape.parse(await (await get(`/v1/events/latest?topic=${type}.dlq`, 'dlq:read:*')).json())
    expect(events[0]?.event).toMatchObject({ id: letter?.id, data: null })
  })
})

describe('a replay', () => {
  test('puts the same record back, for whoever gave it up; once', async () => {
    const type = await register()
    const record = await givenUp(type)
    expect(await replay({ topic: type, ids: [idOf(record)], dryRun: true })).toMatchObject({
      wouldReplay: 1,
      replayed: 0,
    })
    expect(await copies(type, idOf(record))).toHaveLength(1)
    expect(await replay({ topic: type, ids: [idOf(record)] })).toMatchObject({ replayed: 1, failures: [] })
    const [, again] = await copies(type, idOf(record))
    expect(again).toMatchObject({ partition: record.partition, key: record.key, value: record.value })
    expect([...(again?.headers ?? [])]).toEqual([
      ...record.headers,
      ['millrace_replays', '1'],
      ['millrace_replay_for', 'worker/bill'],
    ])
    // Another instance knows it too.
    expect(await replay({ topic: type, filter: {} }, gatewayUrls[1])).toMatchObject({ replayed: 0, already: 1 })
    expect(await copies(type, idOf(record))).toHaveLength(2)
  })

  test('at two instances at the same time is one', async () => {
    const type = await register()
    const records = await Promise.all(Array.from({ length: 5 }, () => givenUp(type)))
    const answers = await Promise.all(gatewayUrls.map((url) => replay({ topic: type, filter: {} }, url)))
    expect(answers.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(5)
    for (const record of records) expect(await copies(type, idOf(record))).toHaveLength(2)
  })

  test('judges by the schema of today, by outcome, and says why', async () => {
    const type = await register()
    await givenUp(type)
    const wrong = await givenUp(type, {}, undefined, { value: Buffer.from('{"name":1}') })
    await givenUp(type, {}, undefined, { value: null })
    const looped = await givenUp(type, {}, undefined, {
      headers: new Map([
        ['ce_id', 'x'],
        ['millrace_replays', '3'],
      ]),
    })
    expect(idOf(looped)).toBe('x')
    const answer = await replay({ topic: type, filter: {}, dryRun: true })
    expect(answer).toMatchObject({ wouldReplay: 1, invalid: 2, looped: 1, already: 0, notFound: 0 })
    expect(answer.failures[0]).toMatchObject({ id: idOf(wrong), outcome: 'invalid' })
    expect(answer.failures[0]?.detail).toContain('/name')
    expect(await replay({ topic: type, ids: ['x', 'nobody'], dryRun: true })).toMatchObject({ looped: 1, notFound: 1 })
  })

  test('takes those of a reason, no more than the cap, and goes on where it stopped', async () => {
    const type = await register()
    const wanted: string[] = []
    for (const reason of ['timeout', 'rejected', 'timeout', 'timeout'] as const) {
      const record = await givenUp(type, { reason })
      if (reason === 'timeout') wanted.push(idOf(record))
    }
    const first = await replay({ topic: type, filter: { reason: 'timeout' }, cap: 2 })
    expect(first).toMatchObject({ replayed: 2, already: 0 })
    const second = await replay({ topic: type, filter: { reason: 'timeout' }, cap: 2, from: first.next })
    expect(second).toMatchObject({ replayed: 1, already: 0 })
    expect(second.next).toBeUndefined()
    for (const id of wanted) expect(await copies(type, id)).toHaveLength(2)
  })

  test('stops at a canary that does not pass, and replays nothing behind it', async () => {
    const type = await register()
    await givenUp(type)
    await givenUp(type, {}, undefined, { value: Buffer.from('{}') })
    const behind = await givenUp(type)
    const answer = await replay({ topic: type, filter: {}, canary: 2 })
    expect(answer).toMatchObject({ replayed: 1, invalid: 1, stopped: 'canary' })
    expect(await copies(type, idOf(behind))).toHaveLength(1)
    expect(await replay({ topic: type, filter: {}, from: answer.next })).toMatchObject({ replayed: 1 })
  })

  test('stops when a canary fails again, and goes on when it does not', async () => {
    const type = await register()
    const canary = await givenUp(type)
    const behind = await givenUp(type)
    const asked = replay({ topic: type, filter: {}, canary: 1 })
    await expect.poll(() => copies(type, idOf(canary)), { timeout: 10_000 }).toHaveLength(2)
    const [, again] = await copies(type, idOf(canary))
    if (!again) throw new Error('it was replayed')
    const now = Date.now()
    const failure: Failure = {
      by: 'worker/bill',
      reason: 'timeout',
      detail: 'again',
      attempts: 1,
      firstFailedAtMs: now,
      failedAtMs: now,
    }
    await producer.send(deadLetterOf(again, failure, undefined))
    expect(await asked).toMatchObject({ replayed: 1, failedAgain: 1, stopped: 'canary' })
    expect(await copies(type, idOf(behind))).toHaveLength(1)
    const [, , letter] = (await list(`topic=${type}`)).deadLetters
    expect(letter).toMatchObject({ id: idOf(canary), replays: 1 })
    // What failed again is another letter: it may be replayed again, up to the bound.
    expect(await replay({ topic: type, filter: {}, canary: 1 })).toMatchObject({ replayed: 2, already: 1 })
  })

  test('opens what is sealed, and stores its bytes; nothing where it does not open', async () => {
    const type = await register({ sensitive: ['/name'] })
    const file = join(stateDirectory, 'secrets', 'sealing-keys.json')
    const sealing = createSealing(await readFile(file, 'utf8'), file)
    const keys = { current: 'lost', keys: { lost: randomBytes(32).toString('base64') } }
    const record = await givenUp(type, {}, sealing)
    const lost = await givenUp(type, {}, createSealing(JSON.stringify(keys), 'lost.json'))
    expect((await list(`topic=${type}`)).deadLetters.map(({ sealed }) => sealed)).toEqual([true, true])
    const answer = await replay({ topic: type, filter: {} })
    expect(answer).toMatchObject({ replayed: 1, unopened: 1 })
    expect(answer.failures[0]?.detail).toContain('sealed with the key "lost"')
    const [, again] = await copies(type, idOf(record))
    expect(again).toMatchObject({ key: record.key, value: record.value, partition: record.partition })
    expect(again?.headers.get('millrace_fingerprint')).toBe(record.headers.get('millrace_fingerprint'))
    expect(await copies(type, idOf(lost))).toHaveLength(1)
  })

  test('of what the gateway gave up does nothing where it was sent again since', async () => {
    const type = await register()
    const sent = await givenUp(type)
    const { partition, offset, ...neverStored } = sent
    expect([partition, offset]).toHaveLength(2)
    const now = Date.now()
    const failure: Failure = {
      by: 'gateway',
      reason: 'too-large',
      detail: 'x',
      attempts: 1,
      firstFailedAtMs: now,
      failedAtMs: now,
    }
    await producer.send(deadLetterOf(neverStored, failure, undefined))
    expect(await replay({ topic: type, filter: { by: 'gateway' } })).toMatchObject({ replayed: 0, already: 1 })
    expect(await copies(type, idOf(sent))).toHaveLength(1)
  })

  test('is for whoever may replay those of the type', async () => {
    const type = await register()
    await problemOf(await ask({ topic: type, filter: {} }, { scopes: ['dlq:read:*'] }), 403)
    await problemOf(await ask({ topic: type, filter: {} }, { scopes: ['dlq:replay:order.*'] }), 403)
    await problemOf(await ask({ topic: 'no.such', filter: {} }), 404)
  })

  test.each([
    [{ topic: 'order.placed' }, /say which/],
    [{ filter: {} }, /topic/],
    [{ topic: 'order.placed', filter: { reason: 'mood' } }, /must be one of malformed/],
    [{ topic: 'order.placed', filter: { from: 'monday' } }, /RFC 3339/],
    [{ topic: 'order.placed', filter: {}, cap: 0 }, /cap/],
    [{ topic: 'order.placed', filter: {}, from: 'latest' }, /cursor/],
  ])('that says %j is refused', async (body, told) => {
    const { detail, errors = [] } = await problemOf(await ask(body), 400)
    expect([detail, ...errors.map((error) => `${error.pointer} ${error.detail}`)].join(' ')).toMatch(told)
  })
})

beforeAll(() => producer.connect())
