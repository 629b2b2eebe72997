import { resolve } from 'node:path'
import { openEventPost } from '@millrace/ledger/event-post'
import { openLedger } from '@millrace/ledger/ledger'
import type { Installation } from '@millrace/stack/installation'
import { openBinaryPost } from './binary-post.ts'
import { type Dataset, openDataset } from './dataset.ts'
import { type FeedNumbers, runFeeds, streams, tables } from './feeds.ts'
import { flightDeparted } from './flight.ts'
import type { Measures } from './measures.ts'
import type { Options } from './options.ts'
import { openPositions } from './positions.ts'
import { replay, replayDefaults, type ReplayEnd } from './replay.ts'
import type { ReplayStatistics } from './statistics.ts'
import { feeding, publishing } from './tokens.ts'

/** What a run is made by. */
export type RunOptions = Pick<Options, 'forMs' | 'eventsPerSecond'> & {
  /** Opens the flights that are replayed; the dataset's unless said. */
  readonly openFlights?: () => Promise<Dataset>
}

export type Sending = {
  readonly options: RunOptions
  readonly statistics: ReplayStatistics
  readonly measures: Measures
  readonly signal: AbortSignal
}

export type Sent = { readonly end: ReplayEnd; readonly feeds: readonly FeedNumbers[] }

/** Where it is noted what was sent of the flights, and answered. */
export function ledgerFileIn(directory: string): string {
  return resolve(directory, 'ledger.csv')
}

/**
 * Sends what the flights are joined with, and when all of it is acknowledged the flights, and everything else beside them, until the time is over.
 * @throws MillraceError 'replay.failed'
 */
export async function sendAll(
  directory: string,
  installation: Installation,
  { options, statistics, measures, signal }: Sending,
): Promise<Sent> {
  await using opened = new AsyncDisposableStack()
  const dataset = opened.adopt(await (options.openFlights ?? openDataset)(), (open) => open.close())
  const ledger = opened.adopt(openLedger(ledgerFileIn(directory)), (open) => open.close())
  const sender = opened.adopt(openEventPost(publishing(installation)), (open) => open.close())
  const positions = openPositions(resolve(directory, 'positions.json'), flightDeparted.partitions)
  const onFirstPost: Measures['posted'] = (lane, flights, atMs) => {
    measures.posted(lane, flights, atMs)
  }
  const { post } = opened.adopt(openBinaryPost(...feeding(installation)), (open) => open.close())
  const joined = await runFeeds(tables, directory, post, signal)
  const failure = new AbortController()
  const end = AbortSignal.any([signal, failure.signal, ...timeOf(options)])
  const all = [
    replay(
      { dataset, eventType: flightDeparted.name, post: sender.post, ledger, positions, statistics, onFirstPost },
      { ...replayDefaults, eventsPerSecond: options.eventsPerSecond },
      end,
    ),
    runFeeds(streams, directory, post, end),
  ] as const
  for (const part of all) part.catch(() => failure.abort())
  await Promise.allSettled(all)
  const [replayEnd, feeds] = await Promise.all(all)
  return { end: replayEnd, feeds: [...joined, ...feeds] }
}

function timeOf({ forMs }: RunOptions): AbortSignal[] {
  return forMs === undefined ? [] : [AbortSignal.timeout(forMs)]
}
