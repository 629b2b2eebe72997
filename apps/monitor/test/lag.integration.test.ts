import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { openAdmin } from '@millrace/kafka/admin'
import { openProducer } from '@millrace/kafka/producer'
import { openReader } from '@millrace/kafka/reader'
import { classPathOf } from '@millrace/stack/jvm'
import { distributions } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { measureLag, type PartitionLag } from '../src/lag.ts'

const { auditorProperties, bootstrapServers, connection, javaCommand, monitorUrl } = stack()
const group = 'auditor-lag'
const topic = 'order.placed'
const sentAtMs: number[] = []
const unread = 3
/** A pipeline reads them too. */
const order = Buffer.from(JSON.stringify({ customer: 'lag', amount: 1, at: '2030-06-01T00:00:00Z' }))

const producer = openProducer(connection('gateway'))
const admin = openAdmin(connection('monitor'))
const reader = openReader(connection('monitor'))

beforeAll(async () => {
  await send()
  // Reads and commits all that there is, and leaves when nothing more comes.
  const options = ['--topic', topic, '--group', group, '--from-beginning', '--timeout-ms', '8000']
  await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', ...options)
  sentAtMs.length = 0
  for (let number = 0; number < unread; number++) await send()
})
afterAll(() => Promise.all([producer.close(), admin.close(), reader.close()]))

/** All to one partition, so that it is known which message is the oldest that nobody has read. */
async function send(): Promise<void> {
  const timestampMs = Date.now()
  sentAtMs.push(timestampMs)
  await producer.send({ topic, partition: 0, value: order, headers: new Map(), timestampMs })
}

/** One of Kafka's own tools, as the user `auditor`. */
async function kafkaTool(main: string, ...options: string[]): Promise<string> {
  const connect = ['--bootstrap-server', bootstrapServers.join(','), '--command-config', auditorProperties]
  const java = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPathOf(distributions.kafka)]
  return (await promisify(execFile)(javaCommand, [...java, main, ...connect, ...options])).stdout
}

/** What Kafka says of the group, by partition. */
async function lagByKafka(): Promise<Map<number, { committed: number; end: number; lag: number }>> {
  const described = await kafkaTool(
    'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
    ...['--describe', '--group', group],
  )
  return new Map(
    described.split('\n').flatMap((line) => {
      const [name, of, partition, committed, end, lag] = line.trim().split(/\s+/)
      if (name !== group || of !== topic || committed === '-') return []
      return [[Number(partition), { committed: Number(committed), end: Number(end), lag: Number(lag) }] as const]
    }),
  )
}

async function measured(nowMs: number): Promise<PartitionLag[]> {
  return (await measureLag(admin, reader, nowMs)).filter((lag) => lag.group === group && lag.topic === topic)
}

async function samples(): Promise<Map<string, number>> {
  const text = await (await fetch(`${monitorUrl}/metrics`)).text()
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && line !== '')
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

describe('lag', () => {
  test('is what Kafka itself says, though the group has no members', async () => {
    const expected = await lagByKafka()
    const lags = await measured(Date.now())
    expect(expected.size).toBeGreaterThan(0)
    expect(
      new Map(
        lags.map(({ partition, committed, end, messages }) => [
          partition,
          { committed: Number(committed), end: Number(end), lag: messages },
        ]),
      ),
    ).toEqual(expected)
    expect(lags.reduce((sum, { messages }) => sum + messages, 0)).toBe(unread)
  })

  test('in seconds is the age of the oldest message that is not read, and 0 where all are', async () => {
    const nowMs = Date.now()
    const lags = await measured(nowMs)
    const behind = lags.filter(({ messages }) => messages > 0)
    expect(behind).toMatchObject([{ partition: 0, messages: unread, seconds: (nowMs - (sentAtMs[0] ?? 0)) / 1_000 }])
    for (const { messages, seconds } of lags) if (messages === 0) expect(seconds).toBe(0)
  })

  test('grows by what is sent and not read, and the exporter shows it under the names of kafka_exporter', async () => {
    const labels = `consumergroup="${group}",topic="${topic}",partition="0"`
    const [before] = (await measured(Date.now())).filter(({ partition }) => partition === 0)
    await send()
    await send()
    const expected = (before?.messages ?? 0) + 2
    await vi.waitUntil(async () => (await samples()).get(`kafka_consumergroup_lag{${labels}}`) === expected, {
      timeout: 30_000,
      interval: 500,
    })
    const shown = await samples()
    const committed = shown.get(`kafka_consumergroup_current_offset{${labels}}`)
    const end = shown.get(`kafka_topic_partition_current_offset{topic="${topic}",partition="0"}`)
    expect(committed).toBe(Number(before?.committed))
    expect((end ?? 0) - (committed ?? 0)).toBe(expected)
    expect(shown.get(`kafka_consumergroup_lag_seconds{${labels}}`)).toBeGreaterThan(0)
    expect(shown.get('kafka_brokers')).toBe(3)
  })

  test('of the groups of pipelines and sinks is shown too', async () => {
    const groups = new Set((await measureLag(admin, reader, Date.now())).map((lag) => lag.group))
    const known = (await admin.groups()).map(({ id }) => id)
    expect(known.some((id) => id.startsWith('connect-'))).toBe(true)
    expect(known).toContain('worker-flag-large-orders')
    for (const id of groups) expect(known).toContain(id)
  })
})

describe('the monitor', () => {
  test('is ready while it can look at Kafka', async () => {
    expect((await fetch(`${monitorUrl}/health/ready`)).status).toBe(200)
  })

  test('answers 404 to what it does not have', async () => {
    expect((await fetch(`${monitorUrl}/nothing`)).status).toBe(404)
  })
})
