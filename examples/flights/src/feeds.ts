import { readFile, rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EventType, SchemaFormat } from '@millrace/core/event-type'
import { airportDescribed } from './airport.ts'
import { airports } from './airports.ts'
import type { EventPost } from './binary-post.ts'
import { atOnce, type Pace, runFeed, steady } from './feed.ts'
import type { Observation } from './observation.ts'
import { openLedger } from '@millrace/ledger/ledger'
import { quakeRecorded, quakes } from './quakes.ts'
import { weather, weatherObserved } from './weather.ts'

/** A source beside the flights, in a format of its own. */
export type Source = {
  readonly type: EventType
  readonly pace: Pace
  readonly observations: () => Promise<readonly Observation[]>
}

/** What must be there before the first flight is: a pipeline that joins it reads it as a whole before its first event. */
export const tables: readonly Source[] = [{ type: airportDescribed, pace: atOnce, observations: airports }]
/** What goes on beside the flights. */
export const streams: readonly Source[] = [
  { type: quakeRecorded, pace: steady, observations: quakes },
  { type: weatherObserved, pace: steady, observations: weather },
]
export const sources: readonly Source[] = [...tables, ...streams]

export type FeedNumbers = {
  readonly type: string
  readonly format: SchemaFormat
  /** Observations acknowledged, in this run and in those before it, and how many there are. */
  readonly acknowledged: number
  readonly of: number
}

/** Where a feed's ledger is kept. */
export function feedLedgerFile(directory: string, type: EventType): string {
  return resolve(directory, `ledger-${type.name}.csv`)
}

/**
 * Feeds some sources at once, from where the last run stopped, until they are empty or the signal is aborted.
 * @throws MillraceError 'replay.failed' as `runFeed` does, once no feed is sending any more
 */
export async function runFeeds(
  fed: readonly Source[],
  directory: string,
  post: EventPost['post'],
  signal: AbortSignal,
): Promise<FeedNumbers[]> {
  const failure = new AbortController()
  const end = AbortSignal.any([signal, failure.signal])
  const runs = fed.map(async (source) => {
    try {
      return await feedFrom(directory, source, post, end)
    } catch (error) {
      failure.abort()
      throw error
    }
  })
  await Promise.allSettled(runs)
  return Promise.all(runs)
}

async function feedFrom(
  directory: string,
  { type, pace, observations: read }: Source,
  post: EventPost['post'],
  signal: AbortSignal,
): Promise<FeedNumbers> {
  const observations = await read()
  const position = await openPosition(resolve(directory, `position-${type.name}`))
  const ledger = openLedger(feedLedgerFile(directory, type))
  try {
    const sent = position.sent()
    await runFeed({ type, pace, observations, ledger, sent, onSent: position.advance }, post, signal)
  } finally {
    ledger.close()
  }
  return { type: type.name, format: type.format, acknowledged: position.sent(), of: observations.length }
}

/** How far a feed has come. Written behind the ledger, so that after a crash what was in flight is sent again, with its ids. */
async function openPosition(file: string) {
  let sent = Number(await readFile(file, 'utf8').catch(() => '0'))
  return {
    sent: () => sent,
    advance: async (next: number): Promise<void> => {
      await writeFile(`${file}.next`, String(next), { mode: 0o600 })
      await rename(`${file}.next`, file)
      sent = next
    },
  }
}
