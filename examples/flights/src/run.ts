import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { type Admin, openAdmin } from '@millrace/kafka/admin'
import { openReader, type Reader } from '@millrace/kafka/reader'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import type { Installation } from '@millrace/stack/installation'
import type { RunningStack } from '@millrace/stack/run-stack'
import { warehouseOf } from '@millrace/stack/servers/warehouse'
import { isAborted } from '@millrace/ledger/pacer'
import { flowOf, lagOfFlow } from './flow.ts'
import { isAbout, judged } from './judged.ts'
import { openLoadMeter } from './load.ts'
import { type Measures, openMeasures } from './measures.ts'
import { observe, type Observer } from './observer.ts'
import type { ReplayEnd } from './replay.ts'
import { ledgerFileIn, type RunOptions, sendAll } from './sending.ts'
import { settle } from './settle.ts'
import { replayStatistics } from './statistics.ts'
import type { Summary } from './summary.ts'
import { measured } from './tokens.ts'

type Connections = {
  readonly admin: Admin
  readonly reader: Reader
  readonly warehouse: Warehouse
  readonly measures: Measures
}

const subscribeTimeoutMs = 30_000

/**
 * Replays flights through a running platform until the time is over, every flight is acknowledged or a signal comes; then, if a time
 * was set, waits for everything to flow to its end and judges it.
 * @returns the summary; `undefined` when a signal came before the verdict
 * @throws MillraceError 'replay.failed' | 'verdict.failed' and what the servers' clients throw
 */
export async function runFlights(
  running: RunningStack,
  options: RunOptions,
  observer: Observer,
): Promise<Summary | undefined> {
  const { installation, stack, signal } = running
  const { pipelines } = installation.platform
  await using opened = new AsyncDisposableStack()
  const directory = resolve(installation.layout.data, 'flights')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const isContinued = existsSync(ledgerFileIn(directory))
  const { admin, reader, warehouse, measures } = await openConnections(installation, opened)
  const meter = await openLoadMeter(stack)
  const statistics = replayStatistics()
  let end: ReplayEnd = 'stopped'
  const stopObserving = observe(
    { stack, admin, pipelines, warehouse, measures, meter, statistics, isExhausted: () => end === 'exhausted' },
    observer,
  )
  opened.defer(stopObserving)
  observer.started(installation)
  const sent = await sendAll(directory, installation, { options, statistics, measures, signal })
  end = sent.end
  if (options.forMs === undefined) await aborted(signal)
  if (options.forMs === undefined || signal.aborted) return undefined
  const ended = {
    feeds: sent.feeds,
    replay: { ...statistics.numbers(), end, eventsPerSecondAsked: options.eventsPerSecond ?? null },
    lagAtEnd: await lagOfFlow(admin, pipelines).catch(() => undefined),
    load: await meter.load(),
  }
  observer.note('the replay has ended: waiting until everything has flowed to its end …')
  const settled = await settle(admin, reader, flowOf(pipelines), signal)
  await stopObserving()
  if (isAborted(signal)) return undefined
  observer.note('reading Kafka with its console consumer and the warehouse by SQL, and comparing (post nothing now) …')
  const verdict = await judged(directory, running, { admin, warehouse, isContinued })
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
