/**
 * Flink publishes each result once, whatever of it is killed while events come: as a cluster, and, where `MILLRACE_TEST_FLINK_KILLS` asks for so
 * many kills by chance, in one JVM too, which `pipeline-accounts` kills once.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { count, countDistinct, quantile, sum } from '@millrace/core/aggregate'
import { evaluatePipeline } from '@millrace/core/evaluate'
import { eventType } from '@millrace/core/event-type'
import { type Pipeline, pipeline, toTopic } from '@millrace/core/pipeline'
import { definePlatform } from '@millrace/core/platform'
import { seededRandom } from '@millrace/core/random'
import { tumbling } from '@millrace/core/window'
import { awaitRunning, type FlinkCluster, listJobs } from '@millrace/flink/jobs'
import { request } from '@millrace/flink/rest'
import { openProducer } from '@millrace/kafka/producer'
import { openReader } from '@millrace/kafka/reader'
import { javaEnvironment } from '@millrace/stack/environment'
import type { FlinkForm } from '@millrace/stack/flink-checkpoints'
import type { Installation } from '@millrace/stack/installation'
import { openStack } from '@millrace/stack/open-stack'
import { progress } from '@millrace/stack/progress'
import { readRecord } from '@millrace/stack/run-folder'
import { openJobs } from '@millrace/stack/servers/flink'
import { restartServer } from '@millrace/testkit/servers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { evaluatedTexts, publishedTexts } from './published.ts'
import { isLoopback, listeningAddresses } from './sockets.ts'

// eslint-disable-next-line no-restricted-properties -- the runner of the tests takes no options of ours
const killsByChance = Number(process.env['MILLRACE_TEST_FLINK_KILLS'] ?? 0)
const seed = 20_301_201
const startTimeoutMs = 400_000
const backTimeoutMs = 300_000
const resultsTimeoutMs = 240_000
/** With Flink's own heartbeats it were 50 s. */
const noticedMsMax = 20_000
const sendEveryMs = 20
const restMsMax = 4_000
const twoAtOnceShare = 0.25

const schema = {
  type: 'object',
  properties: { sensor: { type: 'string' }, value: { type: 'number' }, at: { type: 'string', format: 'date-time' } },
  required: ['sensor', 'value', 'at'],
} as const
/** One partition, so that which events are late follows from their order. */
const ordered = eventType('cluster.ordered', { schema, time: '/at', partitions: 1 })
/** No event is late here: the order in which partitions are read is not given. */
const spreadOut = eventType('cluster.spread-out', { schema, time: '/at', partitions: 4 })

const inOrder = pipeline('cluster-in-order')
  .from(ordered)
  .window(tumbling('10 seconds'))
  .watermark({ outOfOrderness: '2 seconds', futureBound: 'none' })
  .late(toTopic())
  .groupBy((event) => ({ sensor: event.sensor }))
  .aggregate((event) => ({ readings: count(), middle: quantile(event.value, 0.5) }))
const spread = pipeline('cluster-spread', { parallelism: 4 })
  .from(spreadOut)
  .window(tumbling('30 seconds'))
  .watermark({ outOfOrderness: '2 seconds', futureBound: 'none' })
  .groupBy((event) => ({ sensor: event.sensor }))
  .aggregate((event) => ({ readings: count(), total: sum(event.value), values: countDistinct(event.value) }))
const platform = definePlatform({ events: [ordered, spreadOut], pipelines: [inOrder, spread] })

const servers = {
  cluster: ['flink-jobmanager', 'flink-taskmanager-1', 'flink-taskmanager-2', 'flink-sql-gateway'],
  embedded: ['flink'],
} as const
const forms = killsByChance > 0 ? (['cluster', 'embedded'] as const) : (['cluster'] as const)

type Running = { readonly installation: Installation; readonly stateDirectory: string; readonly cluster: FlinkCluster }

/** A platform of its own, which ends with the test. */
async function start(flink: FlinkForm): Promise<Running> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'millrace-flink-kills-'))
  const { installation, stack } = await openStack(
    { ...{ stateDirectory, portBase: 28_400, brokers: 1, flink, platform }, java: javaEnvironment },
    progress((line) => process.stderr.write(`${line}\n`)),
  )
  onTestFinished(async () => {
    await stack.stop()
    await rm(stateDirectory, { recursive: true, force: true })
  }, startTimeoutMs)
  await stack.start(AbortSignal.timeout(startTimeoutMs))
  return { installation, stateDirectory, cluster: openJobs(installation).cluster }
}

type Sent = { readonly partition: number; readonly value: string; readonly timestampMs: number }

const startMs = Date.now()
const stepMs = 250
const sensors = 5
const closingMs = 3_600_000

/** The record of a topic with this number; some of those in order are late, or malformed. */
function record(number: number, of: typeof ordered): Sent {
  const isLate = of === ordered && number % 11 === 5
  const at = new Date(startMs + number * stepMs - (isLate ? 30_000 : 0)).toISOString()
  const isMalformed = of === ordered && number % 13 === 3
  const value = isMalformed ? '{' : JSON.stringify({ sensor: `s${number % sensors}`, value: number % 7, at })
  return { partition: number % of.partitions, value, timestampMs: Date.now() }
}

/** Sends to both topics until it is told to end; then, to each partition, what closes all windows before it. */
async function openSender(installation: Installation) {
  const producer = openProducer(await installation.kafkaConnection('admin'))
  const sent = new Map([ordered, spreadOut].map((type) => [type, new Array<Sent>()] as const))
  const stopping = new AbortController()
  const send = async (type: typeof ordered, number: number) => {
    const next = record(number, type)
    sent.get(type)?.push(next)
    await producer.send({ topic: type.topic, ...next, value: Buffer.from(next.value), headers: new Map() })
  }
  const sending = (async () => {
    let number = 0
    for (; !stopping.signal.aborted; number++) {
      for (const type of sent.keys()) await send(type, number)
      await sleep(sendEveryMs)
    }
    // A multiple of both, so that it is neither late nor malformed.
    const closing = Math.ceil((number + closingMs / stepMs) / (11 * 13)) * (11 * 13)
    await send(ordered, closing)
    for (let each = 0; each < spreadOut.partitions; each++) await send(spreadOut, closing + each)
    return number
  })()
  return {
    end: async () => {
      stopping.abort()
      const number = await sending
      await producer.close()
      return { number, sent }
    },
  }
}

function evaluated(one: Pipeline, records: readonly Sent[] = []): string[] {
  const offsets = new Map<number, number>()
  const input = records.map(({ partition, value, timestampMs }) => {
    const offset = offsets.get(partition) ?? 0
    offsets.set(partition, offset + 1)
    return { partition, offset, value: Buffer.from(value), timestampMs, headers: new Map<string, string>() }
  })
  return evaluatedTexts(one, evaluatePipeline(one, one.from.partitions, input).results)
}

async function services({ installation: { layout } }: Running) {
  const all = (await readRecord(layout))?.services ?? []
  return all.filter(({ name }) => name.startsWith('flink'))
}

async function restarts(running: Running): Promise<Record<string, number>> {
  return Object.fromEntries((await services(running)).map((service) => [service.name, service.restarts]))
}

async function runningJobs({ cluster }: Running): Promise<Map<string, string>> {
  const jobs = await listJobs(cluster)
  for (const { id } of jobs) await awaitRunning(cluster, id)
  return new Map(jobs.map(({ name, id }) => [name, id]))
}

async function kill({ stateDirectory }: Running, name: string): Promise<number> {
  const since = Date.now()
  await restartServer(stateDirectory, name, 'SIGKILL', backTimeoutMs)
  process.stderr.write(`  killed ${name}, back after ${((Date.now() - since) / 1_000).toFixed(1)} s\n`)
  return since
}

/** When a job of Flink's last began to start again. */
async function restartedAtMs({ cluster }: Running, id: string): Promise<number> {
  const { timestamps } = await request(new URL(`/jobs/${id}`, cluster.url), 'GET')
  return Number(Object.entries(timestamps ?? {}).find(([state]) => state === 'RESTARTING')?.[1])
}

async function killByChance(running: Running, names: readonly string[], kills: number): Promise<void> {
  const random = seededRandom(seed)
  const one = () => names[Math.floor(random() * names.length)] ?? 'flink'
  for (let killed = 0; killed < kills;) {
    const victims = new Set(random() < twoAtOnceShare && killed + 2 <= kills ? [one(), one()] : [one()])
    await Promise.all([...victims].map((name) => kill(running, name)))
    killed += victims.size
    await sleep(random() * restMsMax)
  }
}

test.each(forms)(
  'every result is published once, though Flink is killed while events come in: %s',
  { timeout: 1_800_000 + killsByChance * backTimeoutMs },
  async (form) => {
    const running = await start(form)
    const sender = await openSender(running.installation)
    expect([...(await runningJobs(running)).keys()].sort()).toEqual([inOrder.name, spread.name])
    if (form === 'cluster') await losesItsParts(running)
    await killByChance(running, servers[form], killsByChance)
    const { number, sent } = await sender.end()
    expect(number).toBeGreaterThan(500)
    await publishesWhatIsEvaluated(running, sent)
  },
)

/** A TaskManager costs its jobs a restart; the JobManager takes them with it, and they are submitted again. */
async function losesItsParts(running: Running): Promise<void> {
  const first = await runningJobs(running)
  await keepsToItself(running)

  const killedAtMs = await kill(running, 'flink-taskmanager-1')
  expect(await runningJobs(running)).toEqual(first)
  const restartedMs = await restartedAtMs(running, first.get(spread.name) ?? '')
  expect(restartedMs - killedAtMs).toBeLessThan(noticedMsMax)
  const none = { 'flink-taskmanager-2': 0, 'flink-sql-gateway': 0 }
  expect(await restarts(running)).toMatchObject({ 'flink-jobmanager': 0, 'flink-taskmanager-1': 1, ...none })

  await kill(running, 'flink-jobmanager')
  const resumed = await runningJobs(running)
  expect([...resumed.keys()].sort()).toEqual([inOrder.name, spread.name])
  expect(resumed.get(spread.name)).not.toBe(first.get(spread.name))
  expect(await restarts(running)).toMatchObject({ 'flink-jobmanager': 1, ...none })
}

/** Nothing listens beyond loopback, all parts that have metrics tell them, and RocksDB's library is in the temporary folder of the run. */
async function keepsToItself(running: Running): Promise<void> {
  const { installation } = running
  const flink = await services(running)
  expect(flink.map(({ name }) => name).sort()).toEqual([...servers.cluster].sort())
  const addresses = await listeningAddresses(flink.map(({ pid }) => pid ?? 0))
  expect(addresses.length).toBeGreaterThan(10)
  expect(addresses.filter((address) => !isLoopback(address))).toEqual([])
  for (const port of [installation.ports.flinkMetrics, ...[1, 2].map(installation.ports.taskManagerMetrics)]) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
    expect(await answer.text()).toMatch(/^flink_(job|task)manager_Status_JVM_CPU_Load/m)
  }
  for (const { name, pid } of flink.filter((server) => server.name.startsWith('flink-taskmanager'))) {
    const mapped = (await readFile(`/proc/${pid ?? 0}/maps`, 'utf8'))
      .split('\n')
      .filter((line) => /rocksdb.*\.so/.test(line))
    expect(mapped.length).toBeGreaterThan(0)
    for (const line of mapped) expect(line).toContain(join(installation.layout.temporary, name))
  }
}

async function publishesWhatIsEvaluated(
  { installation }: Running,
  sent: ReadonlyMap<Pipeline['from'], readonly Sent[]>,
): Promise<void> {
  const reader = openReader(await installation.kafkaConnection('admin'))
  onTestFinished(() => reader.close())
  for (const one of [inOrder, spread]) {
    const expected = evaluated(one, sent.get(one.from))
    expect(expected.length).toBeGreaterThan(20)
    await vi.waitFor(async () => expect(await publishedTexts(reader, one, expected.length + 1_000)).toEqual(expected), {
      timeout: resultsTimeoutMs,
      interval: 2_000,
    })
  }
}
