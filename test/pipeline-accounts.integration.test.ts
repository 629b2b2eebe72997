/** A pipeline accounts for every record of its topic once, by outcome and minute, and publishes each result once, whatever happens to Flink. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Account,
  type AccountOutcome,
  accountOutcomes,
  accountsTopic,
  minuteOf,
  parseAccount,
} from '@millrace/core/account'
import { count, last, quantile } from '@millrace/core/aggregate'
import { evaluatePipeline } from '@millrace/core/evaluate'
import { eventType } from '@millrace/core/event-type'
import type { JsonValue } from '@millrace/core/json'
import { eventTimeHeader } from '@millrace/core/kafka-binding'
import { correct, drop, type Pipeline, pipeline, toTopic } from '@millrace/core/pipeline'
import { type LatePolicy, session, sliding, tumbling, type Window } from '@millrace/core/window'
import { replayForHeader } from '@millrace/core/replay'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { permissionsOf } from '@millrace/flink/acls'
import { ensureJob, stop } from '@millrace/flink/jobs'
import { type Acl, openAdmin } from '@millrace/kafka/admin'
import { openProducer } from '@millrace/kafka/producer'
import { openReader } from '@millrace/kafka/reader'
import { checkpointDirectory } from '@millrace/stack/flink-checkpoints'
import { layoutOf } from '@millrace/stack/layout'
import { portsFrom } from '@millrace/stack/ports'
import { stack } from '@millrace/testkit/fixture'
import { restartServer } from '@millrace/testkit/servers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { evaluatedTexts, publishedTexts } from './published.ts'

const { bootstrapServers, caFile, connection, portBase, stateDirectory } = stack()
const ports = portsFrom(portBase)
const cluster = {
  url: `http://127.0.0.1:${ports.flinkWeb}`,
  sqlGatewayUrl: `http://127.0.0.1:${ports.flinkSqlGateway}`,
}
const environment = {
  bootstrapServers: bootstrapServers.join(','),
  truststoreFile: caFile,
  checkpointDirectory: checkpointDirectory(layoutOf(stateDirectory), 'embedded'),
  schemaUrl: () => 'https://registry.example/schemas/ids/1',
}

/** One partition, so that which events are late follows from their order. */
const reading = eventType('accounts.reading', {
  schema: {
    type: 'object',
    properties: { sensor: { type: 'string' }, value: { type: 'number' }, at: { type: 'string', format: 'date-time' } },
    required: ['sensor', 'at'],
  },
  time: '/at',
  partitions: 1,
})
/** Where some of the sensors are. */
const sensor = eventType('accounts.sensor', {
  schema: {
    type: 'object',
    properties: { name: { type: 'string' }, room: { type: 'string' } },
    required: ['name', 'room'],
  },
  key: '/name',
  compacted: true,
  partitions: 1,
})
const sensors = new Map([
  ['s0', Buffer.from('{"name":"s0","room":"attic"}')],
  ['s1', Buffer.from('{"name":"s1","room":"cellar"}')],
])
const windowMs = 10_000
const disorderMs = 2_000
const tumbling10 = tumbling('10 seconds')

const windowed = (name: string, window: Window, policy: LatePolicy) =>
  pipeline(`accounts-${name}`)
    .from(reading)
    .where((event) => event.value.gt(0))
    .window(window)
    .watermark({ outOfOrderness: '2 seconds' })
    .late(policy)
    .groupBy((event) => ({ sensor: event.sensor }))
    .aggregate((event) => ({ readings: count(), middle: quantile(event.value, 0.5), last: last(event.value) }))

const pipelines = [
  windowed('to-topic', tumbling10, toTopic()),
  windowed('drop', tumbling10, drop()),
  windowed('sliding', sliding('10 seconds', { every: '5 seconds' }), drop()),
  windowed('corrected', tumbling('10 seconds'), correct({ within: '25 seconds', beyond: toTopic() })),
  windowed('sessions', session('800 milliseconds'), toTopic()),
  pipeline('accounts-joined')
    .from(reading)
    .joinLatest(sensor, { by: (event) => event.sensor, take: (latest) => ({ room: latest.room }) })
    .where((event) => event.value.gt(0).and(event.room.isNull().or(event.room.ne('cellar'))))
    .window(tumbling('10 seconds'))
    .watermark({ outOfOrderness: '2 seconds' })
    .late(toTopic())
    .groupBy((event) => ({ sensor: event.sensor, room: event.room }))
    .aggregate((event) => ({ readings: count(), middle: quantile(event.value, 0.5), last: last(event.value) })),
]

const admin = openAdmin(connection('admin'))
const producer = openProducer(connection('admin'))
const reader = openReader(connection('admin'))

const outputs = pipelines.flatMap(({ result, lateTopic }) => [result.topic, lateTopic ?? []].flat())
const topics = [reading.topic, sensor.topic, deadLetterTopic(reading.topic), ...outputs]
const acls = pipelines.flatMap(permissionsOf).flatMap(({ operations, ...resource }) =>
  operations.map((operation): Acl => {
    return { principal: 'User:flink', ...resource, operation, permission: 'allow' }
  }),
)

beforeAll(async () => {
  for (const name of topics) {
    // Records of long ago are to be counted, too, and not taken by retention.
    await admin.createTopic({ name, partitions: 1, replication: 3, config: { 'retention.ms': '-1' } })
  }
  for (const [name, value] of [['s0', Buffer.from('{')] as const, ...sensors]) {
    const record = { key: Buffer.from(name), value, headers: new Map(), timestampMs: storedAtMs }
    await producer.send({ topic: sensor.topic, partition: 0, ...record })
  }
  await start()
})

afterAll(async () => {
  for (const { name } of pipelines) await stop(cluster, name, environment.checkpointDirectory)
  // All that is for these pipelines alone: others write their accounts too.
  await admin.deleteAcls(acls.filter(({ name }) => name !== accountsTopic))
  await admin.deleteTopics(topics)
  await Promise.all([admin.close(), producer.close(), reader.close()])
})

/** Starts the jobs where they were. The definition of the stack, which does not know them, may have taken their permissions. */
async function start(): Promise<void> {
  await admin.createAcls(acls)
  for (const one of pipelines) await ensureJob(cluster, one, environment)
}

type Sent = { readonly value: string; readonly headers: ReadonlyMap<string, string>; readonly timestampMs: number }

const startMs = Date.parse('2025-06-07T00:00:31Z')
const storedAtMs = Date.parse('2025-06-07T08:09:10Z')
const stepMs = 250

/** A record of every kind, over and over; the times of the events go on, over several minutes. */
function record(number: number): Sent {
  const late = number % 11 === 5 ? 30_000 : 0
  const at = new Date(startMs + number * stepMs - late).toISOString()
  const value = number % 13 === 3 ? '{' : JSON.stringify({ sensor: `s${number % 3}`, value: (number % 7) - 1, at })
  const headers = new Map<string, string>()
  if (number % 17 !== 4) headers.set('ce_time', new Date(startMs).toISOString())
  if (number % 5 !== 2) headers.set(eventTimeHeader, number % 19 === 6 ? 'yesterday' : at)
  if (number % 23 === 7) headers.set(replayForHeader, number % 2 === 0 ? 'worker/other' : 'flink/accounts-to-topic')
  return { value, headers, timestampMs: storedAtMs + number }
}

/**
 * What becomes of records in this order, by the rules of the language and not by Flink: events by minute and outcome. For pipelines over windows
 * of 10 seconds.
 */
function expected(records: readonly Sent[], name: string): Map<string, number> {
  const counts = new Map<string, number>()
  let newestMs = -Infinity
  for (const { value, headers, timestampMs } of records) {
    const event = value === '{' ? undefined : parsed.parse(JSON.parse(value))
    const atMs = event ? Date.parse(event.at) : -Infinity
    const windowEndMs = Math.floor(atMs / windowMs) * windowMs + windowMs
    const addressee = headers.get(replayForHeader) ?? `flink/${name}`
    const outcome = (): AccountOutcome => {
      if (addressee !== `flink/${name}`) return 'not-addressed'
      if (!event) return 'dead-lettered'
      if (event.value <= 0) return 'filtered'
      return windowEndMs - 1 <= newestMs - disorderMs ? 'late' : 'processed'
    }
    const key = `${minuteOf(headers, timestampMs)} ${outcome()}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
    newestMs = Math.max(newestMs, atMs)
  }
  return counts
}

const parsed = z.object({ value: z.number(), at: z.string() })

/** The same by the evaluator, and the results of windows that have closed, as texts. */
function evaluated(one: Pipeline, records: readonly Sent[]) {
  const input = records.map((record, offset) => ({ ...record, partition: 0, offset, value: Buffer.from(record.value) }))
  const { outcomes, results } = evaluatePipeline(one, 1, input, new Map([[sensor.topic, sensors]]))
  const counts = new Map<string, number>()
  for (const [index, { headers, timestampMs }] of records.entries()) {
    const key = `${minuteOf(headers, timestampMs)} ${outcomes[index] ?? ''}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return { counts, results: evaluatedTexts(one, results) }
}

/** All results are there, once; of those that are corrected the last of each window, and some before, since a restart may take some together. */
function expectPublished(one: Pipeline, records: readonly Sent[], published: readonly string[]): void {
  const { results } = evaluated(one, records)
  if (one.late.kind !== 'correct') expect(published).toEqual(results)
  else {
    expect(results).toEqual(expect.arrayContaining([...published]))
    expect(lastRevisions(published)).toEqual(lastRevisions(results))
    expect(published.filter((text) => !text.startsWith('revision 1 ')).length).toBeGreaterThan(10)
  }
}

/** By window and group. */
function lastRevisions(texts: readonly string[]): Map<string, string> {
  const revisionOf = (text = 'revision 0') => Number(text.split(' ')[1])
  const last = new Map<string, string>()
  for (const text of texts) {
    const key = /sensor=.+?windowStart=[^ ]+/.exec(text)?.[0] ?? ''
    if (revisionOf(text) > revisionOf(last.get(key))) last.set(key, text)
  }
  return last
}

/** The accounts of a pipeline, in their order. */
async function accountsOf(name: string): Promise<Account[]> {
  return (await valuesOf(accountsTopic)).flatMap(({ key, value }) => {
    const account = parseAccount(jsonOf(value))
    return account && key === `flink/${name}` && account.reader === key ? [account] : []
  })
}

async function valuesOf(topic: string): Promise<{ readonly key: string; readonly value: string }[]> {
  const { records } = await reader.readLatest(topic, recordsMax)
  return records.toReversed().map(({ key, value }) => ({ key: String(key), value: String(value) }))
}

const recordsMax = 10_000

function jsonOf(text: string): JsonValue {
  return jsonValue.parse(JSON.parse(text))
}

const jsonValue = z.json()

function added(accounts: readonly Account[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { minute, outcome, events } of accounts.flatMap((account) => account.counts)) {
    counts.set(`${minute} ${outcome}`, (counts.get(`${minute} ${outcome}`) ?? 0) + events)
  }
  return counts
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, events) => sum + events, 0)
}

function ofOutcome(counts: ReadonlyMap<string, number>, outcome: AccountOutcome): number {
  return total(new Map([...counts].filter(([key]) => key.endsWith(` ${outcome}`))))
}

/** One account for each is the least that it takes. */
async function counted(events: number): Promise<void> {
  const all = async () => Promise.all(pipelines.map(async ({ name }) => total(added(await accountsOf(name)))))
  await vi.waitUntil(async () => (await all()).every((sum) => sum >= events), {
    timeout: countedTimeoutMs,
    interval: 500,
  })
}

const countedTimeoutMs = 240_000
/** Flink itself, and then the jobs of the definition. */
const backTimeoutMs = 240_000
const kills = 1
const recordsBetween = 300
const sendEveryMs = 20

test(
  'every record is accounted for once, though Flink is killed while events come in',
  { timeout: 900_000 },
  async () => {
    const sent: Sent[] = []
    const send = async (records: number) => {
      for (let left = records; left > 0; left--) {
        const next = record(sent.length)
        sent.push(next)
        await producer.send({ topic: reading.topic, partition: 0, ...next, value: Buffer.from(next.value) })
        await sleep(sendEveryMs)
      }
    }
    for (let kill = 0; kill < kills; kill++) {
      await send(recordsBetween)
      // What was counted since is in no checkpoint yet, or in one and not told, or told in a transaction that is open.
      await counted(sent.length - recordsBetween + 1)
      const sending = send(recordsBetween)
      await restartServer(stateDirectory, 'flink', 'SIGKILL', backTimeoutMs)
      await start()
      await sending
    }
    await send(recordsBetween)
    await counted(sent.length)

    for (const one of pipelines) {
      const { name, lateTopic } = one
      const accounts = await accountsOf(name)
      const counts = added(accounts)
      expect(counts).toEqual(evaluated(one, sent).counts)
      if (one.window === tumbling10) expect(counts).toEqual(expected(sent, name))
      await vi.waitFor(async () => expectPublished(one, sent, await publishedTexts(reader, one, recordsMax)), {
        timeout: 30_000,
        interval: 1_000,
      })
      for (const outcome of accountOutcomes) expect(ofOutcome(counts, outcome), outcome).toBeGreaterThan(0)
      expect(new Set(accounts.map(({ topic, partition, beyond }) => `${topic} ${partition} ${beyond}`))).toEqual(
        new Set([`${reading.topic} 0 0`]),
      )
      expect(Math.min(...accounts.map(({ from }) => from))).toBe(0)
      expect(Math.max(...accounts.map(({ through }) => through))).toBe(sent.length)
      if (lateTopic !== undefined) expect(await valuesOf(lateTopic)).toHaveLength(ofOutcome(counts, 'late'))
    }
  },
)
