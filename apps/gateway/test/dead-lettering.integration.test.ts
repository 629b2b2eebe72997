/** What the cluster does not store, while it answers, is kept as a dead letter; the 503 says where. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDeadLetter } from '@millrace/core/read-dead-letter'
import { openAdmin } from '@millrace/kafka/admin'
import { originalOf } from '@millrace/kafka/dead-letters'
import { openReader } from '@millrace/kafka/reader'
import { createSealing } from '@millrace/kafka/sealing'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { accepted, batched, batchShape, bearer, post, problemOf } from './api.ts'

const { gatewayUrl, connection, stateDirectory } = stack()
const admin = openAdmin(connection('admin'))
const reader = openReader(connection('admin'))
afterAll(() => Promise.all([admin.close(), reader.close()]))

const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }

async function register(members: object = {}): Promise<string> {
  const type = `refused.${randomUUID().slice(0, 8)}`
  const answer = await fetch(`${gatewayUrl}/v1/event-types/${type}`, {
    method: 'PUT',
    headers: { ...(await bearer('catalog:write')), 'content-type': 'application/json' },
    body: JSON.stringify({ format: 'json', schema, partitions: 1, ...members }),
  })
  expect(answer.status).toBe(201)
  return type
}

const event = (type: string, name: string, id: string = randomUUID()) => {
  return { specversion: '1.0', id, source: '/refused', type, data: { name } }
}

const lettersOf = async (type: string, id: string) => {
  const { records } = await reader.readLatest(`${type}.dlq`, 50)
  return records.filter(({ headers }) => headers.get('ce_id') === id)
}

/** Changes what a topic takes. Its leader hears of it some time later. */
async function limited(type: string, config: Record<string, string>, refused = event(type, tooLarge)): Promise<void> {
  await admin.setTopicConfig(type, config)
  await vi.waitUntil(async () => (await post({ ...refused, id: randomUUID() })).status === 503, { timeout: 30_000 })
}

let small: string
const maxBytes = 2_000
const tooLarge = 'x'.repeat(3 * maxBytes)

beforeAll(async () => {
  small = await register({ key: '/name' })
  await limited(small, { 'max.message.bytes': String(maxBytes) })
})

test('an event larger than its topic takes is kept, with its bytes, its headers and the reason; once, however often it is sent', async () => {
  const sent = event(small, tooLarge)
  const told = await problemOf(await post(sent, { headers: { traceparent } }), 503)
  expect(told.detail).toMatch(/^not stored \(.*\), but kept as a dead letter/)
  expect(told).toMatchObject({ id: sent.id, deadLetter: { topic: `${small}.dlq`, partition: 0 } })
  expect(await problemOf(await post(sent), 503)).toMatchObject({ deadLetter: told.deadLetter })
  const [letter, ...others] = await lettersOf(small, sent.id)
  if (!letter) throw new Error('there is a dead letter')
  expect(others).toEqual([])
  expect(Number(letter.offset)).toBe(told.deadLetter?.offset)
  expect(letter.value).toEqual(Buffer.from(JSON.stringify(sent.data)))
  expect(letter.key).toEqual(Buffer.from(tooLarge))
  expect(letter.headers.get('ce_id')).toBe(sent.id)
  expect(letter.headers.get('traceparent')).toContain(traceparent.split('-')[1])
  expect(readDeadLetter(small, letter)).toMatchObject({
    ...{ by: 'gateway', reason: 'too-large', attempts: 1, replays: 0, sealed: undefined },
    origin: { topic: small, partition: undefined, offset: undefined },
  })
})

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('those that come with it in a batch are stored', async () => {
  const events = ['a', 'b', 'c', tooLarge, 'd', 'e', 'f', 'g'].map((name) => event(small, name))
  const answer = await post(events, { contentType: batched })
  const { accepted: stored, unconfirmed, results } = batchShape.parse(await answer.json())
  expect({ status: answer.status, stored, unconfirmed }).toEqual({ status: 207, stored: 7, unconfirmed: 1 })
  expect(results[3]).toMatchObject({ status: 'unconfirmed', problem: { deadLetter: { topic: `${small}.dlq` } } })
})

test('when the topic takes it after all, it is stored under its identity', async () => {
  const type = await register({ key: '/name' })
  await limited(type, { 'max.message.bytes': String(maxBytes) })
  const sent = event(type, tooLarge)
  await problemOf(await post(sent), 503)
  await admin.setTopicConfig(type, { 'max.message.bytes': '1048588' })
  await vi.waitUntil(async () => (await post(sent)).status === 201, { timeout: 30_000 })
  expect(await accepted(event(type, tooLarge))).toMatchObject({ topic: type })
})

test('a compacted topic takes no event without a key', async () => {
  const type = await register()
  await limited(type, { 'cleanup.policy': 'compact' }, event(type, 'a'))
  const sent = event(type, 'a')
  await problemOf(await post(sent), 503)
  const [letter] = await lettersOf(type, sent.id)
  expect(letter && readDeadLetter(type, letter)).toMatchObject({ by: 'gateway', reason: 'publish-failed' })
})

test('of a type with sensitive pointers it is sealed whole, and opens with the key of the secrets folder', async () => {
  const type = await register({ key: '/name', sensitive: ['/name'] })
  await limited(type, { 'max.message.bytes': String(maxBytes) })
  const sent = event(type, tooLarge)
  await problemOf(await post(sent), 503)
  const [letter] = await lettersOf(type, sent.id)
  if (!letter) throw new Error('there is a dead letter')
  expect(letter.key).toBeNull()
  expect(letter.value?.includes('xxxx')).toBe(false)
  expect(letter.headers.has('millrace_fingerprint')).toBe(false)
  const file = join(stateDirectory, 'secrets', 'sealing-keys.json')
  const original = originalOf(letter, readDeadLetter(type, letter), createSealing(await readFile(file, 'utf8'), file))
  expect(original.value).toEqual(Buffer.from(JSON.stringify(sent.data)))
  expect(original.key).toEqual(Buffer.from(tooLarge))
  expect(original.headers.get('millrace_fingerprint')).toMatch(/^[0-9a-f]{32}$/)
})
