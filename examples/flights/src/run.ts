import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { type Admin, openAdmin } from '@millrace/kafka/admin'
import { openReader, type Reader } from '@millrace/kafka/reader'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import type { Installation } from '@millrace/stack/installation'
import { kafkaToolsOf } from '@millrace/stack/kafka-tools'
import type { RunningStack } from '@millrace/stack/run-stack'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { warehouseOf } from '@millrace/stack/servers/warehouse'
import { mintToken } from '@millrace/stack/token'
import { type AccessToken, accessToken } from '@millrace/ledger/access-token'
import { isAborted } from '@millrace/ledger/pacer'
import { openDataset } from './dataset.ts'
import { openBinaryPost } from './binary-post.ts'
import { openEventPost } from '@millrace/ledger/event-post'
import { feedLedgerFile, type FeedNumbers, runFeeds, sources } from './feeds.ts'
import { lagOfFlow, pipelineReads, sinkReads } from './flow.ts'
import { openLedger } from '@millrace/ledger/ledger'
import { openLoadMeter } from './load.ts'
import { type Measures, openMeasures } from './measures.ts'
import { observe, type Observer } from './observer.ts'
import type { Options } from './options.ts'
import { auditor, departuresPerAirport, departuresTable, flightDeparted } from './platform.ts'
import { openPositions } from './positions.ts'
import { replay, replayDefaults, type ReplayEnd } from './replay.ts'
import { settle } from './settle.ts'
import { replayStatistics, type ReplayStatistics } from './statistics.ts'
import type { Summary } from './summary.ts'
import { readAccounting } from './verdict/accounting.ts'
import type { Verdict } from './verdict/judge.ts'
import { reachVerdict } from './verdict/verdict.ts'

type Connections = {
  readonly admin: Admin
  readonly reader: Reader
  readonly warehouse: Warehouse
  readonly measures: Measures
}

const tokenTtlSeconds = 3_600
const subscribeTimeoutMs = 30_000

/**
 * Replays flights through a running platform until the time is over, every flight is acknowledged or a signal comes; then, if a time
 * was set, waits for everything to flow to its end and judges it.
 * @returns the summary; `undefined` when a signal came before the verdict
 * @throws MillraceError 'replay.failed' | 'verdict.failed' and what the servers' clients throw
 */
export async function runFlights(
  running: RunningStack,
  options: Options,
  observer: Observer,
): Promise<Summary | undefined> {
  const { installation, stack, signal } = running
  await using opened = new AsyncDisposableStack()
  const directory = resolve(installation.layout.data, 'flights')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const connections = await openConnections(installation, opened)
  const { admin, reader, warehouse, measures } = connections
  const meter = await openLoadMeter(stack)
  const statistics = replayStatistics()
  let end: ReplayEnd = 'stopped'
  const stopObserving = observe(
    { stack, admin, warehouse, measures, meter, statistics, isExhausted: () => end === 'exhausted' },
    observer,
  )
  opened.defer(stopObserving)
  observer.started(installation)
  const fed = await replayInto(directory, installation, { options, statistics, measures, signal })
  end = fed.end
  if (options.forMs === undefined) await aborted(signal)
  if (options.forMs === undefined || signal.aborted) return undefined
  const ended = {
    feeds: fed.feeds,
    replay: { ...statistics.numbers(), end, eventsPerSecondAsked: options.eventsPerSecond ?? null },
    lagAtEnd: await lagOfFlow(admin).catch(() => undefined),
    load: await meter.load(),
  }
  observer.note('the replay has ended: waiting until everything has flowed to its end …')
  const settled = await settle(admin, reader, [pipelineReads, sinkReads], signal)
  await stopObserving()
  if (isAborted(signal)) return undefined
  observer.note('reading Kafka with its console consumer and the warehouse by SQL, and comparing (post nothing now) …')
  const verdict = await judged(directory, running, connections)
  return {
    ok: settled && verdict.ok && isAbout(verdict, ended),
    started: running.started,
    ...ended,
    latencies: measures.latencies(),
    restarts: restartsOf(running),
    settled,
    verdict,
  }
}

async function openConnections(installation: Installation, opened: AsyncDisposableStack): Promise<Connections> {
  const connection = await installation.kafkaConnection('admin')
  const admin = opened.adopt(openAdmin(connection), (client) => client.close())
  const reader = opened.adopt(openReader(connection), (client) => client.close())
  const measures = opened.adopt(openMeasures(measured(installation)), (open) => open.close())
  await subscribed(measures)
  return { admin, reader, warehouse: await warehouseOf(installation), measures }
}

type Replaying = {
  readonly options: Options
  readonly statistics: ReplayStatistics
  readonly measures: Measures
  readonly signal: AbortSignal
}

async function replayInto(
  directory: string,
  installation: Installation,
  { options, statistics, measures, signal }: Replaying,
): Promise<{ end: ReplayEnd; feeds: readonly FeedNumbers[] }> {
  await using opened = new AsyncDisposableStack()
  const dataset = opened.adopt(await openDataset(), (open) => open.close())
  const ledger = opened.adopt(openLedger(ledgerFileIn(directory)), (open) => open.close())
  const sender = opened.adopt(openEventPost(publishing(installation)), (open) => open.close())
  const positions = openPositions(resolve(directory, 'positions.json'), flightDeparted.partitions)
  const end = options.forMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(options.forMs)])
  const onFirstPost: Measures['posted'] = (lane, flights, atMs) => {
    measures.posted(lane, flights, atMs)
  }
  const { post } = opened.adopt(openBinaryPost(...feeding(installation)), (open) => open.close())
  const failure = new AbortController()
  const anyEnd = AbortSignal.any([end, failure.signal])
  const all = [
    replay(
      { dataset, eventType: flightDeparted.name, post: sender.post, ledger, positions, statistics, onFirstPost },
      { ...replayDefaults, eventsPerSecond: options.eventsPerSecond },
      anyEnd,
    ),
    runFeeds(directory, post, anyEnd),
  ] as const
  for (const part of all) part.catch(() => failure.abort())
  await Promise.allSettled(all)
  const [replayEnd, feeds] = await Promise.all(all)
  return { end: replayEnd, feeds }
}

/** A verdict over nothing, or over less than was acknowledged in this run, is none. */
function isAbout({ findings }: Verdict, { replay: { acknowledged, end }, feeds }: Pick<Summary, 'replay' | 'feeds'>) {
  const fed = feeds.reduce((sum, feed) => sum + feed.acknowledged, 0)
  return findings.acknowledged >= acknowledged && findings.fed >= fed && (acknowledged > 0 || end === 'exhausted')
}

async function judged(
  directory: string,
  { installation, signal }: RunningStack,
  { admin, warehouse }: Connections,
): Promise<Verdict> {
  return reachVerdict({
    signal,
    admin,
    pipeline: departuresPerAirport,
    sink: departuresTable,
    ledgerFile: ledgerFileIn(directory),
    feeds: sources.map(({ type }) => ({ topic: type.topic, ledgerFile: feedLedgerFile(directory, type) })),
    kafka: await kafkaToolsOf(installation, auditor.user),
    warehouse,
    accounting: () =>
      readAccounting(gatewayUrl(installation), tokenFor(installation, 'flights-verdict', ['ops:read']), signal),
    directory: resolve(installation.layout.temporary, 'verdict'),
  })
}

function ledgerFileIn(directory: string): string {
  return resolve(directory, 'ledger.csv')
}

function tokenFor({ secrets }: Installation, subject: string, scopes: readonly string[]): AccessToken {
  return accessToken((wanted) => mintToken(secrets, { subject, scopes: wanted, ttlSeconds: tokenTtlSeconds }), scopes)
}

function publishing(installation: Installation) {
  return {
    gatewayUrl: gatewayUrl(installation),
    token: tokenFor(installation, 'flights-replay', [`events:write:${flightDeparted.name}`]),
    connections: flightDeparted.partitions,
  }
}

function feeding(installation: Installation) {
  const scopes = sources.map(({ type }) => `events:write:${type.name}`)
  return [gatewayUrl(installation), tokenFor(installation, 'feeds', scopes)] as const
}

function measured(installation: Installation) {
  const read = [flightDeparted.name, departuresPerAirport.result.name]
  const scopes = [...read.map((type) => `events:read:${type}`), ...read.map((type) => `dlq:read:${type}`)]
  return {
    gatewayUrl: gatewayUrl(installation),
    token: tokenFor(installation, 'flights-subscriber', scopes),
    pipeline: departuresPerAirport,
  }
}

async function subscribed(measures: Measures): Promise<void> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const message = `the gateway gave no live stream within ${subscribeTimeoutMs / 1_000} s`
    timeout.reject(new MillraceError('replay.failed', message))
  }, subscribeTimeoutMs)
  await Promise.race([measures.subscribed, timeout.promise]).finally(() => clearTimeout(timer))
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((done) => signal.addEventListener('abort', done, { once: true }))
}

function restartsOf({ stack }: RunningStack): Record<string, number> {
  const died = stack.services().filter(({ restarts }) => restarts > 0)
  return Object.fromEntries(died.map(({ name, restarts }) => [name, restarts]))
}
