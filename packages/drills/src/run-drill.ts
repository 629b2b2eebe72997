/** Runs a drill on a running stack: load, a fault, recovery, and a verdict over what Kafka's own consumer finds in the topic. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openAdmin } from '@millrace/kafka/admin'
import { accessToken, type AccessToken } from '@millrace/ledger/access-token'
import { deleteVerdictGroups, readTopics } from '@millrace/ledger/console-consumer'
import { openDatabase } from '@millrace/ledger/database'
import { type DeliveryVerdict, judgeDelivery } from '@millrace/ledger/delivery'
import { openEventPost } from '@millrace/ledger/event-post'
import { openLedger } from '@millrace/ledger/ledger'
import type { Installation } from '@millrace/stack/installation'
import { kafkaToolsOf } from '@millrace/stack/kafka-tools'
import { mintToken } from '@millrace/stack/token'
import { waitUntil } from '@millrace/stack/wait'
import type { Drill } from './drills.ts'
import { keyOfId, lanes, runKeyedLoad } from './keyed-load.ts'
import { openStage } from './stage.ts'
import { createTimeline, recoveryMs, type Timeline } from './timeline.ts'

export type DrillOptions = {
  readonly installation: Installation
  /** Of every gateway that runs. */
  readonly gatewayUrls: readonly string[]
  readonly eventsPerSecond: number
  readonly note: (line: string) => void
  /** Ends the drill early, without a verdict: what was stopped for it runs again, and what was sent is waited for. */
  readonly signal: AbortSignal
}

export type DrillReport = {
  readonly drill: string
  readonly says: string
  readonly at: string
  readonly ok: boolean
  readonly eventsPerSecondAsked: number
  readonly eventsPerSecond: number
  readonly acknowledged: number
  readonly unconfirmed: number
  readonly refused: number
  readonly copies: number
  readonly faultSeconds: number
  /** From the end of the fault until latencies are what they were; null when they were not before the drill ended. */
  readonly recoverySeconds: number | null
  readonly p95Ms: { readonly calm: number | null; readonly fault: number | null; readonly after: number | null }
  readonly checks: DeliveryVerdict['checks']
}

const calmMs = 8_000
const recoverMs = 12_000
const typeDeadlineMs = 30_000
const tokenTtlSeconds = 900
/** The gateways learn what others wrote from the topic: a broker that leads it may be away for as long as its session lasts, and then some. */
const recognisedAfterMs = 20_000
const readerUser = 'admin'
const partitions = 12
const retentionMs = 3_600_000

type Phases = { readonly startMs: number; readonly faultMs: number; readonly healedMs: number; readonly endMs: number }

/**
 * @throws MillraceError 'stack.failed' when the stack does not run, or does not come back; 'verdict.failed' when the topic cannot be read;
 * the reason of `signal` when it is aborted
 */
export async function runDrill(drill: Drill, options: DrillOptions): Promise<DrillReport> {
  const { installation, note } = options
  const at = new Date().toISOString()
  const run = `${drill.name}-${at.replaceAll(/\D/g, '')}`
  const directory = join(installation.layout.state, 'drills', run)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const eventType = `drill.${run}`
  const source = `/drills/${run}`
  await makeType(options, eventType)
  const ledgerFile = join(directory, 'ledger')
  const timeline = createTimeline()
  const phases = await underLoad(drill, options, { eventType, source, ledgerFile, timeline })
  note('reading the topic with Kafka’s console consumer, and comparing …')
  const verdict = await judged(options, { topic: eventType, source, ledgerFile, directory })
  const report = reportOf(drill, at, options, { verdict, timeline, phases })
  await writeFile(join(installation.layout.state, 'drills', `${run}.json`), `${JSON.stringify(report, undefined, 2)}\n`)
  // What it was about is kept only where something has to be looked into.
  if (report.ok) await rm(directory, { recursive: true, force: true })
  return report
}

function tokenFor({ secrets }: Installation, scopes: readonly string[]): AccessToken {
  return accessToken(
    (wanted) => mintToken(secrets, { subject: 'drill', scopes: wanted, ttlSeconds: tokenTtlSeconds }),
    scopes,
  )
}

/** Makes the type, and waits until every gateway knows it: what is not known yet would be refused. */
async function makeType({ installation, gatewayUrls, signal }: DrillOptions, eventType: string): Promise<void> {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    properties: { key: { type: 'string' }, round: { type: 'integer', minimum: 0 } },
    required: ['key', 'round'],
  }
  const headers = {
    authorization: `Bearer ${await tokenFor(installation, ['catalog:write', 'catalog:read']).current()}`,
    'content-type': 'application/json',
  }
  const body = JSON.stringify({ format: 'json', schema, key: '/key', partitions, retentionMs })
  const asked = (gatewayUrl: string, request: RequestInit) =>
    fetch(`${gatewayUrl}/v1/event-types/${eventType}`, { headers, ...request })
  for (const [index, gatewayUrl] of gatewayUrls.entries()) {
    await waitUntil(
      `the event type of the drill at ${gatewayUrl}`,
      typeDeadlineMs,
      async (within) => {
        const made = index > 0 || (await asked(gatewayUrl, { method: 'PUT', body, signal: within })).ok
        return made && (await asked(gatewayUrl, { signal: within })).ok
      },
      signal,
    )
  }
}

type Sent = {
  readonly eventType: string
  readonly source: string
  readonly ledgerFile: string
  readonly timeline: Timeline
}

async function underLoad(drill: Drill, options: DrillOptions, sent: Sent): Promise<Phases> {
  const { installation, gatewayUrls, eventsPerSecond, note } = options
  const { eventType, source, ledgerFile, timeline } = sent
  const broken = new AbortController()
  const signal = AbortSignal.any([options.signal, broken.signal])
  await using opened = new AsyncDisposableStack()
  const ledger = opened.adopt(openLedger(ledgerFile), (open) => open.close())
  const token = tokenFor(installation, [`events:write:${eventType}`])
  const posts = gatewayUrls.map((gatewayUrl) =>
    opened.adopt(openEventPost({ gatewayUrl, token, connections: lanes }), (post) => post.close()),
  )
  const end = new AbortController()
  const load = runKeyedLoad(
    { posts, eventType, source, eventsPerSecond, ledger, onAcknowledged: timeline.acknowledged },
    end.signal,
  )
  // Told at the end; until then it must not count as unhandled.
  load.catch((error: unknown) => broken.abort(error))
  const startMs = performance.now()
  try {
    await delay(calmMs, undefined, { signal })
    note(`${drill.says} …`)
    const faultMs = performance.now()
    await drill.fault(openStage(installation, signal))
    const healedMs = performance.now()
    note('over: it recovers …')
    await delay(recoverMs, undefined, { signal })
    return { startMs, faultMs, healedMs, endMs: performance.now() }
  } finally {
    end.abort()
    await load
  }
}

type Judged = {
  readonly topic: string
  readonly source: string
  readonly ledgerFile: string
  readonly directory: string
}

async function judged(
  { installation, signal }: DrillOptions,
  { topic, source, ledgerFile, directory }: Judged,
): Promise<DeliveryVerdict> {
  const topicFile = join(directory, 'topic')
  const kafka = await kafkaToolsOf(installation, readerUser)
  await readTopics(kafka, [{ topic, file: topicFile }], directory, signal).finally(() => deleteGroups(installation))
  const database = await openDatabase(join(directory, 'verdict.duckdb'))
  try {
    return await judgeDelivery(database, { ledgerFile, topicFile, source, keyOfId, recognisedAfterMs })
  } finally {
    database.close()
  }
}

async function deleteGroups(installation: Installation): Promise<void> {
  const admin = openAdmin(await installation.kafkaConnection(readerUser))
  await deleteVerdictGroups(admin, readerUser).finally(() => admin.close())
}

type Found = { readonly verdict: DeliveryVerdict; readonly timeline: Timeline; readonly phases: Phases }

function reportOf(drill: Drill, at: string, options: DrillOptions, { verdict, timeline, phases }: Found): DrillReport {
  const { startMs, faultMs, healedMs, endMs } = phases
  const lastMs = endMs - recoverMs / 3
  const calm = timeline.p95(startMs + calmMs / 2, faultMs)
  const recovery = calm === undefined ? undefined : recoveryMs(timeline, healedMs, endMs, calm)
  return {
    drill: drill.name,
    says: drill.says,
    at,
    // A verdict over nothing is none, and who does not come back has lost what will be sent.
    ok:
      verdict.ok && verdict.refused === 0 && timeline.count(startMs, faultMs) > 0 && timeline.count(lastMs, endMs) > 0,
    eventsPerSecondAsked: options.eventsPerSecond,
    eventsPerSecond: Math.round((timeline.count(startMs, endMs) * 1_000) / (endMs - startMs)),
    acknowledged: verdict.acknowledged,
    unconfirmed: verdict.unconfirmed,
    refused: verdict.refused,
    copies: verdict.copies,
    faultSeconds: (healedMs - faultMs) / 1_000,
    recoverySeconds: recovery === undefined ? null : recovery / 1_000,
    p95Ms: {
      calm: calm ?? null,
      fault: timeline.p95(faultMs, healedMs) ?? null,
      after: timeline.p95(lastMs, endMs) ?? null,
    },
    checks: verdict.checks,
  }
}
