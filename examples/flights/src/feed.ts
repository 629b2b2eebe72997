/**
 * A feed is a source beside the flights: observations that are encoded already, posted one by one in CloudEvents' binary mode
 * until there are no more: at a slow and steady rate, one in flight, so that the order of the topic is the order of the source;
 * or, of a source that has no order, as fast as they are acknowledged.
 */
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import type { EventType } from '@millrace/core/event-type'
import type { EventPost, SingleOutcome } from './binary-post.ts'
import { backoffMs } from '@millrace/ledger/outcome'
import type { Ledger } from '@millrace/ledger/ledger'
import type { Observation } from './observation.ts'
import { isAborted, pacer } from '@millrace/ledger/pacer'

/** How fast a feed goes. */
export type Pace = {
  /** Absent: as fast as they are acknowledged. */
  readonly perSecond: number | undefined
  readonly inFlight: number
}

export const steady: Pace = { perSecond: 20, inFlight: 1 }
/** For what others wait for. */
export const atOnce: Pace = { perSecond: undefined, inFlight: 8 }

export type Feed = {
  readonly type: EventType
  readonly pace: Pace
  readonly observations: readonly Observation[]
  readonly ledger: Ledger
  /** How many observations an earlier run has sent. */
  readonly sent: number
  /** Told how many have been acknowledged in all, whenever all that were in flight are. */
  readonly onSent: (sent: number) => Promise<void>
}

const confirmDeadlineMs = 120_000

/**
 * Posts what is left of a feed until the signal is aborted.
 * @throws MillraceError 'replay.failed' when an observation is refused, or not confirmed within the deadline
 */
export async function runFeed(feed: Feed, post: EventPost['post'], signal: AbortSignal): Promise<void> {
  const { observations, pace } = feed
  const turn = pacer(pace.perSecond)
  const run = crypto.randomUUID()
  for (let sent = feed.sent; sent < observations.length && !isAborted(signal);) {
    const next = observations.slice(sent, sent + pace.inFlight)
    await turn(next.length, signal)
    if (isAborted(signal)) return
    const sending = next.map((observation, index) =>
      sendUntilConfirmed(feed, observation, post, `${run}/${sent + index}`, signal),
    )
    // None is sending any more when a failure is thrown: what is in flight still reaches the ledger.
    await Promise.allSettled(sending)
    if ((await Promise.all(sending)).includes(false)) return
    sent += next.length
    await feed.onSent(sent)
  }
}

async function sendUntilConfirmed(
  { type, ledger }: Feed,
  observation: Observation,
  post: EventPost['post'],
  request: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { id } = observation
  const deadlineMs = performance.now() + confirmDeadlineMs
  for (let attempt = 0; !signal.aborted; attempt++) {
    ledger.sending(request, 0, [id])
    const outcome = await post(type, observation)
    ledger.settled(request, [outcome.status === 'stored' ? storedAs(type, observation, outcome) : { ...outcome, id }])
    if (outcome.status === 'stored') return true
    if (outcome.status === 'rejected' || performance.now() > deadlineMs) throw failed(type, id, outcome)
    await delay(backoffMs(attempt), undefined, { signal }).catch(() => undefined)
  }
  return false
}

type Stored = Extract<SingleOutcome, { status: 'stored' }>

/** What must be in the topic: the bytes that were sent, and but for JSON the registry's frame before them. */
function storedAs({ format }: EventType, { id, body }: Observation, { partition, offset, schemaId }: Stored) {
  const sha256 = hash('sha256', format === 'json' ? body : Buffer.concat([frameOf(format, schemaId), body]))
  return { status: 'accepted', id, partition, offset, sha256 } as const
}

/** A zero byte, the schema's id, and in Protobuf the first message's index. */
function frameOf(format: 'avro' | 'protobuf', schemaId: number): Buffer {
  const frame = Buffer.alloc(format === 'protobuf' ? 6 : 5)
  frame.writeUInt32BE(schemaId, 1)
  return frame
}

function failed({ name }: EventType, id: string, { status, detail }: Exclude<SingleOutcome, Stored>): MillraceError {
  const what = status === 'rejected' ? 'refuses' : 'does not confirm'
  return new MillraceError('replay.failed', `the gateway ${what} event ${id} of ${name}, which is valid: ${detail}`)
}
