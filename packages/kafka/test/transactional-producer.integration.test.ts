import { stack } from '@millrace/testkit/fixture'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { openAdmin } from '../src/admin.ts'
import type { GroupOffsets } from '../src/transactional-producer.ts'
import { openReader } from '../src/reader.ts'
import { openTransactionalProducer } from '../src/transactional-producer.ts'
import { makeTopic } from './topic.ts'

const { connection } = stack()
const admin = openAdmin(connection('admin'))
const reader = openReader(connection('admin'))
afterAll(() => Promise.all([admin.close(), reader.close()]))

const partitions = 3
const nobodysEpoch = { memberId: '', memberEpoch: -1 }

/** Commits without a member count, as those of any tool: the group has none. */
function upTo(group: string, topic: string, offset: bigint): GroupOffsets {
  return { group, topic, member: nobodysEpoch, offsets: new Map([[0, { offset, metadata: `at ${offset}` }]]) }
}

function records(topic: string, ...values: readonly string[]) {
  return values.map((value) => ({
    topic,
    key: Buffer.from(value),
    value: Buffer.from(value),
    headers: new Map<string, string>(),
    timestampMs: Date.now(),
  }))
}

async function open(id: string) {
  const producer = await openTransactionalProducer(connection('admin'), id)
  onTestFinished(() => producer.close())
  return producer
}

async function valuesIn(topic: string): Promise<(string | undefined)[]> {
  const { records: found } = await reader.readLatest(topic, 1_000)
  return found.map(({ value }) => value?.toString()).toSorted()
}

/** What is committed can be read when its markers are written, which is a little later than the commit. */
const waiting = { timeout: 20_000, interval: 20 }

function holds(topic: string, ...values: readonly string[]): Promise<void> {
  return vi.waitFor(async () => expect(await valuesIn(topic)).toEqual(values.toSorted()), waiting)
}

function isAt(group: string, topic: string, offset: bigint): Promise<void> {
  const committed = async () => (await admin.committedOffsets(group)).get(topic)?.get(0)
  return vi.waitFor(async () => expect(await committed()).toBe(offset), waiting)
}

test('records and offsets are there together', async () => {
  const [topic, group] = ['transactions', 'transactions-group']
  await makeTopic(admin, topic, partitions)
  const producer = await open('transactions-id')
  const all: string[] = []
  for (let round = 1; round <= 5; round += 1) {
    const values = ['a', 'b', 'c', 'd'].map((name) => `${name}${round}`)
    expect(await producer.commit(records(topic, ...values), upTo(group, topic, BigInt(round)))).toBe('committed')
    all.push(...values)
    await holds(topic, ...all)
    await isAt(group, topic, BigInt(round))
  }
  expect(await producer.commit([], upTo(group, topic, 6n))).toBe('committed')
  await isAt(group, topic, 6n)
})

test('nothing of a transaction is there whose member the group does not know', async () => {
  const [topic, group] = ['transactions-stale', 'transactions-stale-group']
  await makeTopic(admin, topic, partitions)
  const producer = await open('transactions-stale-id')
  const stranger = { ...upTo(group, topic, 7n), member: { memberId: crypto.randomUUID(), memberEpoch: 3 } }
  expect(await producer.commit(records(topic, 'never'), stranger)).toBe('stale')
  expect(await producer.commit(records(topic, 'then'), upTo(group, topic, 8n))).toBe('committed')
  await holds(topic, 'then')
  await isAt(group, topic, 8n)
})

test('what cannot be stored whole is not stored at all, and the next transaction is', async () => {
  const [topic, group] = ['transactions-whole', 'transactions-whole-group']
  await makeTopic(admin, topic, partitions)
  const producer = await open('transactions-whole-id')
  const missing = producer.commit(
    [...records(topic, 'never'), ...records('no-such-topic', 'nowhere')],
    upTo(group, topic, 1n),
  )
  await expect(missing).rejects.toMatchObject({ code: 'kafka.unknown-topic' })
  await admin.setTopicConfig(topic, { 'max.message.bytes': '1000' })
  const large = records(topic, 'small', 'x'.repeat(5_000))
  await expect(producer.commit(large, upTo(group, topic, 2n))).rejects.toMatchObject({ code: 'kafka.unfit' })
  expect(await producer.commit(records(topic, 'then'), upTo(group, topic, 3n))).toBe('committed')
  await holds(topic, 'then')
  await isAt(group, topic, 3n)
})

test('a producer whose id was taken over commits nothing any more, and stays fenced', async () => {
  const [topic, group] = ['transactions-fenced', 'transactions-fenced-group']
  await makeTopic(admin, topic, partitions)
  const former = await open('transactions-fenced-id')
  expect(await former.commit(records(topic, 'former'), upTo(group, topic, 1n))).toBe('committed')
  const next = await open('transactions-fenced-id')
  for (const value of ['zombie', 'zombie again']) {
    const late = former.commit(records(topic, value), upTo(group, topic, 99n))
    await expect(late).rejects.toMatchObject({ code: 'kafka.fenced' })
  }
  expect(await next.commit(records(topic, 'next'), upTo(group, topic, 2n))).toBe('committed')
  await holds(topic, 'former', 'next')
  await isAt(group, topic, 2n)
})

test('a transaction that stood still for longer than brokers wait is not confirmed, and a new producer goes on', async () => {
  const [topic, group, id] = ['transactions-still', 'transactions-still-group', 'transactions-still-id']
  await makeTopic(admin, topic, partitions)
  const former = await open(id)
  const offsets = new StandstillMap([[0, { offset: 1n, metadata: '' }]])
  const late = former.commit(records(topic, 'never'), { ...upTo(group, topic, 1n), offsets })
  await expect(late).rejects.toMatchObject({ code: 'kafka.not-confirmed' })
  const next = await open(id)
  expect(await next.commit(records(topic, 'then'), upTo(group, topic, 2n))).toBe('committed')
  await holds(topic, 'then')
  await isAt(group, topic, 2n)
})

/**
 * While it is read, which is when the transaction has begun, nothing in this process goes on, as on a machine that is frozen: no answer is
 * read and no timer ends. It takes longer than a transaction may, and the brokers look for such every 10 s.
 */
class StandstillMap<Key, Value> extends Map<Key, Value> {
  override [Symbol.iterator]() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 43_000)
    return super[Symbol.iterator]()
  }
}

test('a transaction that is taken over half-way is there whole or not at all', { timeout: 120_000 }, async () => {
  const [topic, group, id] = ['transactions-race', 'transactions-race-group', 'transactions-race-id']
  await makeTopic(admin, topic, partitions)
  const expected: string[] = []
  let reached = 0n
  for (let round = 1n; round <= 12n; round += 1n) {
    const former = await open(id)
    const values = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}${round}`)
    const underWay = former
      .commit(records(topic, ...values), upTo(group, topic, round))
      .catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, Number(round) * 2))
    const next = await open(id)
    const outcome = await underWay
    if (outcome !== 'committed') expect(outcome).toMatchObject({ code: 'kafka.fenced' })
    else {
      expected.push(...values)
      reached = round
    }
    // When this is there, all that was committed before is, and what was not never will be.
    expected.push(`${round}`)
    expect(await next.commit(records(topic, `${round}`), upTo(`${group}-next`, topic, round))).toBe('committed')
    await holds(topic, ...expected)
    if (reached > 0n) await isAt(group, topic, reached)
  }
  console.log(`${(expected.length - 12) / 6} of 12 transactions were committed before they were taken over`)
})
