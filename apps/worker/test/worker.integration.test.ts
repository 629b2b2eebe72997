import { setTimeout as sleep } from 'node:timers/promises'
import { readDeadLetter } from '@millrace/core/read-dead-letter'
import { openAdmin } from '@millrace/kafka/admin'
import { openProducer } from '@millrace/kafka/producer'
import { openTransactionalProducer } from '@millrace/kafka/transactional-producer'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type Effect, effects, effectsOf, end, makeTypes, post, recordsOf, startWorker, type Told } from './workers.ts'

const { connection } = stack()
const admin = openAdmin(connection('admin'))
beforeAll(makeTypes)
afterAll(() => admin.close())

const group = 'worker-perform'

/** So many tasks for each of so many keys, in turns. */
function tasks(prefix: string, keys: number, each: number, does = 'work a little', from = 0): Told[] {
  return Array.from({ length: keys * each }, (_, index) => {
    return { key: `${prefix}${index % keys}`, number: from + Math.floor(index / keys), does }
  })
}

/** That every task had its effect once, those of a key in order. */
function expectOnceInOrder(found: readonly Effect[], told: readonly Told[]): void {
  const places = (of: readonly { key: string; number: number }[]) => of.map(({ key, number }) => `${key}/${number}`)
  expect(places(found).toSorted()).toEqual(places(told).toSorted())
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length)
  for (const [key, ofKey] of Map.groupBy(found, (effect) => effect.key)) {
    const numbers = ofKey.map(({ number }) => number)
    expect(numbers, key).toEqual(numbers.toSorted((one, other) => one - other))
  }
}

async function deadLetters(prefix: string, count: number) {
  const read = async () => {
    const records = (await recordsOf('worker.task.dlq')).filter(({ key }) => key?.toString().startsWith(prefix))
    return records.map((record) => ({ record, letter: readDeadLetter('worker.task.dlq', record) }))
  }
  let found = await read()
  await vi.waitUntil(async () => (found = await read()).length >= count, { timeout: 30_000, interval: 200 })
  return found
}

/** The group has nothing left to do. */
async function isDone(): Promise<boolean> {
  const [committed, ends] = await Promise.all([admin.committedOffsets(group), admin.endOffsets('worker.task')])
  const offsets = committed.get('worker.task')
  return [...ends].every(([partition, end_]) => end_ === 0n || offsets?.get(partition) === end_)
}

test('every event has its effect once, those of a key in order', async () => {
  const told = tasks('once-', 40, 25)
  await post('/worker/once', told)
  const worker = await startWorker('once')
  expectOnceInOrder(await effects('once-', told.length), told)
  await vi.waitUntil(isDone, 20_000)
  expect(await end(worker, 'SIGTERM')).toBe(0)
})

test('what becomes of an event is what its handler says', { timeout: 120_000 }, async () => {
  const does = [
    'fail once',
    'fail always',
    'throw',
    'reject',
    'drop',
    'take too long',
    'publish what does not fit',
    'publish twice',
    'publish too much',
  ]
  const told = does.map((what, number) => ({ key: `says-${number}`, number, does: what }))
  await startWorker('says')
  await post('/worker/says', told)
  const letters = await deadLetters('says-', 6)
  const found = await effects('says-', 3)
  await vi.waitUntil(isDone, 20_000)
  expect((await effectsOf('says-')).map(({ key, number, attempt }) => [key, number, attempt]).toSorted()).toEqual([
    ['says-0', 0, 2],
    ['says-7', 7, 1],
    ['says-7', 8, 1],
  ])
  expect(new Set(found.map(({ id }) => id)).size).toBe(3)
  const said = letters.map(({ record, letter: { reason, attempts, pointer } }) => {
    return [record.key?.toString(), reason, attempts, pointer]
  })
  expect(said.toSorted()).toEqual([
    ['says-1', 'retries-exhausted', 3, undefined],
    ['says-2', 'retries-exhausted', 3, undefined],
    ['says-3', 'rejected', 1, '/does'],
    ['says-5', 'timeout', 3, undefined],
    ['says-6', 'retries-exhausted', 3, undefined],
    ['says-8', 'too-large', 1, undefined],
  ])
  expect(new Set(letters.map(({ letter }) => letter.by))).toEqual(new Set(['worker/perform']))
  const stored = await recordsOf('worker.task')
  for (const { record, letter } of letters) {
    const origin = stored.find(
      ({ partition, offset }) => partition === letter.origin.partition && offset === letter.origin.offset,
    )
    expect(origin?.value?.equals(record.value ?? Buffer.alloc(0))).toBe(true)
    for (const [name, value] of origin?.headers ?? []) expect(record.headers.get(name)).toBe(value)
  }
})

test('an event whose publication is larger than its topic takes is given up for that', async () => {
  await admin.setTopicConfig('worker.effect', { 'max.message.bytes': '20000' })
  onTestFinished(() => admin.setTopicConfig('worker.effect', { 'max.message.bytes': '1048588' }))
  await startWorker('large')
  await post('/worker/large', [{ key: 'large-0', number: 0, does: 'publish much' }])
  expect((await deadLetters('large-', 1)).map(({ letter }) => letter.reason)).toEqual(['too-large'])
})

test('bytes that are no event end in the dead letters, and what is behind them is handled', async () => {
  await startWorker('poison')
  const producer = openProducer(connection('admin'))
  onTestFinished(() => producer.close())
  const values = ['not json', '{"key":"poison-x"}', '{"key":"poison-x","number":1,"does":"drop"}'].map((text) =>
    Buffer.from(text),
  )
  const poison = [...values, Buffer.from([0xff, 0xfe]), null]
  for (const value of poison) {
    const key = Buffer.from('poison-x')
    await producer.send({ topic: 'worker.task', key, value, headers: new Map(), timestampMs: Date.now() })
  }
  const told = tasks('poison-', 1, 3).map((task) => ({ ...task, key: 'poison-x' }))
  await post('/worker/poison', told)
  expectOnceInOrder(await effects('poison-', 3), told)
  const letters = await deadLetters('poison-', poison.length)
  expect(letters.map(({ record }) => record.value)).toEqual(poison)
  const reasons = ['malformed', 'invalid', 'malformed', 'malformed', 'malformed']
  expect(letters.map(({ letter }) => letter.reason)).toEqual(reasons)
})

test('an event that is tried again holds up its own key alone', async () => {
  await startWorker('aside')
  const slow = { key: 'aside-slow', number: 0, does: 'fail once, for long' }
  await post('/worker/aside', [slow, { ...slow, number: 1, does: '' }, ...tasks('aside-quick-', 30, 10)])
  await effects('aside-quick-', 300)
  expect(await effectsOf('aside-slow')).toEqual([])
  expect((await effects('aside-slow', 2)).map(({ number }) => number)).toEqual([0, 1])
})

test('an event far ahead of one that is tried again is handled after it', async () => {
  await post('/worker/far', [{ key: 'far-x', number: 0, does: 'fail once, for long' }])
  const partition = (await recordsOf('worker.task')).find(({ key }) => key?.toString() === 'far-x')?.partition ?? -1
  await skipOffsets(partition, 25_000)
  const producer = openProducer(connection('admin'))
  onTestFinished(() => producer.close())
  await post('/worker/far', [{ key: 'far-x', number: 1, does: '' }])
  const poison = { key: Buffer.from('far-y'), value: Buffer.from('{'), headers: new Map<string, string>() }
  await producer.send({ topic: 'worker.task', partition, ...poison, timestampMs: Date.now() })
  await startWorker('far')
  expect((await effects('far-x', 2)).map(({ number }) => number)).toEqual([0, 1])
  await deadLetters('far-y', 1)
  await vi.waitUntil(isDone, 20_000)
})

/** Takes so many offsets of a partition for records that nobody will see: of a transaction that is aborted. */
async function skipOffsets(partition: number, count: number): Promise<void> {
  const producer = await openTransactionalProducer(connection('admin'), 'worker-skip')
  onTestFinished(() => producer.close())
  const record = { topic: 'worker.task', partition, value: Buffer.from('never'), headers: new Map<string, string>() }
  const records = Array.from({ length: count }, () => ({ ...record, timestampMs: Date.now() }))
  const member = { memberId: crypto.randomUUID(), memberEpoch: 1 } // of nobody, so the group refuses it
  const offsets = new Map([[partition, { offset: 0n, metadata: '' }]])
  expect(await producer.commit(records, { group, topic: 'worker.task', member, offsets })).toBe('stale')
}

test('workers that come and go, and are killed, do every event once', { timeout: 240_000 }, async () => {
  const told: Told[] = []
  let number = 0
  const more = async () => {
    const some = tasks('killed-', 50, 10, 'work a little', number)
    number += 10
    told.push(...some)
    await post('/worker/killed', some)
  }
  let workers = [await startWorker('killed-a')]
  for (let round = 0; round < 6; round += 1) {
    await more()
    workers.push(await startWorker(`killed-b${round}`))
    await more()
    await sleep(300 * round)
    const [victim, ...others] = workers
    if (victim) await end(victim, 'SIGKILL')
    workers = others
    await more()
  }
  expectOnceInOrder(await effects('killed-', told.length, 120_000), told)
  await vi.waitUntil(isDone, 30_000)
  expectOnceInOrder(await effectsOf('killed-'), told)
})

test('a worker that stood still while another took its place does nothing twice', { timeout: 120_000 }, async () => {
  const first = await startWorker('zombie')
  const told = tasks('zombie-', 30, 20)
  const posting = post('/worker/zombie', told)
  await effects('zombie-', 30)
  first.kill('SIGSTOP')
  await posting
  // By the same name: it has the transactional id too. The group waits for the first one's session to end.
  await startWorker('zombie')
  await effects('zombie-', told.length)
  first.kill('SIGCONT')
  const more: Told[] = []
  // It joins again, is given partitions, and finds that the transactional id is another's when it commits.
  while (first.exitCode === null && more.length < 3_000) {
    const some = tasks('zombie-', 30, 1, 'work a little', 20 + more.length / 30)
    more.push(...some)
    await post('/worker/zombie', some)
    await sleep(200)
  }
  expect(first.exitCode).toBe(1)
  expectOnceInOrder(await effects('zombie-', told.length + more.length), [...told, ...more])
})

test('a topic that is made anew under a worker is handled from its beginning', { timeout: 240_000 }, async () => {
  await startWorker('anew')
  const old = tasks('anew-old-', 30, 40)
  await post('/worker/anew', old)
  await effects('anew-old-', old.length)
  await vi.waitUntil(isDone, 20_000)
  const posting = post('/worker/anew-late', tasks('anew-late-', 30, 100)).catch(() => undefined) // lost, as is the topic
  await admin.deleteTopics(['worker.task'])
  const topic = { name: 'worker.task', partitions: 6, replication: 3, config: { 'min.insync.replicas': '2' } }
  const made = () =>
    admin.createTopic(topic).then(
      () => true,
      () => false,
    )
  await vi.waitUntil(made, { timeout: 30_000, interval: 20 })
  await posting
  const probe = (number: number) => post('/worker/anew-probe', [{ key: `anew-probe-${number}`, number, does: 'drop' }])
  let probes = 0
  const isThere = () =>
    probe((probes += 1)).then(
      () => true,
      () => false,
    )
  await vi.waitUntil(isThere, { timeout: 60_000, interval: 500 })
  const told = tasks('anew-new-', 30, 5)
  await post('/worker/anew', told)
  expectOnceInOrder(await effects('anew-new-', told.length), told)
  await vi.waitUntil(isDone, 30_000)
  expectOnceInOrder(await effectsOf('anew-new-'), told)
})
