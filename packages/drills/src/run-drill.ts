/** Runs a drill on a running stack: load, a fault, recovery, and a verdict over what Kafka's own consumer finds in the topic. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { openAdmin } from '@millrace/kafka/admin'
import { accessToken, type AccessToken } from '@millrace/ledger/access-token'
import type { Check } from '@millrace/ledger/check'
import { deleteVerdictGroups, readTopics } from '@millrace/ledger/console-consumer'
import { openDatabase } from '@millrace/ledger/database'
import { type DeliveryVerdict, judgeDelivery } from '@millrace/ledger/delivery'
import { openEventPost } from '@millrace/ledger/event-post'
import { openLedger } from '@millrace/ledger/ledger'
import type { Installation } from '@millrace/stack/installation'
import { kafkaToolsOf } from '@millrace/stack/kafka-tools'
import { mintToken } from '@millrace/stack/token'
import { effectTypeOf, makeDrillType, removeDrillType } from './drill-type.ts'
import type { Drill } from './drill.ts'
import { effectChecks, effectsIn, workersRunOn } from './effect-checks.ts'
import { keyOfId, lanes, requireRate, runKeyedLoad, sendUntilAcknowledged } from './keyed-load.ts'
import { lettersIn, poisonChecks } from './poison-checks.ts'
import { type DrillReport, type Phases, reportOf } from './report.ts'
import { openStage } from './stage.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import { openWorkers } from './workers.ts'

export type DrillOptions = {
  readonly installation: Installation
  /** Of every gateway that runs. */
  readonly gatewayUrls: readonly string[]
  readonly eventsPerSecond: number
  /** How many events go in a request, if not a few: fewer requests cost less, and tell less of latency. */
  readonly eventsPerBatch?: number
  /** Decides what is left to chance; one that is not given is made up, and told. */
  readonly seed?: number | undefined
  readonly note: (line: string) => void
  /** Ends the drill early, without a verdict: what was stopped for it runs again, and what was sent is waited for. */
  readonly signal: AbortSignal
}

/** The first seconds are slower: connections are made, and code is compiled. */
const warmMs = 4_000
const calmMs = 4_000
const eventsPerBatchDefault = 20
const recoverMs = 12_000
const lastMs = 4_000
const tokenTtlSeconds = 900
const seedMax = 999_999_999
/** Gateways learn what others wrote from the topic, whose leader may be away for as long as its session lasts, and then some. */
const recognisedAfterMs = 20_000
const readerUser = 'admin'

/** One run: its event type, the events' source, and where it keeps what it notes and reads. */
type Run = {
  readonly drill: Drill
  readonly options: DrillOptions
  readonly seed: number
  readonly eventType: string
  readonly source: string
  readonly directory: string
  readonly ledgerFile: string
  readonly timeline: Timeline
}

/**
 * @throws MillraceError 'config.invalid' for too low a rate; 'drill.impossible' where this machine has not what the drill takes; 'stack.failed'
 * when the stack does not run, or does not come back; 'verdict.failed' when the topic cannot be read; the reason of `signal` when it is aborted
 */
export async function runDrill(drill: Drill, options: DrillOptions): Promise<DrillReport> {
  const { installation, gatewayUrls, eventsPerSecond, note, signal } = options
  requireRate(eventsPerSecond)
  drill.requires?.(installation)
  const beganMs = performance.now()
  const at = new Date().toISOString()
  const name = `${drill.name}-${at.replaceAll(/\D/g, '')}`
  const reports = join(installation.layout.state, 'drills')
  const directory = join(reports, name)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const seed = options.seed ?? 1 + Math.floor(Math.random() * seedMax)
  const run: Run = {
    ...{ drill, options, seed, directory },
    ...{ eventType: `drill.${name}`, source: `/drills/${name}` },
    ...{ ledgerFile: join(directory, 'ledger'), timeline: createTimeline() },
  }
  note(`${drill.name}, seed ${seed}: events are sent …`)
  const token = await tokenFor(installation, ['catalog:write', 'catalog:read']).current()
  const types = drill.workers === undefined ? [run.eventType] : [run.eventType, effectTypeOf(run.eventType)]
  for (const type of types) await makeDrillType(type, { gatewayUrls, token, signal })
  const { phases, checks } = await underLoad(run)
  note('reading the topic with Kafka’s console consumer, and comparing …')
  const verdict = await judged(run, checks)
  const tookMs = performance.now() - beganMs
  const found = { at, tookMs, seed, eventsPerSecondAsked: eventsPerSecond, verdict, timeline: run.timeline, phases }
  const report = reportOf(drill, found)
  await writeFile(join(reports, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`)
  // What it was about is kept only where something has to be looked into.
  if (report.ok) {
    for (const type of types) await removeDrillType(installation, type)
    await rm(directory, { recursive: true, force: true })
  }
  return report
}

function tokenFor({ secrets }: Installation, scopes: readonly string[]): AccessToken {
  return accessToken(
    (wanted) => mintToken(secrets, { subject: 'drill', scopes: wanted, ttlSeconds: tokenTtlSeconds }),
    scopes,
  )
}

type Done = { readonly phases: Phases; readonly checks: readonly Check[] }

async function underLoad(run: Run): Promise<Done> {
  const { drill, options, seed, eventType, source, directory, ledgerFile, timeline } = run
  const { installation, gatewayUrls, eventsPerSecond, eventsPerBatch = eventsPerBatchDefault, note } = options
  const broken = new AbortController()
  const signal = AbortSignal.any([options.signal, broken.signal])
  await using opened = new AsyncDisposableStack()
  const ledger = opened.adopt(openLedger(ledgerFile), (open) => open.close())
  const token = tokenFor(installation, [`events:write:${eventType}`])
  const posts = gatewayUrls.map((gatewayUrl) =>
    opened.adopt(openEventPost({ gatewayUrl, token, connections: lanes }), (post) => post.close()),
  )
  const work = drill.work?.(eventsPerSecond) ?? {}
  const workers = opened.adopt(openWorkers({ installation, eventType, work, directory, signal }), (open) =>
    open.close(),
  )
  for (let number = 1; number <= (drill.workers ?? 0); number += 1) await workers.start(`worker-${number}`)
  const end = new AbortController()
  const onAcknowledged = timeline.acknowledged
  const rates = { eventsPerSecond, eventsPerBatch }
  const load = { gatewayUrls, posts, token, eventType, source, ...rates, ledger, onAcknowledged }
  const sending = runKeyedLoad(load, drill.send?.() ?? sendUntilAcknowledged, end.signal)
  // Told at the end; until then it must not count as unhandled.
  sending.catch((error: unknown) => broken.abort(error))
  const startMs = performance.now()
  let done: Done
  try {
    await delay(warmMs + calmMs, undefined, { signal })
    note(`${drill.says} …`)
    const faultMs = performance.now()
    let healedMs: number | undefined
    let failedOverMs: number | undefined
    const over = () => {
      healedMs = performance.now()
      failedOverMs = undefined
    }
    const failedOver = () => (failedOverMs = performance.now())
    const stage = openStage({ installation, load, workers, signal, seed, note, over, failedOver })
    const checks = (await drill.fault(stage)) ?? []
    healedMs ??= performance.now()
    note('over: it recovers …')
    await delay(recoverMs, undefined, { signal })
    const endMs = performance.now()
    const phases = { startMs, calmMs: startMs + warmMs, faultMs, healedMs, failedOverMs, lastMs: endMs - lastMs, endMs }
    done = { checks, phases }
  } finally {
    end.abort()
    await sending
  }
  if (drill.workers === undefined) return done
  await workers.done()
  return { ...done, checks: [...done.checks, workersRunOn(workers.names().length, workers.crashes())] }
}

async function judged(run: Run, checks: readonly Check[]): Promise<DeliveryVerdict> {
  const { options, drill, eventType: topic, source, ledgerFile, directory } = run
  const { installation, signal } = options
  const topicFile = join(directory, 'topic')
  const effectsFile = join(directory, 'effects')
  const lettersFile = join(directory, 'letters')
  const reads = [{ topic, file: topicFile }]
  if (drill.workers !== undefined) reads.push({ topic: effectTypeOf(topic), file: effectsFile })
  if (drill.isPoisoned) reads.push({ topic: deadLetterTopic(topic), file: lettersFile })
  const kafka = await kafkaToolsOf(installation, readerUser)
  await readTopics(kafka, reads, directory, signal).finally(() => deleteGroups(installation))
  const database = await openDatabase(join(directory, 'verdict.duckdb'))
  const further = [...checks]
  try {
    if (drill.workers !== undefined) {
      await database.run(`CREATE VIEW effects AS ${effectsIn(effectsFile)}`)
      further.push(...effectChecks)
    }
    if (drill.isPoisoned) {
      await database.run(`CREATE VIEW letters AS ${lettersIn(lettersFile)}`)
      further.push(...poisonChecks)
    }
    return await judgeDelivery(database, {
      ...{ ledgerFile, topicFile, source, keyOfId },
      checks: further,
      recognisedAfterMs: drill.recognisedAfterMs ?? recognisedAfterMs,
    })
  } finally {
    database.close()
  }
}

async function deleteGroups(installation: Installation): Promise<void> {
  const admin = openAdmin(await installation.kafkaConnection(readerUser))
  await deleteVerdictGroups(admin, readerUser).finally(() => admin.close())
}
